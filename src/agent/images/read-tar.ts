/** Reads a tar file entry by entry. */
import { closeSync, writeSync } from 'node:fs'
import type { ReadEntry } from 'tar'

/**
 * Calls `take` for each entry, in order, with the text of the headers that stand before it; content that it does not
 * listen for is skipped. Rejects with its first error, naming the entry, or when the file is no whole tar file.
 */
export async function readTar(
  source: AsyncIterable<Uint8Array>,
  take: (entry: ReadEntry, headers: string) => void,
): Promise<void> {
  const { Parser } = await import('tar')
  let failure: Error | undefined
  let headers = ''
  const onReadEntry = (entry: ReadEntry) => {
    try {
      if (!failure) take(entry, headers)
    } catch (error) {
      failure ??= new Error(`entry ${JSON.stringify(entry.path)}: ${(error as Error).message}`, { cause: error })
    }
    headers = ''
    entry.resume()
  }
  const parser = new Parser({ strict: true, onReadEntry })
  parser.on('meta', (text: string) => {
    headers += text
  })
  await new Promise<void>((resolve, reject) => {
    parser.on('error', (error: Error) => reject(failure ?? error))
    parser.on('end', () => (failure ? reject(failure) : resolve()))
    void (async () => {
      for await (const chunk of source) {
        if (failure) throw failure
        if (!parser.write(chunk as Buffer)) await new Promise<void>(drained => parser.once('drain', () => drained()))
      }
      parser.end()
    })().catch(reject)
  })
}

/** Writes an entry's content to an open file; `finish` is called with it once all is written, then it is closed. */
export function writeEntry(entry: ReadEntry, file: number, finish: (file: number) => void = () => {}): void {
  let open = true
  const close = () => {
    if (open) closeSync(file)
    open = false
  }
  entry.on('data', chunk => {
    try {
      for (let at = 0; at < chunk.length; ) at += writeSync(file, chunk, at)
    } catch (error) {
      close()
      throw error
    }
  })
  entry.once('end', () => {
    try {
      finish(file)
    } finally {
      close()
    }
  })
}
