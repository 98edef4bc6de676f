/** An IP address as a number: 32 bits for version 4, 128 for version 6. */
export interface IpAddress {
  readonly version: 4 | 6
  readonly bits: bigint
}

/** What is wrong with a text that is no address, in the words of Go's `netip`. */
export interface IpProblem {
  readonly problem: string
}

/** Reads `10.0.0.1` or `fe80::1`; zones are not for addresses of the API. */
export function parseIp(text: string): IpAddress | IpProblem {
  for (const character of text) {
    if (character === '.') return parseV4(text)
    if (character === ':') return parseV6(text)
    if (character === '%') return { problem: parseError(text, 'missing IPv6 address') }
  }
  return { problem: parseError(text, 'unable to parse IP') }
}

const parseError = (text: string, reason: string, at?: string): string =>
  `ParseAddr(${JSON.stringify(text)}): ${reason}${at === undefined ? '' : ` (at ${JSON.stringify(at)})`}`

function parseV4(text: string, inside = text): IpAddress | IpProblem {
  const bad = (reason: string, at?: string) => ({ problem: parseError(text, reason, at) })
  let bits = 0n
  let value = 0
  let digits = 0
  let fields = 0
  for (let at = 0; at < inside.length; at++) {
    const character = inside[at] as string
    if (character >= '0' && character <= '9') {
      if (digits === 1 && value === 0) return bad('IPv4 field has octet with leading zero')
      value = value * 10 + Number(character)
      digits++
      if (value > 255) return bad('IPv4 field has value >255')
    } else if (character === '.') {
      if (at === 0 || at === inside.length - 1 || inside[at - 1] === '.')
        return bad('IPv4 field must have at least one digit', inside.slice(at))
      if (fields === 3) return bad('IPv4 address too long')
      bits = (bits << 8n) | BigInt(value)
      fields++
      value = 0
      digits = 0
    } else return bad('unexpected character', inside.slice(at))
  }
  if (fields < 3) return bad('IPv4 address too short')
  return { version: 4, bits: (bits << 8n) | BigInt(value) }
}

function parseV6(text: string): IpAddress | IpProblem {
  const bad = (reason: string, at?: string) => ({ problem: parseError(text, reason, at) })
  const zone = text.indexOf('%')
  if (zone >= 0) return zone === text.length - 1 ? bad('zone must be a non-empty string') : { problem: 'zone' }
  const groups: bigint[] = []
  let gap = -1
  let rest = text
  if (rest.startsWith('::')) {
    gap = 0
    rest = rest.slice(2)
  }
  while (rest !== '' && groups.length < 8) {
    const hex = /^[0-9a-fA-F]*/.exec(rest)?.[0] as string
    if (hex.length > 4) return bad('each group must have 4 or less digits', rest)
    if (hex === '') return bad('each colon-separated field must have at least one digit', rest)
    if (rest[hex.length] === '.') return embedded(text, rest, groups, gap)
    groups.push(BigInt(`0x${hex}`))
    rest = rest.slice(hex.length)
    if (rest === '') break
    if (rest[0] !== ':') return bad('unexpected character, want colon', rest)
    if (rest === ':') return bad('colon must be followed by more characters', rest)
    rest = rest.slice(1)
    if (rest[0] !== ':') continue
    if (gap >= 0) return bad('multiple :: in address', rest)
    gap = groups.length
    rest = rest.slice(1)
  }
  return rest === '' ? assembled(text, groups, gap) : bad('trailing garbage after address', rest)
}

/** `::ffff:10.0.0.1`: an address of version 4 at the end of one of version 6. */
function embedded(text: string, rest: string, groups: readonly bigint[], gap: number): IpAddress | IpProblem {
  if (gap < 0 && groups.length !== 6)
    return { problem: parseError(text, 'embedded IPv4 address must replace the final 2 fields of the address', rest) }
  if (groups.length > 6)
    return { problem: parseError(text, 'too many hex fields to fit an embedded IPv4 at the end of the address', rest) }
  const inner = parseV4(text, rest)
  if ('problem' in inner) return inner
  return assembled(text, [...groups, inner.bits >> 16n, inner.bits & 0xffffn], gap)
}

function assembled(text: string, groups: readonly bigint[], gap: number): IpAddress | IpProblem {
  if (groups.length < 8 && gap < 0) return { problem: parseError(text, 'address string too short') }
  if (groups.length === 8 && gap >= 0)
    return { problem: parseError(text, 'the :: must expand to at least one field of zeros') }
  const zeros = new Array<bigint>(8 - groups.length).fill(0n)
  const all = gap < 0 ? groups : [...groups.slice(0, gap), ...zeros, ...groups.slice(gap)]
  return { version: 6, bits: all.reduce((bits, group) => (bits << 16n) | group, 0n) }
}

/** Whether an address of version 6 stands for one of version 4: `::ffff:a.b.c.d`. */
export const isMapped = ({ version, bits }: IpAddress): boolean => version === 6 && bits >> 32n === 0xffffn

/** An address as a socket of both families tells it, which writes one of version 4 as `::ffff:a.b.c.d`, plainly. */
export const unmapped = (address: string): string => address.replace(/^::ffff:(?=[\d.]+$)/, '')

/** The address in its shortest form. */
export function formatIp({ version, bits }: IpAddress): string {
  if (version === 4) return [24n, 16n, 8n, 0n].map(shift => (bits >> shift) & 0xffn).join('.')
  const groups = Array.from({ length: 8 }, (_, at) => Number((bits >> BigInt(112 - 16 * at)) & 0xffffn))
  const { start, length } = longestZeros(groups)
  const hex = (part: readonly number[]) => part.map(group => group.toString(16)).join(':')
  if (length < 2) return hex(groups)
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`
}

function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  for (let at = 0; at < groups.length; at++) {
    let end = at
    while (groups[end] === 0) end++
    if (end - at > best.length) best = { start: at, length: end - at }
    at = Math.max(at, end)
  }
  return best
}
