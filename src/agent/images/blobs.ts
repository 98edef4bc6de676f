/** Bytes by their digest, in files: manifests, configurations, and layers until they are unpacked. */
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type Expected, verified } from './verified.ts'

export interface Blobs {
  has(digest: string): boolean
  /** Takes a stream in; what does not have this digest and size is refused with an `Error` and leaves nothing. */
  write(expected: Expected, source: AsyncIterable<Uint8Array>): Promise<void>
  /** Takes a file over, which is gone from its place then; refuses it as `write` does. */
  adopt(expected: Expected, file: string): Promise<void>
  /** Keeps bytes under their own digest, which is given back. */
  put(bytes: Uint8Array): Promise<string>
  /** Of small ones. */
  text(digest: string): string
  open(digest: string): Readable
  remove(digest: string): void
  /** Removes all but these. */
  keep(digests: ReadonlySet<string>): void
}

/** Makes the folder where it is missing. What an earlier life left unfinished is removed. */
export function openBlobs(folder: string): Blobs {
  const drafts = join(folder, 'drafts')
  rmSync(drafts, { recursive: true, force: true })
  mkdirSync(drafts, { recursive: true, mode: 0o700 })
  const place = (digest: string) => join(folder, digest.slice('sha256:'.length))
  const blobs: Blobs = {
    has: digest => existsSync(place(digest)),
    async write(expected, source) {
      const draft = join(drafts, randomBytes(8).toString('hex'))
      try {
        const file = await open(draft, 'wx', 0o600)
        try {
          await file.writeFile(verified(source, expected))
          await file.sync()
        } finally {
          await file.close()
        }
        renameSync(draft, place(expected.digest))
      } finally {
        rmSync(draft, { force: true })
      }
    },
    async adopt(expected, file) {
      for await (const _ of verified(createReadStream(file, { highWaterMark: 1 << 20 }), expected));
      renameSync(file, place(expected.digest))
    },
    async put(bytes) {
      const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
      if (!blobs.has(digest)) await blobs.write({ digest }, Readable.from([bytes]))
      return digest
    },
    text: digest => readFileSync(place(digest), 'utf8'),
    open: digest => createReadStream(place(digest)),
    remove: digest => rmSync(place(digest), { force: true }),
    keep(digests) {
      for (const { name } of readdirSync(folder, { withFileTypes: true }).filter(each => each.isFile())) {
        if (!digests.has(`sha256:${name}`)) rmSync(join(folder, name), { force: true })
      }
    },
  }
  return blobs
}

/** Digest and size of a file. */
export async function digestOf(file: string): Promise<{ readonly digest: string; readonly size: number }> {
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
    hash.update(chunk as Buffer)
    size += (chunk as Buffer).length
  }
  return { digest: `sha256:${hash.digest('hex')}`, size }
}
