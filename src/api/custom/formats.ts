/**
 * The formats of strings that Kubernetes checks in custom resources; others are ignored. What each accepts follows
 * k8s.io/kube-openapi `pkg/validation/strfmt`.
 */
import { ipFamily } from '../kinds/ip.ts'

type Check = (text: string) => boolean

const matches =
  (pattern: RegExp): Check =>
  text =>
    pattern.test(text)

/** Leading zeros are tolerated, as they were in early versions of Go. */
const isV4 = (text: string) => ipFamily(text.replace(/(^|\.)0+(?=\d)/g, '$1')) === 4
const isV6 = (text: string) => ipFamily(text) === 6

const HOSTNAME =
  /^([a-zA-Z0-9\p{S}\p{L}]((-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?)|([a-zA-Z0-9\p{S}\p{L}](([a-zA-Z0-9\-\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?)(\.)){1,}([a-zA-Z\p{L}]){2,63})$/u
const SHORT_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const LONG_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const CARD =
  /^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\d{3})\d{11})$/
const RGB =
  /^rgb\(\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*,\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*,\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*\)$/
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/
const GO_DURATION = /^[-+]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))*$/
const DURATION_PART = /(\d+)\s*([A-Za-zµ]+)/g
/** Units in words: the last of each may go on with other letters. */
const UNITS = [
  ['ns', 'nano'],
  ['us', 'µs', 'micro'],
  ['ms', 'milli'],
  ['s', 'sec'],
  ['m', 'min'],
  ['h', 'hr', 'hour'],
  ['d', 'day'],
  ['w', 'wk', 'week'],
]

function isHostname(text: string): boolean {
  return HOSTNAME.test(text) && Buffer.byteLength(text) <= 255 && text.split('.').every(part => part.length <= 63)
}

function isDuration(text: string): boolean {
  if (text === '0' || GO_DURATION.test(text)) return true
  for (const [, , word = ''] of text.matchAll(DURATION_PART)) {
    const unit = word.toLowerCase()
    if (UNITS.some(names => names.includes(unit) || unit.startsWith(names.at(-1)!))) return true
  }
  return false
}

function isDate(text: string): boolean {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text)
  if (!match) return false
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  const date = new Date(Date.UTC(2000, month - 1, day))
  date.setUTCFullYear(year, month - 1, day)
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day
}

function isDateTime(text: string): boolean {
  const [date = '', time] = text.toLowerCase().split('t')
  if (time === undefined || !isDate(date)) return false
  const match = /^(\d{2}):(\d{2}):(\d{2})(.\d+)?(z|([+-]\d{2}:\d{2}))$/.exec(time)
  return match !== null && match[1]! <= '23' && match[2]! <= '59' && match[3]! <= '59'
}

/** As an address in a mail's header: `a@b` or `Name <a@b>`. */
function isEmail(text: string): boolean {
  const match = /^(?:[^<>@]*<)?([^\s<>@]+)@([^\s<>@]+)>?$/.exec(text.trim())
  if (!match) return false
  const open = text.includes('<')
  return open === text.trimEnd().endsWith('>') && !/[\s,;:()[\]\\]/.test(match[1]!) && !/\.\.|^\.|\.$/.test(match[2]!)
}

/** An absolute URI or an absolute path. */
function isUri(text: string): boolean {
  if (text === '' || /[\s\p{Cc}]/u.test(text) || /%(?![0-9a-fA-F]{2})/.test(text)) return false
  if (text.startsWith('/')) return true
  const scheme = /^[a-zA-Z][a-zA-Z0-9+.-]*:(.*)$/.exec(text)
  if (!scheme) return false
  const rest = scheme[1]!
  if (!rest.startsWith('//')) return true
  const authority = /^\/\/([^/?#]*)/.exec(rest)![1]!
  return /^(?:[^@]*@)?(?:\[[0-9a-fA-F:.%]+\]|[^:[\]<>"\\^`{|}]*)(?::\d*)?$/.test(authority)
}

const isbnDigits = (text: string) => text.replace(/[\s-]/g, '')

function isIsbn10(text: string): boolean {
  const digits = isbnDigits(text)
  if (!/^(?:[0-9]{9}X|[0-9]{10})$/.test(digits)) return false
  const sum = [...digits].reduce((all, digit, at) => all + (at + 1) * (digit === 'X' ? 10 : Number(digit)), 0)
  return sum % 11 === 0
}

function isIsbn13(text: string): boolean {
  const digits = isbnDigits(text)
  if (!/^[0-9]{13}$/.test(digits)) return false
  return [...digits].reduce((all, digit, at) => all + Number(digit) * (at % 2 ? 3 : 1), 0) % 10 === 0
}

function isCreditCard(text: string): boolean {
  const digits = text.replace(/[^0-9]+/g, '')
  if (!CARD.test(digits)) return false
  const sum = [...digits].reverse().reduce((all, digit, at) => {
    const value = Number(digit) * (at % 2 ? 2 : 1)
    return all + (value > 9 ? value - 9 : value)
  }, 0)
  return sum % 10 === 0
}

function isCidr(text: string): boolean {
  const [address = '', bits = '', ...more] = text.split('/')
  if (more.length || !/^\d{1,3}$/.test(bits)) return false
  return isV4(address) ? Number(bits) <= 32 : isV6(address) && Number(bits) <= 128
}

const CHECKS: Readonly<Record<string, Check>> = {
  bsonobjectid: matches(/^[0-9a-fA-F]{24}$/),
  uri: isUri,
  email: isEmail,
  hostname: isHostname,
  ipv4: text => isV4(text) || (text.includes('.') && isV6(text)),
  ipv6: isV6,
  cidr: isCidr,
  mac: matches(
    /^(?:[0-9a-fA-F]{2}(?:([:-])[0-9a-fA-F]{2}(?:\1[0-9a-fA-F]{2}){4}(?:(?:\1[0-9a-fA-F]{2}){2}|(?:\1[0-9a-fA-F]{2}){14})?)|[0-9a-fA-F]{4}(?:\.[0-9a-fA-F]{4}){2}(?:\.[0-9a-fA-F]{4})?|[0-9a-fA-F]{4}(?:\.[0-9a-fA-F]{4}){9})$/,
  ),
  uuid: matches(/^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i),
  uuid3: matches(/^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i),
  uuid4: matches(/^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i),
  uuid5: matches(/^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i),
  isbn: text => isIsbn10(text) || isIsbn13(text),
  isbn10: isIsbn10,
  isbn13: isIsbn13,
  creditcard: isCreditCard,
  ssn: matches(/^\d{3}[- ]?\d{2}[- ]?\d{4}$/),
  hexcolor: matches(/^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/),
  rgbcolor: matches(RGB),
  byte: matches(BASE64),
  password: () => true,
  date: isDate,
  duration: isDuration,
  datetime: isDateTime,
  k8sshortname: text => text.length <= 63 && SHORT_NAME.test(text),
  k8slongname: text => text.length <= 253 && LONG_NAME.test(text),
}

const NUMBERS: Readonly<Record<string, readonly string[]>> = {
  integer: ['int32', 'int64'],
  number: ['float', 'double'],
}

/** Formats are the same with and without hyphens. */
const plain = (format: string) => format.replaceAll('-', '')

/** The format where it is one that is checked for values of these types, else ''. */
export function usableFormat(types: readonly string[], format: string | undefined): string {
  if (!format) return ''
  const type = types.length === 1 ? types[0]! : ''
  if (type === '' || type === 'string') return Object.hasOwn(CHECKS, plain(format)) ? format : ''
  return NUMBERS[type]?.includes(format) ? format : ''
}

/** Whether a text has a format. True for formats that are not known. */
export function hasFormat(text: string, format: string): boolean {
  const check = Object.hasOwn(CHECKS, plain(format)) ? CHECKS[plain(format)] : undefined
  return !check || check(text)
}

/** A format of strings, as opposed to one of numbers. */
export const isTextFormat = (format: string) => Object.hasOwn(CHECKS, plain(format))
