const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
}
const PART = /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/y
const LIMIT = 2n ** 63n

/**
 * Reads a duration as Go writes it: `1h30m`, `-1.5s`, `100ms`.
 *
 * @returns nanoseconds, or undefined when it is none or does not fit into 64 bits.
 */
export function parseDuration(text: string): bigint | undefined {
  const signed = text.startsWith('-') || text.startsWith('+')
  const body = signed ? text.slice(1) : text
  if (body === '0') return 0n
  if (body === '') return undefined
  let nanos = 0n
  PART.lastIndex = 0
  while (PART.lastIndex < body.length) {
    const part = PART.exec(body)
    if (part === null || (!part[1] && !part[2])) return undefined
    const unit = UNITS[part[3] as string] as bigint
    nanos += BigInt(part[1] || '0') * unit + fraction(part[2] ?? '', unit)
    if (nanos > LIMIT) return undefined
  }
  if (text.startsWith('-')) return -nanos
  return nanos === LIMIT ? undefined : nanos
}

function fraction(digits: string, unit: bigint): bigint {
  const kept = digits.slice(0, 18)
  return kept === '' ? 0n : (BigInt(kept) * unit) / 10n ** BigInt(kept.length)
}
