import type { Issue } from '../errors.ts'
import { unescapeLiteral } from './unescape.ts'

/** What a token is. Operators and the words `in`, `true`, `false`, `null` are their own kind. */
export type TokenKind = string

export interface Token {
  /** `ident`, `escaped`, `int`, `uint`, `float`, `string`, `bytes`, `eof`, or the operator itself. */
  readonly kind: TokenKind
  readonly at: number
  readonly text: string
  /** The string or the bytes that a literal stands for. */
  readonly value?: string | Uint8Array
}

const WORDS = new Set(['in', 'true', 'false', 'null'])
const DIGITS = /[0-9]/
const NUMBER = /0x[0-9a-fA-F]+[uU]?|(?:[0-9]+\.[0-9]+|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|[0-9]+[uU]?/y
const IDENT = /[A-Za-z_][A-Za-z0-9_]*/y
const ESCAPED = /`[A-Za-z0-9_./ -]+`/y
const SPACE = /(?:[ \t\r\n\f]+|\/\/[^\n]*)+/y
const STRING = new RegExp(
  [
    `[bB]?[rR]"""[^]*?"""`,
    `[bB]?[rR]'''[^]*?'''`,
    `[bB]?[rR]"[^"\\n\\r]*"`,
    `[bB]?[rR]'[^'\\n\\r]*'`,
    `[bB]?"""(?:\\\\[^]|[^\\\\])*?"""`,
    `[bB]?'''(?:\\\\[^]|[^\\\\])*?'''`,
    `[bB]?"(?:\\\\[^\\n\\r]|[^\\\\"\\n\\r])*"`,
    `[bB]?'(?:\\\\[^\\n\\r]|[^\\\\'\\n\\r])*'`,
  ].join('|'),
  'y',
)
const ESCAPE = /\\(?:[abfnrtv"'\\?`]|[0-3][0-7][0-7]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})/y
const OPERATORS = ['==', '!=', '<=', '>=', '&&', '||', '<', '>', '[', ']', '{', '}', '(', ')', '.', ',', '-', '!', '?']
/** `=`, `&` and `|` alone are half a token: a lexer finds out at the next character. */
const HALF_OPERATORS = new Set(['=', '&', '|'])
const SIGNS = [...OPERATORS, ':', '+', '*', '/', '%']

/**
 * Cuts the source into tokens; the last one is `eof`. What no token begins with becomes an issue and is skipped.
 * Linear in the length of the source.
 */
export function tokenize(source: string, issues: Issue[]): Token[] {
  const tokens: Token[] = []
  let at = 0
  while (at < source.length) {
    const space = match(SPACE, source, at)
    if (space !== undefined) {
      at += space.length
      continue
    }
    const token = tokenAt(source, at, issues)
    if (token === undefined) {
      at += skipped(source, at, issues)
      continue
    }
    tokens.push(token)
    at += token.text.length
  }
  tokens.push({ kind: 'eof', at: source.length, text: '<EOF>' })
  return tokens
}

function tokenAt(source: string, at: number, issues: Issue[]): Token | undefined {
  const first = source[at] as string
  if (DIGITS.test(first) || (first === '.' && DIGITS.test(source[at + 1] ?? ''))) return numberAt(source, at)
  const text = match(STRING, source, at)
  if (text !== undefined) return stringToken(text, at, issues)
  const word = match(IDENT, source, at)
  if (word !== undefined) return { kind: WORDS.has(word) ? word : 'ident', at, text: word }
  const escaped = match(ESCAPED, source, at)
  if (escaped !== undefined) return { kind: 'escaped', at, text: escaped }
  const sign = SIGNS.find(candidate => source.startsWith(candidate, at))
  return sign === undefined ? undefined : { kind: sign, at, text: sign }
}

function numberAt(source: string, at: number): Token {
  const text = match(NUMBER, source, at) as string
  if (/[uU]$/.test(text)) return { kind: 'uint', at, text }
  const float = !text.startsWith('0x') && /[.eE]/.test(text)
  return { kind: float ? 'float' : 'int', at, text }
}

function stringToken(text: string, at: number, issues: Issue[]): Token | undefined {
  const bytes = /^[bB]/.test(text)
  const body = bytes ? text.slice(1) : text
  if (!/^[rR]/.test(body) && !escapesAreKnown(body)) return undefined
  const value = unescapeLiteral(body, bytes)
  if (typeof value === 'object' && 'error' in value) {
    issues.push({ at, message: value.error })
    return { kind: bytes ? 'bytes' : 'string', at, text, value: bytes ? new Uint8Array() : '' }
  }
  return { kind: bytes ? 'bytes' : 'string', at, text, value }
}

function escapesAreKnown(body: string): boolean {
  for (let at = body.indexOf('\\'); at >= 0; at = body.indexOf('\\', at)) {
    const found = match(ESCAPE, body, at)
    if (found === undefined) return false
    at += found.length
  }
  return true
}

/** Reports what no token begins with, and says how many units to skip. */
function skipped(source: string, at: number, issues: Issue[]): number {
  const quote = /^[bB]?[rR]?(["'])/.exec(source.slice(at, at + 3))
  let text = String.fromCodePoint(source.codePointAt(at) as number)
  if (quote) text = unterminated(source, at, quote[1] as string)
  else if (HALF_OPERATORS.has(text) && at + 1 < source.length) text = source.slice(at, at + 2)
  issues.push({ at, message: `Syntax error: token recognition error at: '${shown(text)}'` })
  return text.length
}

/** The part of an unfinished string that a lexer swallows before it gives up: all up to the bad place. */
function unterminated(source: string, at: number, quote: string): string {
  let end = source.indexOf(quote, at) + 1
  while (end < source.length && source[end] !== '\n' && source[end] !== '\r') {
    if (source[end] === quote) return source.slice(at, end + 1)
    if (source[end] === '\\') {
      const found = match(ESCAPE, source, end)
      if (found === undefined) return source.slice(at, Math.min(end + 2, source.length))
      end += found.length
      continue
    }
    end++
  }
  return source.slice(at, Math.min(end + 1, source.length))
}

const shown = (text: string) => text.replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t')

function match(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(source)?.[0]
}
