import { isIPv4 } from 'node:net'

/** The 4 or 16 bytes of an IP address in text, in network order. Takes what `net.isIP` takes. */
export function ipBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  // URL parsing writes an embedded IPv4 part in hexadecimal and leaves only `::` to widen.
  const text = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [head = '', tail] = text.split('::')
  const groups = (part: string) => (part ? part.split(':').map(group => Number.parseInt(group, 16)) : [])
  const front = groups(head)
  const back = tail === undefined ? [] : groups(tail)
  const bytes = Buffer.alloc(16)
  front.forEach((group, at) => {
    bytes.writeUInt16BE(group, at * 2)
  })
  back.forEach((group, at) => {
    bytes.writeUInt16BE(group, 16 - (back.length - at) * 2)
  })
  return bytes
}
