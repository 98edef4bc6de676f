/**
 * The whole body of an answer. Rejects with what `fail` makes of the reason as soon as it is longer than `most` bytes,
 * and ends its stream.
 */
export async function readBody(
  body: AsyncIterable<Uint8Array>,
  most: number,
  fail = (why: string) => new Error(why),
): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > most) throw fail(`the answer is longer than ${most} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
