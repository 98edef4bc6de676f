import { fail } from '../errors.ts'
import {
  CelList,
  CelMap,
  compareStrings,
  Duration,
  Timestamp,
  TypeValue,
  typeName,
  Uint,
  type Value,
} from '../values.ts'
import { formatDouble } from './number-text.ts'
import { formatDuration, formatTimestamp } from './timestamp-text.ts'

/**
 * `'%s has %d'.format([name, count])`: `%s`, `%d`, `%f`, `%e`, `%b`, `%x`, `%X`, `%o`, with a precision as in `%.2f`;
 * `%%` is a percent sign.
 */
export function formatString(text: string, args: CelList): string {
  let out = ''
  let next = 0
  for (let at = 0; at < text.length; ) {
    if (text[at] !== '%') {
      out += text[at++]
      continue
    }
    if (text[at + 1] === '%') {
      out += '%'
      at += 2
      continue
    }
    if (next >= args.size) return fail(`index ${next} out of range`)
    if (at + 1 >= text.length) return fail('unexpected end of string')
    const clause = clauseAt(text, at + 1)
    out += formatClause(clause, args.at(next++))
    at = clause.end
  }
  return out
}

/** A clause of a format that is known when the expression is compiled: its place among the arguments, and its verb. */
export interface FormatUse {
  readonly index: number
  readonly verb: string
}

/** The clauses of a format; fails as {@link formatString} does on a format that is none. */
export function formatUses(text: string, args: number): FormatUse[] {
  const uses: FormatUse[] = []
  for (let at = text.indexOf('%'); at >= 0; at = text.indexOf('%', at)) {
    if (text[at + 1] === '%') {
      at += 2
      continue
    }
    if (at + 1 >= text.length) return fail('unexpected end of string')
    if (uses.length >= args) return fail(`index ${uses.length} out of range`)
    const clause = clauseAt(text, at + 1)
    if (!VERBS[clause.verb])
      return fail(`could not parse formatting clause: unrecognized formatting clause "${clause.verb}"`)
    uses.push({ index: uses.length, verb: clause.verb })
    at = clause.end
  }
  return uses
}

/** What a verb may be used on, by name of the type, and how that is said. */
export const VERBS: Readonly<Record<string, { readonly types: readonly string[]; readonly only: string }>> = {
  s: {
    types:
      'list map int uint double bool string google.protobuf.Timestamp bytes google.protobuf.Duration type null_type'.split(
        ' ',
      ),
    only: 'string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps',
  },
  d: { types: ['int', 'uint'], only: 'decimal clause can only be used on integers' },
  f: { types: ['double'], only: 'fixed-point clause can only be used on doubles' },
  e: { types: ['double'], only: 'scientific clause can only be used on doubles' },
  b: { types: ['int', 'uint', 'bool'], only: 'only integers and bools can be formatted as binary' },
  x: {
    types: ['int', 'uint', 'string', 'bytes'],
    only: 'only integers, byte buffers, and strings can be formatted as hex',
  },
  X: {
    types: ['int', 'uint', 'string', 'bytes'],
    only: 'only integers, byte buffers, and strings can be formatted as hex',
  },
  o: { types: ['int', 'uint'], only: 'octal clause can only be used on integers' },
}

interface Clause {
  readonly verb: string
  readonly precision: number
  readonly end: number
}

const MAX_PRECISION = 100

function clauseAt(text: string, start: number): Clause {
  const match = /^(?:\.(\d*))?(.)?/s.exec(text.slice(start, start + 30)) as RegExpExecArray
  if (match[2] === undefined)
    return fail(
      'could not parse formatting clause: error while parsing precision: could not find end of precision specifier',
    )
  if (match[1] === '')
    return fail(
      'could not parse formatting clause: error while parsing precision: error while converting precision to integer: strconv.Atoi: parsing "": invalid syntax',
    )
  const precision = match[1] === undefined ? 6 : Math.min(Number(match[1]), MAX_PRECISION)
  return { verb: match[2], precision, end: start + match[0].length }
}

function formatClause({ verb, precision }: Clause, value: Value): string {
  switch (verb) {
    case 's':
      return asText(value)
    case 'd':
      return decimal(value)
    case 'f':
      return real(value, 'fixed-point', number => grouped(fixed(number, precision)))
    case 'e':
      return real(value, 'scientific', exponent)
    case 'b':
      return binary(value)
    case 'x':
      return hex(value)
    case 'X':
      return hex(value).toUpperCase()
    case 'o':
      return octal(value)
    default:
      return fail(`could not parse formatting clause: unrecognized formatting clause "${verb}"`)
  }
}

const wrong = (reason: string, value: Value): never =>
  fail(`error during formatting: ${reason}, was given ${typeName(value)}`)

const special = (value: number): string | undefined => {
  if (Number.isNaN(value)) return 'NaN'
  return Number.isFinite(value) ? undefined : value > 0 ? '∞' : '-∞'
}

/** Half-way values go to the even digit, as in Go; JavaScript rounds them up. */
function fixed(value: number, precision: number): string {
  const rounded = value.toFixed(precision)
  const half = Number.isInteger(value * 2 ** (precision + 1)) && Math.abs((value * 10 ** precision) % 1) === 0.5
  if (!half || !/[13579]$/.test(rounded)) return rounded
  return (Number(rounded) - Math.sign(value) * 10 ** -precision).toFixed(precision)
}

/** Thousands apart, as in English. */
function grouped(text: string): string {
  const [whole, fraction] = text.split('.') as [string, string | undefined]
  const apart = whole.replace(/\d(?=(?:\d{3})+$)/g, '$&,')
  return fraction === undefined ? apart : `${apart}.${fraction}`
}

const SUPERSCRIPT = '⁰¹²³⁴⁵⁶⁷⁸⁹'

/** `1.234500×10⁰³`. */
function exponent(value: number): string {
  const [mantissa, power] = value.toExponential(6).split('e') as [string, string]
  const digits = power.slice(1).padStart(2, '0')
  const raised = [...digits].map(digit => SUPERSCRIPT[Number(digit)]).join('')
  return `${mantissa}×10${power.startsWith('-') ? '⁻' : ''}${raised}`
}

const NUMBER_WORDS = new Set(['NaN', 'Infinity', '-Infinity'])

function real(value: Value, clause: string, show: (value: number) => string): string {
  const number = typeof value === 'string' && NUMBER_WORDS.has(value) ? Number(value) : value
  if (typeof number === 'number') return special(number) ?? show(number)
  return wrong(`${clause} clause can only be used on doubles`, value)
}

function decimal(value: Value): string {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Uint) return String(value.value)
  return wrong('decimal clause can only be used on integers', value)
}

function binary(value: Value): string {
  if (typeof value === 'boolean') return value ? '1' : '0'
  if (typeof value === 'bigint') return value.toString(2)
  if (value instanceof Uint) return value.value.toString(2)
  return wrong('only integers and bools can be formatted as binary', value)
}

function hex(value: Value): string {
  if (typeof value === 'bigint') return value.toString(16)
  if (value instanceof Uint) return value.value.toString(16)
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value
  if (!(bytes instanceof Uint8Array))
    return wrong('only integers, byte buffers, and strings can be formatted as hex', value)
  return [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('')
}

function octal(value: Value): string {
  if (typeof value === 'bigint') return value.toString(8)
  if (value instanceof Uint) return value.value.toString(8)
  return wrong('octal clause can only be used on integers', value)
}

const TEXT_TYPES = 'strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps'

function asText(value: Value): string {
  if (value === null) return 'null'
  if (typeof value === 'number') return formatDouble(value)
  if (typeof value !== 'object') return String(value)
  if (value instanceof Uint) return String(value.value)
  if (value instanceof Uint8Array) return new TextDecoder().decode(value)
  if (value instanceof Duration) return formatDuration(value.nanos)
  if (value instanceof Timestamp) return formatTimestamp(value.nanos, value.offset)
  if (value instanceof TypeValue) return value.type.name
  if (value instanceof CelList) return `[${[...value].map(nested).join(', ')}]`
  if (value instanceof CelMap) return mapText(value)
  return wrong(`string clause can only be used on ${TEXT_TYPES}`, value)
}

/** A value inside a list or a map: strings are quoted, times say what they are. */
function nested(value: Value): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (value instanceof Uint8Array) return `b${JSON.stringify(asText(value))}`
  if (typeof value === 'number') return special(value) ?? value.toFixed(6)
  if (value instanceof Duration) return `duration(${JSON.stringify(asText(value))})`
  if (value instanceof Timestamp) return `timestamp(${JSON.stringify(asText(value))})`
  const known = value === null || typeof value !== 'object' || value instanceof Uint || value instanceof TypeValue
  if (known || value instanceof CelList || value instanceof CelMap) return asText(value)
  return fail(`error during formatting: no formatting function for ${typeName(value)}`)
}

function mapText(map: CelMap): string {
  const entries = [...map.keys()].map(key => [nested(key), nested(map.find(key) as Value)] as const)
  entries.sort(([left], [right]) => compareStrings(left, right))
  return `{${entries.map(([key, value]) => `${key}:${value}`).join(', ')}}`
}
