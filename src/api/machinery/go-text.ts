/** Numbers as Go prints them with %v: what stands in messages that clients match. */

/** A float64: the shortest text, with an exponent below 1e-4 and from 1e21 on. */
export function goNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return String(value)
  const size = Math.abs(value)
  if (size !== 0 && size < 1e-4) {
    const [mantissa = '', exponent = ''] = value.toExponential().split('e')
    return `${mantissa}e-${exponent.slice(1).padStart(2, '0')}`
  }
  return String(value)
}

/** A text in quotes, as %q. */
export const goQuoted = (value: string) => JSON.stringify(value)
