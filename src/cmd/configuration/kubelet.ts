/** The configuration of this machine's node, where there is one: `kubelet.yaml` and what stands beside it in its data folder. */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DEFAULT_SETTINGS, type NodeSettings } from '../../agent/settings.ts'
import { readConfiguration, type Shape } from '../../apiserver/configuration/read.ts'
import { loadCredentialProviders } from './credential-providers.ts'
import { about, durationOf, type Of, wrongAt } from './fields.ts'
import { EVICTION_SHAPE, type EvictionFields, evictionSettings } from './kubelet-eviction.ts'
import { IMAGE_SHAPE, type ImageFields, imageSettings } from './kubelet-images.ts'
import { SHUTDOWN_SHAPE, type ShutdownFields, shutdownSettings } from './kubelet-shutdown.ts'

export const GROUP = { group: 'kubelet.config.k8s.io', versions: ['v1beta1'] }
export const KIND = 'KubeletConfiguration'

interface KubeletConfiguration extends ImageFields, EvictionFields, ShutdownFields {
  readonly staticPodPath?: string
  readonly podPidsLimit?: number
  readonly allowedUnsafeSysctls?: readonly string[]
  readonly crashLoopBackOff?: { readonly maxContainerRestartPeriod?: string }
}

/** The fields that are built; any other is refused. */
const SHAPE: Shape = {
  staticPodPath: 'string',
  podPidsLimit: 'number',
  allowedUnsafeSysctls: ['string'],
  crashLoopBackOff: { maxContainerRestartPeriod: 'string' },
  ...IMAGE_SHAPE,
  ...EVICTION_SHAPE,
  ...SHUTDOWN_SHAPE,
}

/** Of docs/: what may stand in the file. */
const PAGE = 'pods.md'

const LEAST_MS = 1000
const MOST_MS = 300_000

export interface KubeletSettings {
  readonly settings: NodeSettings
  /** Folder of static pods. */
  readonly manifests: string
}

function restartOf(text: string): number {
  const ms = durationOf(text)
  if (ms < LEAST_MS || ms > MOST_MS) throw new Error(`${JSON.stringify(text)} must be from 1s to 300s`)
  return ms
}

function pidsOf(limit: number): number | undefined {
  if (!Number.isInteger(limit) || limit < -1 || limit === 0)
    throw new Error(`${limit} must be a number of processes, or -1 for any number`)
  return limit === -1 ? undefined : limit
}

function sysctlOf(name: string): string {
  if (!/^[a-z0-9]([-_a-z0-9]*[a-z0-9])?([./][a-z0-9]([-_a-z0-9]*[a-z0-9])?)*([./]?\*)?$/.test(name))
    throw new Error(`${JSON.stringify(name)} is no kernel parameter like net.core.somaxconn or net.core.*`)
  return name
}

/** Reads the files in `dataDir`, if there are any. Rejects with `UserError` that names it and the field that is wrong. */
export async function loadKubeletSettings(dataDir: string): Promise<KubeletSettings> {
  const file = join(dataDir, 'kubelet.yaml')
  const manifests = join(dataDir, 'manifests')
  const credentialProviders = await loadCredentialProviders(dataDir)
  if (!existsSync(file)) return { settings: { ...DEFAULT_SETTINGS, credentialProviders }, manifests }
  let read: KubeletConfiguration
  try {
    read = await readConfiguration<KubeletConfiguration>(readFileSync(file, 'utf8'), KIND, SHAPE, GROUP)
  } catch (cause) {
    throw wrongAt(file, cause, PAGE)
  }
  const { staticPodPath, podPidsLimit, allowedUnsafeSysctls = [], crashLoopBackOff } = read
  const of: Of = (field, make) => about(file, field, make, PAGE)
  const longest = crashLoopBackOff?.maxContainerRestartPeriod
  return {
    manifests: staticPodPath ? resolve(dataDir, staticPodPath) : manifests,
    settings: {
      podPids: podPidsLimit === undefined ? DEFAULT_SETTINGS.podPids : of('podPidsLimit', () => pidsOf(podPidsLimit)),
      unsafeSysctls: of('allowedUnsafeSysctls', () => allowedUnsafeSysctls.map(sysctlOf)),
      restartMaxMs: longest
        ? of('crashLoopBackOff.maxContainerRestartPeriod', () => restartOf(longest))
        : DEFAULT_SETTINGS.restartMaxMs,
      ...imageSettings(read, of),
      eviction: evictionSettings(read, of),
      shutdown: shutdownSettings(read, of),
      credentialProviders,
    },
  }
}
