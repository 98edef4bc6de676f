/** IPv4 addresses as numbers, for arithmetic on ranges. */

/** The number of an address in text; undefined for what is no IPv4 address. */
export function ipv4Number(text: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  if (!match) return undefined
  let number = 0
  for (const part of match.slice(1)) {
    if (Number(part) > 255 || (part.length > 1 && part.startsWith('0'))) return undefined
    number = number * 256 + Number(part)
  }
  return number
}

export const ipv4Text = (number: number) => [24, 16, 8, 0].map(shift => Math.floor(number / 2 ** shift) % 256).join('.')

/** First and last address of a network in CIDR notation. Throws for what is not one. */
export function ipv4Range(cidr: string): { first: number; last: number } {
  const [address = '', bits] = cidr.split('/')
  const number = ipv4Number(address)
  const prefix = Number(bits)
  if (number === undefined || bits === undefined || !Number.isInteger(prefix) || prefix < 0 || prefix > 32)
    throw new Error(
      `${JSON.stringify(cidr)} is not an IPv4 network: expected an address and a prefix such as 10.96.0.0/16`,
    )
  const size = 2 ** (32 - prefix)
  const first = Math.floor(number / size) * size
  return { first, last: first + size - 1 }
}
