/** Images for tests, made of this machine's own programs: a layer is a list of entries, an archive an OCI image layout. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, realpathSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { Header, Pax } from 'tar'
import { thisPlatform } from './manifest.ts'

export interface FixtureEntry {
  readonly path: string
  /** A file's content; absent for others. */
  readonly content?: string | Uint8Array
  readonly link?: string
  readonly hardLink?: string
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
}

const BLOCK = 512

/** A tar file of these entries; those that end in `/` are folders. */
export function tarOf(entries: readonly FixtureEntry[]): Buffer {
  const parts: Buffer[] = []
  for (const { path, content = '', link, hardLink, mode, uid = 0, gid = 0 } of entries) {
    const body = Buffer.from(content as string)
    const type =
      link !== undefined ? 'SymbolicLink' : hardLink !== undefined ? 'Link' : path.endsWith('/') ? 'Directory' : 'File'
    const fields = {
      path,
      mode: mode ?? (type === 'Directory' ? 0o755 : 0o644),
      uid,
      gid,
      size: type === 'File' ? body.length : 0,
      mtime: new Date(1_600_000_000_000),
      type,
      linkpath: link ?? hardLink ?? '',
    } as const
    const header = new Header(fields)
    const block = Buffer.alloc(BLOCK)
    if (header.encode(block, 0)) parts.push(new Pax(fields).encode())
    parts.push(block)
    if (type === 'File') parts.push(body, Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK))
  }
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)])
}

/** Entries of programs of this machine with what they load, and the links that /bin and /lib may be. */
export function programs(...paths: readonly string[]): FixtureEntry[] {
  const files = new Map<string, FixtureEntry>()
  const add = (path: string, mode: number) =>
    files.set(path, { path: path.slice(1), content: readFileSync(realpathSync(path)), mode })
  for (const path of paths) {
    add(path, 0o755)
    for (const line of execFileSync('ldd', [path], { encoding: 'utf8' }).split('\n')) {
      const library = /(?:=> )?(\/\S+) \(/.exec(line)?.[1]
      if (library) add(library, 0o755)
    }
  }
  return [...files.values()]
}

export interface FixtureImage {
  readonly name: string
  readonly layers: readonly (readonly FixtureEntry[])[]
  readonly config?: object
  readonly architecture?: string
}

const digestOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/** An image's blobs by digest, and the descriptor of its manifest. */
export function blobsOf({ layers, config = {}, architecture = thisPlatform.architecture }: FixtureImage) {
  const blobs = new Map<string, Buffer>()
  const keep = (bytes: Buffer, mediaType: string) => {
    const digest = digestOf(bytes)
    blobs.set(digest, bytes)
    return { mediaType, digest, size: bytes.length }
  }
  const tars = layers.map(tarOf)
  const descriptors = tars.map(bytes => keep(gzipSync(bytes), 'application/vnd.oci.image.layer.v1.tar+gzip'))
  const settings = {
    os: thisPlatform.os,
    architecture,
    config,
    rootfs: { type: 'layers', diff_ids: tars.map(digestOf) },
  }
  const json = (value: object) => Buffer.from(JSON.stringify(value))
  const own = keep(json(settings), 'application/vnd.oci.image.config.v1+json')
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const manifest = keep(json({ schemaVersion: 2, mediaType, config: own, layers: descriptors }), mediaType)
  return { blobs, manifest }
}

/** An archive with these images. */
export function archiveOf(...images: readonly FixtureImage[]): Buffer {
  const all = images.map(image => ({ image, ...blobsOf(image) }))
  const manifests = all.map(({ image, manifest }) => ({
    ...manifest,
    annotations: { 'io.containerd.image.name': image.name },
  }))
  const blobs = new Map(all.flatMap(each => [...each.blobs]))
  return tarOf([
    { path: 'oci-layout', content: '{"imageLayoutVersion":"1.0.0"}' },
    { path: 'index.json', content: JSON.stringify({ schemaVersion: 2, manifests }) },
    ...[...blobs].map(([digest, content]) => ({ path: `blobs/${digest.replace(':', '/')}`, content })),
  ])
}
