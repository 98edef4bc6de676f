/**
 * Applies a layer to a folder (OCI image specification, "Image Layer Filesystem Changeset"): entries replace what is
 * there, `.wh.NAME` removes NAME, `.wh..wh..opq` empties its folder of what earlier layers put there.
 */
import {
  chmodSync,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import type { ReadEntry } from 'tar'
import { capabilityIn } from './capability.ts'
import { readTar, writeEntry } from './read-tar.ts'
import { lookAt, resolveIn } from './rooted.ts'

const WHITEOUT = '.wh.'
/** Each takes time in which nothing else goes on; images have a few. */
const MOST_CAPABILITIES = 64
const OPAQUE = '.wh..wh..opq'

export interface UnpackOptions {
  /** Owners are set; false where there is one user only (a user namespace without subordinate ids). */
  readonly owners: boolean
  /** Gives an open file its capabilities; absent: they are left out. */
  readonly setCapability?: (file: number, value: Buffer) => void
}

/** The layer's tar file of its stored form, by its first bytes: as it is, gzip or zstd. */
export async function decompressed(source: Readable): Promise<Readable> {
  const first = await new Promise<Buffer>((resolve, reject) => {
    const look = () => {
      const chunk = source.read() as Buffer | null
      if (chunk === null) return void source.once('readable', look)
      source.unshift(chunk)
      resolve(chunk)
    }
    source.once('error', reject).once('end', () => resolve(Buffer.alloc(0)))
    look()
  })
  const through =
    first[0] === 0x1f && first[1] === 0x8b
      ? createGunzip()
      : first.length >= 4 && first.readUInt32LE(0) === 0xfd2fb528
        ? createZstdDecompress()
        : undefined
  if (!through) return source
  source.once('error', error => through.destroy(error))
  through.once('close', () => source.destroy())
  return source.pipe(through)
}

/**
 * Writes a layer into `root`, of which nothing outside is ever touched. Rejects with an `Error` that names the entry.
 * Devices are left out: a container has its own /dev, and may make none.
 */
export async function unpackLayer(
  source: AsyncIterable<Uint8Array>,
  root: string,
  options: UnpackOptions,
): Promise<void> {
  const apply = createApplier(root, options)
  await readTar(source, apply.entry)
  apply.end()
}

function createApplier(root: string, { owners, setCapability }: UnpackOptions) {
  let withCapabilities = 0
  /** What this layer itself wrote: an opaque mark does not remove it. */
  const own = new Set<string>()
  /** Folders' times are set when nothing is put into them any more. */
  const times: { path: string; mtime: Date }[] = []

  const parentOf = (path: string): string => {
    let at = root
    for (const part of dirname(path).split('/')) {
      if (part === '..') throw new Error('a path must not contain ".."')
      if (part === '' || part === '.') continue
      let next = join(at, part)
      let found = lookAt(next)
      if (found?.isSymbolicLink()) {
        next = resolveIn(root, next.slice(root.length))
        found = lookAt(next)
      }
      if (!found) mkdirSync(next, { recursive: true, mode: 0o755 })
      else if (!found.isDirectory()) {
        rmSync(next)
        mkdirSync(next, { mode: 0o755 })
      }
      at = next
    }
    return at
  }
  const place = (path: string): string => {
    const name = basename(path)
    const parent = parentOf(path)
    if (name === '..') throw new Error('a path must not contain ".."')
    return name === '' || name === '.' ? root : join(parent, name)
  }
  const empty = (folder: string) => {
    for (const name of lookAt(folder)?.isDirectory() ? readdirSync(folder) : []) {
      const path = join(folder, name)
      if (!own.has(path)) rmSync(path, { recursive: true, force: true })
    }
  }
  const clear = (path: string) => rmSync(path, { recursive: true, force: true })
  /** Makes something that is no folder, in the place of what is there: seldom is there something. */
  function make<T>(path: string, how: () => T): T {
    try {
      return how()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      clear(path)
      return how()
    }
  }

  function give({ uid = 0, gid = 0 }: ReadEntry, chown: (uid: number, gid: number) => void) {
    if (!owners) return
    try {
      chown(uid, gid)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error
      throw new Error(`it belongs to ${uid}:${gid}, and the subordinate ids that Tutti has do not reach so far`)
    }
  }

  function file(entry: ReadEntry, path: string, capability: Buffer | undefined) {
    if (capability && ++withCapabilities > MOST_CAPABILITIES)
      throw new Error(`more than ${MOST_CAPABILITIES} files of one layer have capabilities`)
    const handle = make(path, () => openSync(path, 'wx', 0o600))
    writeEntry(entry, handle, file => {
      give(entry, (uid, gid) => fchownSync(file, uid, gid))
      fchmodSync(file, (entry.mode ?? 0o644) & 0o7777)
      // After the owner: with a new one, they are gone.
      if (capability) setCapability?.(file, capability)
      if (entry.mtime) futimesSync(file, entry.mtime, entry.mtime)
    })
  }

  return {
    entry(entry: ReadEntry, headers: string) {
      const trimmed = entry.path.replace(/\/+$/, '')
      const name = basename(trimmed)
      if (name === OPAQUE) return empty(parentOf(trimmed))
      if (name.startsWith(WHITEOUT)) {
        const gone = name.slice(WHITEOUT.length)
        if (gone === '' || gone === '.' || gone === '..') throw new Error('it removes nothing that could be')
        return clear(join(parentOf(trimmed), gone))
      }
      const path = place(trimmed)
      const { type, linkpath = '', mtime, mode = 0o755 } = entry
      own.add(path)
      switch (type) {
        case 'File':
        case 'OldFile':
        case 'ContiguousFile':
          return file(entry, path, capabilityIn(headers))
        case 'Directory':
        case 'GNUDumpDir':
          if (!lookAt(path)?.isDirectory()) {
            clear(path)
            mkdirSync(path)
          }
          give(entry, (uid, gid) => lchownSync(path, uid, gid))
          chmodSync(path, mode & 0o7777)
          if (mtime) times.push({ path, mtime })
          return
        case 'SymbolicLink':
          make(path, () => symlinkSync(linkpath, path))
          give(entry, (uid, gid) => lchownSync(path, uid, gid))
          if (mtime) lutimesSync(path, mtime, mtime)
          return
        case 'Link': {
          const target = resolveIn(root, linkpath, false)
          if (target === path) return
          return make(path, () => linkSync(target, path))
        }
        case 'CharacterDevice':
        case 'BlockDevice':
        case 'FIFO':
          own.delete(path)
          return
        default:
          throw new Error(`entries of type ${type} are not known`)
      }
    },
    end() {
      for (const { path, mtime } of times) if (lookAt(path)?.isDirectory()) lutimesSync(path, mtime, mtime)
    },
  }
}
