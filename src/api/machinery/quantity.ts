/**
 * Quantities of resources: `100m`, `1.5Gi`, `2e3` (resource.Quantity of k8s.io/apimachinery). Exact: a quantity is a
 * whole number of billionths, finer ones are rounded up.
 */

export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent'

export interface Quantity {
  /** Billionths. */
  readonly nano: bigint
  /** How it is written. */
  readonly format: QuantityFormat
}

const NANO = 1_000_000_000n
const MAX_BINARY = (2n ** 63n - 1n) * NANO
const PATTERN = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/

const DECIMAL: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
}
const BINARY: Readonly<Record<string, number>> = { Ki: 1, Mi: 2, Gi: 3, Ti: 4, Pi: 5, Ei: 6 }
const SI = new Map(Object.entries(DECIMAL).map(([suffix, exponent]) => [exponent, suffix]))
const IEC = ['', ...Object.keys(BINARY)]
/** Nobody means more; a larger one would be a way to make the server count. */
const MAX_EXPONENT = 400

const FORMAT_WRONG = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
const SUFFIX_WRONG = "unable to parse quantity's suffix"

interface Parsed extends Quantity {
  readonly value: number
  readonly milli: number
}

const parsed = new Map<string, Parsed>()
const PARSED_LIMIT = 4096

/** Reads a quantity, or a plain number as JSON has it. Throws Error with Kubernetes' message. */
export function parseQuantity(text: string | number): Quantity {
  return lookUp(text)
}

function lookUp(input: string | number): Parsed {
  const text = typeof input === 'number' ? String(input) : input
  const known = parsed.get(text)
  if (known) return known
  const { nano, format } = read(text)
  const result = { nano, format, value: Number(roundUp(nano, NANO)), milli: Number(roundUp(nano, 1_000_000n)) }
  if (parsed.size >= PARSED_LIMIT) parsed.clear()
  parsed.set(text, result)
  return result
}

function read(text: string): Quantity {
  const match = PATTERN.exec(text)
  const [, sign, whole = '', fraction = '', suffix = ''] = match ?? []
  if (!match || text === '' || text === sign) throw new Error(FORMAT_WRONG)
  const { base, exponent, format } = interpret(suffix)
  if (whole === '' && fraction === '') throw new Error('unable to parse numeric part of quantity')
  let nano = BigInt(whole + fraction)
  let scale = 9 - fraction.length
  if (base === 10) scale += exponent
  else nano *= 1024n ** BigInt(exponent)
  nano = scale >= 0 ? nano * 10n ** BigInt(scale) : roundUp(nano, 10n ** BigInt(-scale))
  if (format === 'BinarySI' && nano > MAX_BINARY) nano = MAX_BINARY
  const decimal = format === 'BinarySI' && nano < NANO && nano > 0n
  return { nano: sign === '-' ? -nano : nano, format: decimal ? 'DecimalSI' : format }
}

function interpret(suffix: string): { base: number; exponent: number; format: QuantityFormat } {
  if (Object.hasOwn(DECIMAL, suffix)) return { base: 10, exponent: DECIMAL[suffix]!, format: 'DecimalSI' }
  if (Object.hasOwn(BINARY, suffix)) return { base: 2, exponent: BINARY[suffix]!, format: 'BinarySI' }
  const exponent = /^[eE]([-+]?[0-9]+)$/.exec(suffix)?.[1]
  if (exponent === undefined || Math.abs(Number(exponent)) > MAX_EXPONENT) throw new Error(SUFFIX_WRONG)
  return { base: 10, exponent: Number(exponent), format: 'DecimalExponent' }
}

/** Away from zero. */
function roundUp(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor
  if (quotient * divisor === value) return quotient
  return value < 0n ? quotient - 1n : quotient + 1n
}

/** What is wrong with a text as a quantity; undefined when nothing is. */
export function quantityProblem(text: string | number): string | undefined {
  try {
    lookUp(text)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/** Its canonical text: no fraction, the largest suffix that keeps it exact. */
export function formatQuantity({ nano, format }: Quantity): string {
  if (nano === 0n) return '0'
  const whole = nano % NANO === 0n
  const small = nano > -1024n * NANO && nano < 1024n * NANO
  if (format === 'BinarySI' && whole && !small) {
    let value = nano / NANO
    let power = 0
    for (; power < 6 && value % 1024n === 0n; power++) value /= 1024n
    return `${value}${IEC[power]}`
  }
  let value = nano
  let exponent = -9
  const top = format === 'DecimalExponent' ? Number.POSITIVE_INFINITY : 18
  for (; exponent < top && value % 1000n === 0n; exponent += 3) value /= 1000n
  if (format === 'DecimalExponent') return exponent === 0 ? String(value) : `${value}e${exponent}`
  return `${value}${SI.get(exponent)}`
}

/** The canonical text of a quantity's text. */
export const canonicalQuantity = (text: string | number): string => formatQuantity(lookUp(text))

const of = (quantity: Quantity | string | number): Quantity =>
  typeof quantity === 'object' ? quantity : lookUp(quantity)

/** Negative, 0 or positive, as for sort. */
export function compareQuantities(a: Quantity | string | number, b: Quantity | string | number): number {
  const [x, y] = [of(a).nano, of(b).nano]
  return x < y ? -1 : x > y ? 1 : 0
}

/** The sum, in the format of `a`, or of `b` where `a` is zero. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  return { nano: a.nano + b.nano, format: a.nano === 0n ? b.format : a.format }
}

/** The difference, in the format of `a`, or of `b` where `a` is zero. */
export function subtractQuantities(a: Quantity, b: Quantity): Quantity {
  return { nano: a.nano - b.nano, format: a.nano === 0n ? b.format : a.format }
}

export const negateQuantity = ({ nano, format }: Quantity): Quantity => ({ nano: -nano, format })

export const isZeroQuantity = (quantity: Quantity | string | number): boolean => of(quantity).nano === 0n

/** The whole number at or beyond it, away from zero; exact up to 2^53. */
export function quantityValue(quantity: Quantity | string | number): number {
  return typeof quantity === 'object' ? Number(roundUp(quantity.nano, NANO)) : lookUp(quantity).value
}

/** Thousandths, rounded away from zero; exact up to 2^53. */
export function milliValue(quantity: Quantity | string | number): number {
  return typeof quantity === 'object' ? Number(roundUp(quantity.nano, 1_000_000n)) : lookUp(quantity).milli
}

/** The quantity of a whole number. */
export const quantityOf = (value: number | bigint, format: QuantityFormat = 'DecimalSI'): Quantity => ({
  nano: BigInt(value) * NANO,
  format,
})

/** The quantity of a number of thousandths. */
export const quantityOfMilli = (value: number | bigint, format: QuantityFormat = 'DecimalSI'): Quantity => ({
  nano: BigInt(value) * 1_000_000n,
  format,
})
