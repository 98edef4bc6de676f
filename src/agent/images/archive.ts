/** Images in one tar file: an OCI image layout, or what `docker save` writes, old or new. */
import { randomBytes } from 'node:crypto'
import { createReadStream, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import type { ReadEntry } from 'tar'
import { type Blobs, digestOf } from './blobs.ts'
import { type Descriptor, INDEX_TYPES, readConfig, readManifest } from './manifest.ts'
import { readTar, writeEntry } from './read-tar.ts'
import { fullName } from './reference.ts'
import { decompressed } from './unpack.ts'

/** An image of an archive whose parts are in the blobs now. */
export interface ArchivedImage {
  /** Full names; none where the archive names it only by its digest. */
  readonly names: readonly string[]
  /** Digest of its manifest. */
  readonly digest: string
}

/** containerd and docker write an image's full name here; others only its tag. */
const NAMES = ['io.containerd.image.name', 'org.opencontainers.image.ref.name']

/** Takes the archive's images in; rejects with an `Error` that says why it is none. `staging` is an own folder. */
export async function readArchive(file: string, blobs: Blobs, staging: string): Promise<ArchivedImage[]> {
  const folder = join(staging, randomBytes(8).toString('hex'))
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  try {
    const parts = await spread(file, folder)
    const images = parts.has('index.json') ? await layout(parts, blobs) : await dockerArchive(parts, blobs)
    if (images.length === 0) throw new Error('it holds no image for this machine')
    return images
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Writes the archive's files out under numbers; resolves with their names. */
async function spread(file: string, folder: string): Promise<Map<string, string>> {
  const parts = new Map<string, string>()
  const links = new Map<string, string>()
  const take = (entry: ReadEntry) => {
    const path = posix.normalize(entry.path)
    if (entry.type === 'SymbolicLink' || entry.type === 'Link') {
      const target = entry.linkpath ?? ''
      links.set(path, posix.normalize(entry.type === 'Link' ? target : posix.join(dirname(path), target)))
    } else if (entry.type === 'File' || entry.type === 'OldFile') {
      const place = join(folder, String(parts.size))
      parts.set(path, place)
      writeEntry(entry, openSync(place, 'wx', 0o600))
    }
  }
  await readTar(await decompressed(createReadStream(file)), take)
  for (const [path, target] of links) {
    const found = parts.get(target)
    if (found) parts.set(path, found)
  }
  return parts
}

/** The full name of an image by what an archive calls it; undefined for a mere tag. */
const namedBy = (text: string | undefined): string | undefined =>
  text && /[/:]/.test(text) ? fullName(text) : undefined

async function layout(parts: ReadonlyMap<string, string>, blobs: Blobs): Promise<ArchivedImage[]> {
  const place = ({ digest }: Descriptor) => parts.get(`blobs/${digest.replace(':', '/')}`)
  const need = (each: Descriptor): string => {
    const found = place(each)
    if (!found) throw new Error(`blob ${each.digest} is missing in the archive`)
    return found
  }
  const keep = async (each: Descriptor) => {
    if (!blobs.has(each.digest)) await blobs.adopt(each, need(each))
  }
  /** The manifest for this machine below an entry; undefined where the archive holds another machine's only. */
  const resolve = (each: Descriptor): Descriptor | undefined => {
    if (!place(each)) return undefined
    if (!INDEX_TYPES.includes(each.mediaType ?? '')) return each
    const read = readManifest(readFileSync(need(each), 'utf8'))
    return 'next' in read ? resolve(read.next) : each
  }
  const { manifests = [] } = JSON.parse(readFileSync(parts.get('index.json')!, 'utf8')) as { manifests?: Descriptor[] }
  const images: ArchivedImage[] = []
  // Everything is read before anything is moved: images may share parts.
  const parted: Descriptor[] = []
  for (const entry of manifests) {
    const found = resolve(entry)
    if (!found) continue
    const read = readManifest(readFileSync(need(found), 'utf8'))
    if ('next' in read) continue
    const { manifest } = read
    readConfig(readFileSync(need(manifest.config), 'utf8'), manifest.layers.length)
    parted.push(found, manifest.config, ...manifest.layers)
    const names = NAMES.map(name => namedBy(entry.annotations?.[name])).filter(name => name !== undefined)
    images.push({ names: names.slice(0, 1), digest: found.digest })
  }
  for (const each of parted) await keep(each)
  return images
}

interface DockerEntry {
  readonly Config: string
  readonly RepoTags?: readonly string[] | null
  readonly Layers: readonly string[]
}

/** An old archive has no manifest: one is written of what it has. */
async function dockerArchive(parts: ReadonlyMap<string, string>, blobs: Blobs): Promise<ArchivedImage[]> {
  const list = parts.get('manifest.json')
  if (!list) throw new Error('it is neither an OCI image layout (index.json) nor a docker archive (manifest.json)')
  const images: ArchivedImage[] = []
  const taken = new Map<string, Descriptor>()
  for (const { Config, RepoTags, Layers } of JSON.parse(readFileSync(list, 'utf8')) as DockerEntry[]) {
    const stored = async (path: string, mediaType: string): Promise<Descriptor> => {
      const known = taken.get(path)
      if (known) return known
      const found = parts.get(posix.normalize(path))
      if (!found || !existsSync(found)) throw new Error(`${path} is missing in the archive`)
      const { digest, size } = await digestOf(found)
      if (!blobs.has(digest)) await blobs.adopt({ digest, size }, found)
      const descriptor = { mediaType, digest, size }
      taken.set(path, descriptor)
      return descriptor
    }
    const config = await stored(Config, 'application/vnd.oci.image.config.v1+json')
    readConfig(blobs.text(config.digest), Layers.length)
    const layers: Descriptor[] = []
    for (const path of Layers) layers.push(await stored(path, 'application/vnd.oci.image.layer.v1.tar'))
    const manifest = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json', config, layers }
    const digest = await blobs.put(Buffer.from(JSON.stringify(manifest)))
    const names = (RepoTags ?? []).map(namedBy).filter(name => name !== undefined)
    images.push({ names, digest })
  }
  return images
}
