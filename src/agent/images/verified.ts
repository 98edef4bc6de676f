/** Bytes that must be what their digest says (OCI image specification, "Digests"). */
import { createHash } from 'node:crypto'

export interface Expected {
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string
  /** Bytes; not known when absent. */
  readonly size?: number
}

/** Passes a stream on; ends with an `Error` when it is longer or shorter than expected, or something else. */
export async function* verified(
  source: AsyncIterable<Uint8Array>,
  { digest, size }: Expected,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  let length = 0
  for await (const chunk of source) {
    length += chunk.length
    if (size !== undefined && length > size) throw new Error(`more than the ${size} bytes that were announced`)
    hash.update(chunk)
    yield chunk
  }
  if (size !== undefined && length !== size) throw new Error(`${length} bytes came, ${size} were announced`)
  const found = `sha256:${hash.digest('hex')}`
  if (found !== digest) throw new Error(`unexpected digest ${found}, expected ${digest}: failed precondition`)
}
