/**
 * The images of a node without a container runtime: pulled or imported, unpacked into shared layers, and kept under
 * their names. The list is one file that is replaced whole; what it does not name is removed when next opened or pruned.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomic } from '../../lib/atomic-file.ts'
import type { Clock } from '../../lib/clock.ts'
import { readArchive } from './archive.ts'
import { openBlobs } from './blobs.ts'
import { type Descriptor, type ImageConfig, type Manifest, readConfig, readManifest } from './manifest.ts'
import { formatReference, fullName, nameOf, parseReference } from './reference.ts'
import { type Credentials, openRepository, type RegistryDeps } from './registry.ts'
import { type MountLayers, openSnapshots } from './snapshots.ts'
import { decompressed, type UnpackOptions, unpackLayer } from './unpack.ts'
import { verified } from './verified.ts'

/** An image that is there. */
export interface Image {
  /** Digest of its configuration: what it is, whatever its names. */
  readonly id: string
  /** `docker.io/library/nginx:1.27`. */
  readonly names: readonly string[]
  /** `docker.io/library/nginx@sha256:…`, of those that were pulled. */
  readonly digests: readonly string[]
  /** Bytes of its layers as they are stored in a registry. */
  readonly size: number
  readonly config: ImageConfig
}

export interface ImageStoreOptions extends RegistryDeps, UnpackOptions {
  readonly folder: string
  readonly clock: Clock
  /** How layers are put together while one is unpacked. */
  readonly mount: MountLayers
}

export interface ImageStore {
  /** By name (normalised here), digest name or id. */
  get(name: string): Image | undefined
  list(): readonly Image[]
  /** Pulls and unpacks. Pulls of one name with the same proof that come at once are one. Rejects with an `Error` in containerd's words. */
  pull(name: string, credentials: readonly Credentials[], signal: AbortSignal): Promise<Image>
  /** Takes in an archive's images; resolves with those. */
  import(file: string): Promise<readonly Image[]>
  /** Forgets a name, or all names of an id; false where there is none. Layers go with the last name. */
  remove(name: string): boolean
  /** Forgets the images that `used` (ids) does not hold; resolves with those. */
  prune(used: ReadonlySet<string>): readonly Image[]
  /** Folder from which `layers` are to be mounted. */
  readonly layersFolder: string
  /** Lowest first, relative to `layersFolder`. */
  layers(image: Image): readonly string[]
}

/** One line of the list. */
interface Entry {
  readonly manifest: string
  readonly names: readonly string[]
  readonly digests: readonly string[]
}

/** Layers of one image that are fetched at once. */
const FETCHES = 3

export function openImageStore(options: ImageStoreOptions): ImageStore {
  const { folder } = options
  const blobs = openBlobs(join(folder, 'blobs'))
  const snapshots = openSnapshots(join(folder, 'layers'), options.mount)
  const staging = join(folder, 'staging')
  rmSync(staging, { recursive: true, force: true })
  mkdirSync(staging, { recursive: true, mode: 0o700 })
  const file = join(folder, 'images.json')
  const entries = new Map<string, Entry>()
  const images = new Map<string, Image & { readonly manifest: Manifest }>()
  const pulls = new Map<string, Promise<Image>>()
  let imports = 0

  const read = (manifest: string): Manifest => {
    const found = readManifest(blobs.text(manifest))
    if ('next' in found) throw new Error(`${manifest} is an index`)
    return found.manifest
  }
  const know = (id: string, entry: Entry) => {
    const manifest = read(entry.manifest)
    const size = manifest.layers.reduce((sum, layer) => sum + layer.size, 0)
    const config = readConfig(blobs.text(manifest.config.digest), manifest.layers.length)
    entries.set(id, entry)
    images.set(id, { id, names: entry.names, digests: entry.digests, size, config, manifest })
  }
  const save = () => writeFileAtomic(file, JSON.stringify(Object.fromEntries(entries), undefined, 1))
  const forget = (id: string) => {
    entries.delete(id)
    images.delete(id)
  }

  if (existsSync(file)) {
    for (const [id, entry] of Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, Entry>)) {
      // An image whose parts were damaged or removed by hand is pulled again when it is wanted.
      try {
        know(id, entry)
        if (!snapshots.has(images.get(id)!.config.rootfs.diff_ids)) forget(id)
      } catch {
        forget(id)
      }
    }
  }

  /** Unpacks an image whose parts are in the blobs, and notes its names. */
  async function add(manifest: string, names: readonly string[], digests: readonly string[]): Promise<Image> {
    const parts = read(manifest)
    const { digest } = parts.config
    const config = readConfig(blobs.text(digest), parts.layers.length)
    await snapshots.prepare(config.rootfs.diff_ids, async (at, root) => {
      const layer = await decompressed(blobs.open(parts.layers[at]!.digest))
      await unpackLayer(verified(layer, { digest: config.rootfs.diff_ids[at]! }), root, options)
    })
    const known = entries.get(digest)
    for (const [id, entry] of entries) {
      // A name belongs to one image.
      const left = entry.names.filter(each => !names.includes(each))
      if (id !== digest && left.length < entry.names.length) {
        if (left.length + entry.digests.length === 0) forget(id)
        else know(id, { ...entry, names: left })
      }
    }
    know(digest, {
      manifest,
      names: [...new Set([...(known?.names ?? []), ...names])],
      digests: [...new Set([...(known?.digests ?? []), ...digests])],
    })
    save()
    return images.get(digest)!
  }

  async function pull(name: string, credentials: readonly Credentials[], signal: AbortSignal): Promise<Image> {
    const reference = parseReference(name)
    const full = formatReference(reference)
    const repository = openRepository(options, reference, credentials, signal)
    const manifestOf = async (from: string): Promise<string> => {
      const bytes = await repository.manifest(from)
      const digest = await blobs.put(bytes)
      if (from.startsWith('sha256:') && from !== digest) {
        blobs.remove(digest)
        throw new Error(`unexpected digest ${digest} of manifest ${from}`)
      }
      return digest
    }
    let root: string
    try {
      root = await manifestOf(reference.digest ?? reference.tag!)
    } catch (error) {
      throw new Error(
        `failed to pull and unpack image "${full}": failed to resolve reference "${full}": ${text(error)}`,
      )
    }
    try {
      let digest = root
      let found = readManifest(blobs.text(digest))
      for (let depth = 0; 'next' in found; depth++) {
        if (depth > 3) throw new Error('an index of indexes without end')
        digest = await manifestOf(found.next.digest)
        found = readManifest(blobs.text(digest))
      }
      await fetchParts(found.manifest, repository)
      const names = reference.tag && !reference.digest ? [full] : []
      return await add(digest, names, [`${nameOf(reference)}@${root}`])
    } catch (error) {
      throw new Error(`failed to pull and unpack image "${full}": ${text(error)}${advice(error)}`, { cause: error })
    }
  }
  async function fetchParts(manifest: Manifest, repository: ReturnType<typeof openRepository>) {
    const fetch = async (part: Descriptor) => {
      if (blobs.has(part.digest)) return
      try {
        await blobs.write(part, await repository.blob(part.digest))
      } catch (error) {
        throw new Error(`failed to copy ${part.digest}: ${text(error)}`, { cause: error })
      }
    }
    await fetch(manifest.config)
    const config = readConfig(blobs.text(manifest.config.digest), manifest.layers.length)
    if (snapshots.has(config.rootfs.diff_ids)) return
    const left = [...manifest.layers]
    const worker = async () => {
      for (let part = left.shift(); part; part = left.shift()) await fetch(part)
    }
    await Promise.all(Array.from({ length: FETCHES }, worker))
  }

  const store: ImageStore = {
    get(name) {
      if (images.has(name)) return images.get(name)
      const full = fullName(name)
      if (full === undefined) return undefined
      return [...images.values()].find(each => each.names.includes(full) || each.digests.includes(full))
    },
    list: () => [...images.values()],
    pull(name, credentials, signal) {
      // What one may have is not for all who ask.
      const key = JSON.stringify([formatReference(parseReference(name)), credentials])
      let running = pulls.get(key)
      if (!running) {
        running = pull(name, credentials, signal).finally(() => {
          pulls.delete(key)
          sweep()
        })
        pulls.set(key, running)
      }
      return running
    },
    async import(archive) {
      imports++
      try {
        const result: Image[] = []
        for (const { names, digest } of await readArchive(archive, blobs, staging)) {
          const digests = names.map(name => `${nameOf(parseReference(name))}@${digest}`)
          result.push(await add(digest, names, digests))
        }
        return result
      } catch (error) {
        throw new Error(`${text(error)}${advice(error)}`, { cause: error })
      } finally {
        imports--
        sweep()
      }
    },
    remove(name) {
      const found = store.get(name)
      if (!found) return false
      const full = images.has(name) ? undefined : formatReference(parseReference(name))
      const names = full === undefined ? [] : found.names.filter(each => each !== full)
      if (names.length > 0) know(found.id, { ...entries.get(found.id)!, names })
      else forget(found.id)
      save()
      sweep()
      return true
    },
    prune(used) {
      const gone = [...images.values()].filter(each => !used.has(each.id))
      for (const { id } of gone) forget(id)
      if (gone.length > 0) save()
      sweep()
      return gone
    },
    layersFolder: snapshots.folder,
    layers: ({ config }) => snapshots.paths(config.rootfs.diff_ids),
  }
  /** Removes what no image needs: layers, and blobs, of which an unpacked image keeps its two small ones only. */
  const sweep = () => {
    if (pulls.size + imports > 0) return
    snapshots.prune([...images.values()].map(each => each.config.rootfs.diff_ids))
    blobs.keep(
      new Set(
        [...images.values()]
          .map(each => each.manifest.config.digest)
          .concat([...entries.values()].map(each => each.manifest)),
      ),
    )
  }
  /** What to do where the disk is full; '' for any other failure. */
  const advice = (error: unknown) =>
    isOfFullDisk(error)
      ? `. Make room on the disk of ${folder}, or remove images that nothing runs: tutti image prune`
      : ''
  sweep()
  return store
}

function isOfFullDisk(error: unknown): boolean {
  const { code, cause } = error as NodeJS.ErrnoException
  return code === 'ENOSPC' || code === 'EDQUOT' || (cause !== undefined && isOfFullDisk(cause))
}

const text = (error: unknown) => (error instanceof Error ? error.message : String(error))
