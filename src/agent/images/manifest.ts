/** What an image consists of (OCI image specification 1.1, and Docker's schema 2, which differs in its media types). */
import { architecture } from '../../lib/architecture.ts'

/** Points at bytes by their digest. */
export interface Descriptor {
  readonly mediaType?: string
  readonly digest: string
  /** Bytes. */
  readonly size: number
  readonly platform?: { readonly os?: string; readonly architecture?: string; readonly variant?: string }
  readonly annotations?: Readonly<Record<string, string>>
}

export interface Manifest {
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
}

/** An image's own configuration, as far as it says how a container is started. */
export interface ImageConfig {
  readonly os?: string
  readonly architecture?: string
  readonly config?: {
    readonly User?: string
    readonly Env?: readonly string[]
    readonly Entrypoint?: readonly string[] | null
    readonly Cmd?: readonly string[] | null
    readonly WorkingDir?: string
    readonly StopSignal?: string
    readonly Volumes?: Readonly<Record<string, unknown>> | null
  }
  readonly rootfs: { readonly diff_ids: readonly string[] }
}

export const INDEX_TYPES: readonly string[] = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
]
export const MANIFEST_TYPES: readonly string[] = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]

/** This machine in the words of images. */
export const thisPlatform = {
  os: 'linux',
  architecture: architecture(),
}

const DIGEST = /^sha256:[0-9a-f]{64}$/

const wrong = (what: string) => new Error(`not an image: ${what}`)

function descriptor(value: unknown, field: string): Descriptor {
  const { digest, size } = (value ?? {}) as Partial<Descriptor>
  if (typeof digest !== 'string' || !DIGEST.test(digest)) throw wrong(`${field}.digest is ${JSON.stringify(digest)}`)
  if (typeof size !== 'number' || !(size >= 0)) throw wrong(`${field}.size is ${JSON.stringify(size)}`)
  return value as Descriptor
}

/** What a manifest's or index' bytes say: the manifest, or for an index the descriptor of this machine's own. */
export function readManifest(text: string): { readonly manifest: Manifest } | { readonly next: Descriptor } {
  const value = JSON.parse(text) as { manifests?: unknown; config?: unknown; layers?: unknown; schemaVersion?: unknown }
  if (Array.isArray(value.manifests)) {
    const all = value.manifests.map((each, at) => descriptor(each, `manifests[${at}]`))
    const { os, architecture } = thisPlatform
    const fits = all.filter(
      each => !each.platform || (each.platform.os === os && each.platform.architecture === architecture),
    )
    const [next] = fits.sort((a, b) => Number(a.platform === undefined) - Number(b.platform === undefined))
    if (next) return { next }
    const offered = all.map(each => `${each.platform?.os}/${each.platform?.architecture}`)
    throw new Error(`no match for platform in manifest: it is for ${offered.join(', ')}, this is ${os}/${architecture}`)
  }
  if (value.schemaVersion !== 2) throw wrong(`schemaVersion is ${JSON.stringify(value.schemaVersion)}, expected 2`)
  if (!Array.isArray(value.layers)) throw wrong('it has no layers')
  const layers = value.layers.map((each, at) => descriptor(each, `layers[${at}]`))
  return { manifest: { config: descriptor(value.config, 'config'), layers } }
}

/** Checks a configuration against its manifest and this machine. */
export function readConfig(text: string, layers: number): ImageConfig {
  const config = JSON.parse(text) as ImageConfig
  const diffs = config.rootfs?.diff_ids
  if (!Array.isArray(diffs) || !diffs.every(each => typeof each === 'string' && DIGEST.test(each))) {
    throw wrong('its configuration has no rootfs.diff_ids')
  }
  if (diffs.length !== layers) throw wrong(`${layers} layers, but ${diffs.length} in its configuration`)
  const { os = thisPlatform.os, architecture = thisPlatform.architecture } = config
  if (os !== thisPlatform.os || architecture !== thisPlatform.architecture) {
    throw new Error(
      `no match for platform in manifest: it is for ${os}/${architecture}, this is ${thisPlatform.os}/${thisPlatform.architecture}`,
    )
  }
  return config
}
