/** JSON bodies: parsed, with their duplicate fields where somebody wants to know, and not deeper than is safe. */
import { parseMerged } from './json-merged.ts'
import { badRequest } from './status-error.ts'

/** Deeper bodies are refused: what walks an object may use the stack. */
export const MAX_DEPTH = 1000

export interface ParsedJson {
  readonly value: unknown
  /** Paths of fields that stand more than once, e.g. `metadata.labels.app`; the last one counts, objects are put together. Each once. */
  readonly duplicates: readonly string[]
}

/**
 * Parses a body. `findDuplicates` costs a second pass. Throws StatusError BadRequest for text that is no JSON or is too
 * deep.
 */
export function parseJson(body: string | Uint8Array, findDuplicates = false): ParsedJson {
  const text = typeof body === 'string' ? body : decode(body)
  if (text.length > 2 * MAX_DEPTH && mayBeDeep(text)) refuseDeep(text)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw badRequest(`couldn't get version/kind; json parse error: ${jsonProblem(text, error as Error)}`)
  }
  const duplicates = findDuplicates && mayHaveDuplicates(text, value) ? duplicateFields(text) : NONE
  return { value: duplicates.length ? parseMerged(text) : value, duplicates }
}

/** What comes before the unexpected character, by V8's message, in Go's words. */
const PLACES: readonly (readonly [string, string])[] = [
  ["':' after", 'after object key'],
  ['property name', 'looking for beginning of object key string'],
  ['after property value', 'after object key:value pair'],
  ['after array element', 'after array element'],
  ['after JSON', 'after top-level value'],
  ['control character', 'in string literal'],
  ['escaped character', 'in string escape code'],
]

const LITERAL = /(?<![\w"])(t|tr|tru|f|fa|fal|fals|n|nu|nul)$/

/** Go reads a space behind the end, which a literal that was begun cannot take. */
function endOf(text: string): string {
  const begun = LITERAL.exec(text)?.[1]
  if (begun === undefined) return 'unexpected end of JSON input'
  const literal = ['true', 'false', 'null'].find(each => each.startsWith(begun))!
  return `invalid character ' ' in literal ${literal} (expecting '${literal[begun.length]}')`
}

/** Why a text is no JSON, as Go's decoder says it. */
export function jsonProblem(text: string, error: Error): string {
  const { message } = error
  if (text.trim() === '' || /^Unexpected end|^Unterminated/.test(message)) return endOf(text)
  const place = PLACES.find(([sign]) => message.includes(sign))?.[1] ?? 'looking for beginning of value'
  const at = /at position (\d+)/.exec(message)?.[1]
  const char = at === undefined ? /^Unexpected token '(.+?)',/.exec(message)?.[1] : text[Number(at)]
  if (char === undefined) return at === undefined ? message : endOf(text)
  return `invalid character ${char === "'" ? "'\\''" : `'${char}'`} ${place}`
}

const NONE: readonly string[] = []

function decode(body: Uint8Array): string {
  const buffer = Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  return buffer.toString()
}

/** There are as many brackets as it takes, in strings or not. */
function mayBeDeep(text: string): boolean {
  let open = 0
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if ((c === 0x7b || c === 0x5b) && ++open > MAX_DEPTH) return true
  }
  return false
}

function refuseDeep(text: string): void {
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === 0x22) i = stringEnd(text, i)
    else if (c === 0x7b || c === 0x5b) {
      if (++depth > MAX_DEPTH) {
        throw badRequest(`couldn't get version/kind; json parse error: exceeded max depth of ${MAX_DEPTH}`)
      }
    } else if (c === 0x7d || c === 0x5d) depth--
  }
}

/** Index of the quote that ends the string which begins at `start`. */
function stringEnd(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === 0x5c) i++
    else if (c === 0x22) return i
  }
  return text.length
}

/**
 * There are more colons behind quotes in the text than keys in the value. True for a few texts without duplicates (such
 * colons may stand in strings), never false for one with.
 */
function mayHaveDuplicates(text: string, value: unknown): boolean {
  let marks = 0
  for (let at = text.indexOf(':'); at >= 0; at = text.indexOf(':', at + 1)) {
    let before = at - 1
    while (text.charCodeAt(before) <= 0x20) before--
    if (text.charCodeAt(before) === 0x22) marks++
  }
  return marks !== countKeys(value)
}

function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let count = 0
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object') count += countKeys(item)
    return count
  }
  for (const key in value) {
    const inner = (value as Record<string, unknown>)[key]
    count += typeof inner === 'object' ? 1 + countKeys(inner) : 1
  }
  return count
}

/** One object or array that is being read. */
interface Level {
  /** Undefined in arrays. */
  readonly keys: Set<string> | undefined
  /** The path of the container, and the field or index that is being read in it. */
  readonly path: string
  field: string
  index: number
}

const inner = (level: Level | undefined) =>
  level === undefined
    ? ''
    : level.keys
      ? `${level.path}${level.path && '.'}${level.field}`
      : `${level.path}[${level.index}]`

/** Fields that stand more than once in one object of a valid JSON text. */
export function duplicateFields(text: string): string[] {
  const found = new Set<string>()
  const levels: Level[] = []
  let expectKey = false
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    const level = levels.at(-1)
    if (c === 0x22) {
      const end = stringEnd(text, i)
      if (expectKey && level?.keys) {
        const raw = text.slice(i + 1, end)
        level.field = raw.includes('\\') ? (JSON.parse(text.slice(i, end + 1)) as string) : raw
        if (level.keys.has(level.field)) found.add(inner(level))
        level.keys.add(level.field)
        expectKey = false
      }
      i = end
    } else if (c === 0x7b) {
      levels.push({ keys: new Set(), path: inner(level), field: '', index: 0 })
      expectKey = true
    } else if (c === 0x5b) {
      levels.push({ keys: undefined, path: inner(level), field: '', index: 0 })
      expectKey = false
    } else if (c === 0x7d || c === 0x5d) {
      levels.pop()
      expectKey = false
    } else if (c === 0x2c && level) {
      level.index++
      expectKey = level.keys !== undefined
    }
  }
  return [...found]
}
