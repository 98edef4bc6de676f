import { createHash } from 'node:crypto'

/** A value from which a half-written or mixed-up one can be told: `number`, padding, and a hash over both. */
export function sealed(key: string, number: number): Buffer {
  const body = `${key} ${number} ${'x'.repeat(500 + (number % 1000))}`
  return Buffer.from(`${body} ${createHash('sha256').update(body).digest('hex')}`)
}

/** The number of a value; throws where the value is not one that `sealed` made. */
export function unsealed(value: Buffer): { key: string; number: number } {
  const text = value.toString()
  const [key = '', number = ''] = text.split(' ', 2)
  if (!sealed(key, Number(number)).equals(value)) throw new Error(`half-written value: ${text.slice(0, 80)}…`)
  return { key, number: Number(number) }
}
