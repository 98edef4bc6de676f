/** Messages on a TCP connection: each after its length in two bytes (RFC 1035, 4.2.2). Pure. */

/** A message as it is sent. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  return Buffer.concat([length, message])
}

/** The whole messages that were read, and what there is of the next. */
export function unframed(read: Buffer): { readonly messages: readonly Buffer[]; readonly rest: Buffer } {
  const messages: Buffer[] = []
  let rest = read
  while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
    const message = rest.subarray(2, 2 + rest.readUInt16BE(0))
    messages.push(message)
    rest = rest.subarray(2 + message.length)
  }
  return { messages, rest }
}
