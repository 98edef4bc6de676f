/** Makes images of files that are in memory (OCI image specification 1.1), and archives of them: a layout in a tar file. */
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { architecture } from './architecture.ts'
import { type TarEntry, tarArchive } from './tar.ts'

export interface ImageSpec {
  /** Full name, e.g. `tutti.dev/pause:1`. */
  readonly name: string
  /** As in an image's configuration: amd64, arm64, …; this machine's when absent. */
  readonly architecture?: string
  /** Lowest first. */
  readonly layers: readonly (readonly TarEntry[])[]
  /** The image's `config`: Entrypoint, Cmd, Env, User, WorkingDir, … */
  readonly config?: Readonly<Record<string, unknown>>
  /** Layers are compressed. */
  readonly gzip?: boolean
}

export interface OciDescriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

const digestOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
const json = (value: object) => Buffer.from(JSON.stringify(value))
const type = (part: string) => `application/vnd.oci.image.${part}`

/** An image's blobs by their digests, and what points at its manifest. The same image gives the same bytes. */
export function ociImage({ layers, config = {}, gzip = false, ...spec }: ImageSpec): {
  readonly blobs: ReadonlyMap<string, Buffer>
  readonly manifest: OciDescriptor
} {
  const blobs = new Map<string, Buffer>()
  const add = (mediaType: string, bytes: Buffer): OciDescriptor => {
    const digest = digestOf(bytes)
    blobs.set(digest, bytes)
    return { mediaType, digest, size: bytes.length }
  }
  const tars = layers.map(tarArchive)
  const descriptors = tars.map(bytes =>
    gzip ? add(type('layer.v1.tar+gzip'), gzipSync(bytes)) : add(type('layer.v1.tar'), bytes),
  )
  const settings = {
    architecture: spec.architecture ?? architecture(),
    os: 'linux',
    config,
    rootfs: { type: 'layers', diff_ids: tars.map(digestOf) },
  }
  const own = add(type('config.v1+json'), json(settings))
  const mediaType = type('manifest.v1+json')
  const manifest = add(mediaType, json({ schemaVersion: 2, mediaType, config: own, layers: descriptors }))
  return { blobs, manifest }
}

/** An archive with these images, as a file's content. */
export function ociArchive(...images: readonly ImageSpec[]): Buffer {
  const all = images.map(spec => ({ spec, ...ociImage(spec) }))
  const manifests = all.map(({ spec, manifest }) => ({
    ...manifest,
    platform: { architecture: spec.architecture ?? architecture(), os: 'linux' },
    annotations: {
      'io.containerd.image.name': spec.name,
      'org.opencontainers.image.ref.name': spec.name.slice(spec.name.lastIndexOf(':') + 1),
    },
  }))
  const blobs = new Map(all.flatMap(each => [...each.blobs]))
  return tarArchive([
    { name: 'oci-layout', bytes: '{"imageLayoutVersion":"1.0.0"}' },
    { name: 'index.json', bytes: json({ schemaVersion: 2, mediaType: type('index.v1+json'), manifests }) },
    { name: 'blobs/' },
    { name: 'blobs/sha256/' },
    ...[...blobs].map(([digest, bytes]) => ({ name: `blobs/${digest.replace(':', '/')}`, bytes })),
  ])
}
