/**
 * Memory for large answers. A fresh buffer of this size costs more (page faults, collection) than the copying into it
 * and the encryption out of it together, so a few are kept and used again.
 */
export interface ChunkPool {
  /** A buffer of `CHUNK_SIZE` bytes with anything in it. */
  take(): Buffer
  /** Gives it back once nobody reads it any more. */
  give(chunk: Buffer): void
}

/** Large enough that framing is cheap, small enough that other requests get their turn in between. */
export const CHUNK_SIZE = 512 << 10

/** Makes a pool that keeps at most `kept` buffers. */
export function chunkPool(kept = 8): ChunkPool {
  const free: Buffer[] = []
  return {
    take: () => free.pop() ?? Buffer.allocUnsafeSlow(CHUNK_SIZE),
    give(chunk) {
      if (free.length < kept) free.push(chunk)
    },
  }
}
