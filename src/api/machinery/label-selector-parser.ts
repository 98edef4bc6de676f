/** The grammar of label selectors as text, with the messages of k8s.io/apimachinery/pkg/labels. */
import type { LabelRequirement, SelectorOperator } from './label-selector.ts'
import { isLabelValue, isQualifiedName } from './names.ts'
import { badRequest } from './status-error.ts'

const SYMBOLS = '=!(),><'
const WORDS: ReadonlySet<string> = new Set(['in', 'notin'])
const BINARY = ['=', '==', 'in', '!=', 'notin', '>', '<']
/** As the server lists them in messages: sorted by name. */
const EXPECTED = 'in, notin, =, ==, !=, gt, lt'

interface Token {
  readonly kind: 'word' | 'symbol' | 'end'
  readonly text: string
}

function scan(text: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  while (at < text.length) {
    const char = text[at]!
    if (' \t\r\n'.includes(char)) {
      at++
    } else if (SYMBOLS.includes(char)) {
      const two = text.slice(at, at + 2)
      const symbol = two === '==' || two === '!=' ? two : char
      tokens.push({ kind: 'symbol', text: symbol })
      at += symbol.length
    } else {
      let end = at
      while (end < text.length && !SYMBOLS.includes(text[end]!) && !' \t\r\n'.includes(text[end]!)) end++
      tokens.push({ kind: 'word', text: text.slice(at, end) })
      at = end
    }
  }
  tokens.push({ kind: 'end', text: '' })
  return tokens
}

/** Reads the terms, in the order of the text. Throws StatusError BadRequest. */
export function parseSelectorText(text: string): LabelRequirement[] {
  const tokens = scan(text)
  const result: LabelRequirement[] = []
  let at = 0
  const peek = () => tokens[Math.min(at, tokens.length - 1)]!
  const next = () => tokens[Math.min(at++, tokens.length - 1)]!
  const is = (token: Token, symbol: string) => token.kind === 'symbol' && token.text === symbol

  function requirement(): LabelRequirement {
    let token = next()
    const absent = is(token, '!')
    if (absent) token = next()
    if (token.kind !== 'word') throw new Problem(`found '${token.text}', expected: identifier`)
    const key = token.text
    check('<nil>', key, isQualifiedName(key))
    const ahead = peek()
    if (ahead.kind === 'end' || is(ahead, ',')) return { key, operator: absent ? '!' : 'exists', values: [] }
    const op = next()
    if (!BINARY.includes(op.text) || (op.kind === 'word' && !WORDS.has(op.text))) {
      throw new Problem(`found '${op.text}', expected: ${EXPECTED}`)
    }
    const operator = op.text as SelectorOperator
    const values = [...new Set(operator === 'in' || operator === 'notin' ? valueSet() : exactValue())].sort()
    if (operator === '>' || operator === '<') {
      if (!/^[+-]?\d+$/.test(values[0]!)) {
        const detail = "for 'Gt', 'Lt' operators, the value must be an integer"
        throw new Problem(`values[0]: Invalid value: ${JSON.stringify(values[0])}: ${detail}`)
      }
    }
    for (const [i, value] of values.entries()) check(`values[${i}][${key}]`, value, isLabelValue(value))
    return { key, operator, values }
  }

  function exactValue(): string[] {
    const ahead = peek()
    if (ahead.kind === 'end' || is(ahead, ',')) return ['']
    const token = next()
    if (token.kind !== 'word') throw new Problem(`found '${token.text}', expected: identifier`)
    return [token.text]
  }

  function valueSet(): string[] {
    const open = next()
    if (!is(open, '(')) throw new Problem(`found '${open.text}' expected: '('`)
    const values: string[] = []
    let expectValue = true
    for (;;) {
      const token = next()
      if (token.kind === 'word' && expectValue) {
        values.push(token.text)
        expectValue = false
      } else if (is(token, ',') || is(token, ')')) {
        if (expectValue) values.push('')
        if (token.text === ')') return values
        expectValue = true
      } else {
        throw new Problem(`found '${token.text}', expected: ${expectValue ? "',', ')' or identifier" : "',' or ')'"}`)
      }
    }
  }

  for (;;) {
    const token = peek()
    if (token.kind === 'end') return result
    if (token.kind !== 'word' && !is(token, '!')) {
      throw badRequest(`found '${token.text}', expected: !, identifier, or 'end of string'`)
    }
    try {
      result.push(requirement())
    } catch (error) {
      if (error instanceof Problem) throw badRequest(`unable to parse requirement: ${error.message}`)
      throw error
    }
    const after = next()
    if (after.kind === 'end') return result
    if (!is(after, ',')) throw badRequest(`found '${after.text}', expected: ',' or 'end of string'`)
    if (peek().kind !== 'word' && !is(peek(), '!')) {
      throw badRequest(`found '${peek().text}', expected: identifier after ','`)
    }
  }
}

/** A term that cannot be read. */
class Problem extends Error {}

function check(path: string, value: string, messages: readonly string[]): void {
  if (messages.length) throw new Problem(`${path}: Invalid value: ${JSON.stringify(value)}: ${messages.join('; ')}`)
}
