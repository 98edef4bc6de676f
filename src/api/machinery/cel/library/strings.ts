import { fn, type Library, method, overload } from '../declarations.ts'
import { fail } from '../errors.ts'
import { DYN, INT, listOf, STRING } from '../types.ts'
import { ArrayList, type CelList } from '../values.ts'
import { checkLength } from '../work.ts'
import { formatString } from './string-format.ts'

/** Code points of a text; plain text needs no array. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant.
const isPlain = (text: string) => /^[\x00-\x7f]*$/.test(text)
const points = (text: string): readonly string[] => (isPlain(text) ? text.split('') : [...text])

const outside = (index: bigint): never => fail(`index out of range: ${index}`)

function charAt(text: string, index: bigint): string {
  const characters = points(text)
  if (index < 0n || index > characters.length) return outside(index)
  return characters[Number(index)] ?? ''
}

function indexOf(text: string, part: string, offset = 0n): bigint {
  if (part === '') return offset
  const characters = points(text)
  if (offset < 0n) return outside(offset)
  if (offset >= characters.length) return -1n
  const at = characters.slice(Number(offset)).join('').indexOf(part)
  return at < 0 ? -1n : offset + BigInt(points(characters.slice(Number(offset)).join('').slice(0, at)).length)
}

function lastIndexOf(text: string, part: string, offset?: bigint): bigint {
  const characters = points(text)
  if (part === '') return offset ?? BigInt(characters.length)
  if (characters.length === 0 && offset === undefined) return -1n
  const from = offset ?? BigInt(characters.length - 1)
  if (from < 0n) return outside(from)
  if (from >= characters.length) return -1n
  const wanted = points(part)
  for (let at = Math.min(Number(from), characters.length - wanted.length); at >= 0; at--)
    if (wanted.every((character, index) => characters[at + index] === character)) return BigInt(at)
  return -1n
}

function substring(text: string, start: bigint, end?: bigint): string {
  const characters = points(text)
  const to = end ?? BigInt(characters.length)
  if (end !== undefined && start > to) return fail(`invalid substring range. start: ${start}, end: ${to}`)
  if (start < 0n || start > characters.length) return outside(start)
  if (to < 0n || to > characters.length) return outside(to)
  return characters.slice(Number(start), Number(to)).join('')
}

const lower = (text: string) => text.replace(/[A-Z]+/g, found => found.toLowerCase())
const upper = (text: string) => text.replace(/[a-z]+/g, found => found.toUpperCase())

function joined(parts: readonly string[], separator: string): string {
  checkLength(parts.reduce((sum, part) => sum + part.length + separator.length, 0))
  return parts.join(separator)
}

function replace(text: string, old: string, by: string, limit = -1n): string {
  const times = limit < 0n ? Number.POSITIVE_INFINITY : Number(limit)
  if (times === Number.POSITIVE_INFINITY && old !== '') return joined(text.split(old), by)
  return old === '' ? surround(text, by, times) : replaceSome(text, old, by, times)
}

function surround(text: string, by: string, times: number): string {
  const characters = points(text)
  let out = ''
  for (let at = 0; at <= characters.length; at++) out += (at < times ? by : '') + (characters[at] ?? '')
  return out
}

function replaceSome(text: string, old: string, by: string, times: number): string {
  let out = ''
  let from = 0
  for (let count = 0; count < times; count++) {
    const at = text.indexOf(old, from)
    if (at < 0) break
    out += text.slice(from, at) + by
    from = at + old.length
  }
  return out + text.slice(from)
}

function split(text: string, separator: string, limit = -1n): CelList {
  if (limit === 0n) return new ArrayList([])
  const parts = separator === '' ? points(text) : text.split(separator)
  if (limit < 0n || parts.length <= limit) return new ArrayList(parts)
  const kept = parts.slice(0, Number(limit) - 1)
  return new ArrayList([...kept, parts.slice(Number(limit) - 1).join(separator)])
}

function join(list: CelList, separator = ''): string {
  const parts: string[] = []
  for (const item of list) {
    if (typeof item !== 'string') return fail(`join: invalid input: ${String(item)}`)
    parts.push(item)
  }
  return joined(parts, separator)
}

/** What Unicode calls white space, which is a little less than what JavaScript trims. */
const trim = (text: string) =>
  text.replace(/^[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/, '').replace(TRAILING, '')
const TRAILING = /[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$/

const QUOTED: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that quoting changes.
const quote = (text: string) => `"${text.replace(/[\x07\b\f\n\r\t\v\\"]/g, found => QUOTED[found] as string)}"`

/** CEL's extension for strings. */
export const STRINGS: Library = [
  fn('charAt', method('string_char_at_int', [STRING, INT], STRING, charAt)),
  fn(
    'indexOf',
    method('string_index_of_string', [STRING, STRING], INT, indexOf),
    method('string_index_of_string_int', [STRING, STRING, INT], INT, indexOf),
  ),
  fn(
    'lastIndexOf',
    method('string_last_index_of_string', [STRING, STRING], INT, lastIndexOf),
    method('string_last_index_of_string_int', [STRING, STRING, INT], INT, lastIndexOf),
  ),
  fn('lowerAscii', method('string_lower_ascii', [STRING], STRING, lower)),
  fn('upperAscii', method('string_upper_ascii', [STRING], STRING, upper)),
  fn(
    'replace',
    method('string_replace_string_string', [STRING, STRING, STRING], STRING, replace),
    method('string_replace_string_string_int', [STRING, STRING, STRING, INT], STRING, replace),
  ),
  fn(
    'split',
    method('string_split_string', [STRING, STRING], listOf(STRING), split),
    method('string_split_string_int', [STRING, STRING, INT], listOf(STRING), split),
  ),
  fn(
    'substring',
    method('string_substring_int', [STRING, INT], STRING, substring),
    method('string_substring_int_int', [STRING, INT, INT], STRING, substring),
  ),
  fn('trim', method('string_trim', [STRING], STRING, trim)),
  fn(
    'join',
    method('list_join', [listOf(STRING)], STRING, join),
    method('list_join_string', [listOf(STRING), STRING], STRING, join),
  ),
  fn('strings.quote', overload('strings_quote', [STRING], STRING, quote)),
  fn('format', method('string_format', [STRING, listOf(DYN)], STRING, formatString)),
]
