/** Makes image archives (OCI image layout in a tar) of files that are in memory: one layer, one platform. */
import { createHash } from 'node:crypto'
import { type TarEntry, tarArchive } from './tar.ts'

export interface ImageSpec {
  /** Full name, e.g. `tutti.dev/pause:1`. */
  readonly name: string
  /** As in an image's configuration: amd64, arm64, … */
  readonly architecture: string
  readonly files: readonly TarEntry[]
  /** The image's `config`: Entrypoint, Cmd, Env, User, WorkingDir, … */
  readonly config: Readonly<Record<string, unknown>>
}

const digestOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/** The archive as a file's content; the same image gives the same bytes. */
export function ociArchive({ name, architecture, files, config }: ImageSpec): Buffer {
  const blobs: TarEntry[] = []
  const add = (mediaType: string, content: Uint8Array | object) => {
    const bytes = content instanceof Uint8Array ? content : Buffer.from(JSON.stringify(content))
    const digest = digestOf(bytes)
    blobs.push({ name: `blobs/sha256/${digest.slice(7)}`, bytes })
    return { mediaType, digest, size: bytes.length }
  }
  const type = (part: string) => `application/vnd.oci.image.${part}`
  const layer = add(type('layer.v1.tar'), tarArchive(files))
  const settings = add(type('config.v1+json'), {
    architecture,
    os: 'linux',
    config,
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
  })
  const manifest = add(type('manifest.v1+json'), {
    schemaVersion: 2,
    mediaType: type('manifest.v1+json'),
    config: settings,
    layers: [layer],
  })
  const tag = name.slice(name.lastIndexOf(':') + 1)
  const index = {
    schemaVersion: 2,
    mediaType: type('index.v1+json'),
    manifests: [
      {
        ...manifest,
        platform: { architecture, os: 'linux' },
        annotations: { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': tag },
      },
    ],
  }
  return tarArchive([
    { name: 'oci-layout', bytes: Buffer.from('{"imageLayoutVersion":"1.0.0"}') },
    { name: 'index.json', bytes: Buffer.from(JSON.stringify(index)) },
    { name: 'blobs/' },
    { name: 'blobs/sha256/' },
    ...blobs,
  ])
}
