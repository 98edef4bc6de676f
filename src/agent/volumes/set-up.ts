/** All volumes of a pod: set up before its containers, refreshed when their objects change, undone at its end. */
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Container, Pod, Volume } from '../../api/generated/types/core-v1.ts'
import { removeTree } from '../../lib/mounts.ts'
import { ownIds } from '../../lib/user-namespace.ts'
import { idsProblem } from '../known-ids.ts'
import { ConfigError, expand } from '../pod/env.ts'
import type { Device, Mount } from '../runtimes/runtime.ts'
import { volumeTypes } from './all.ts'
import { type ClaimSource, named } from './claims.ts'
import { safePath } from './payload.ts'
import { prepareSubPath } from './sub-path.ts'
import {
  type ImageSource,
  type VolumeContext,
  VolumeError,
  type VolumeServices,
  type VolumeSpec,
  type VolumeType,
} from './volume.ts'

const VOLUMES = 'volumes'
/** As the kubelet calls it. */
const SUB_PATHS = 'volume-subpaths'

export interface PodVolumes {
  /** Makes them all; throws `VolumeError` that names the first that cannot be. */
  setUp(): Promise<void>
  /** Makes those anew whose content follows objects. */
  refresh(pod: Pod): Promise<void>
  /** Volumes of this claim that are in use take the size that they have by now. */
  expand(pod: Pod, claimName: string): Promise<void>
  /** Mounts of a container, in their order. `env` is for subPathExpr. Rejects with `ConfigError`. */
  mountsOf(container: Container, env: Readonly<Record<string, string>>, images: ImageSource): Promise<Mount[]>
  /** Devices of a container: volumes with `volumeMode: Block`. Throws `ConfigError`. */
  devicesOf(container: Container): Device[]
  /** Where a volume is on this machine; undefined where it is not made. */
  pathOf(name: string): string | undefined
}

export interface PodVolumesDeps extends Omit<VolumeContext, 'pod' | 'directory'> {
  readonly claims: ClaimSource
}

/** A volume that is ready for containers. */
interface Ready {
  readonly spec: VolumeSpec
  readonly type: VolumeType
  readonly path: string
}

const typeOf = ({ source }: VolumeSpec): VolumeType => {
  const type = volumeTypes.find(each => source[each.field] !== undefined)
  if (type) return type
  const known: readonly string[] = volumeTypes.map(each => each.field)
  const kinds = Object.entries(source).filter(([, value]) => typeof value === 'object' && !Array.isArray(value))
  const field = kinds.map(([key]) => key).find(key => !['capacity', 'claimRef', 'nodeAffinity'].includes(key))
  throw new VolumeError(`volume type ${field ?? 'none'} is not supported by this node, which has ${known.join(', ')}`)
}

const isBlock = ({ bound }: VolumeSpec) => bound?.volume.spec?.volumeMode === 'Block'

/** Why volumes cannot be given to the pod's group; undefined: they can. */
function groupProblem({ spec }: Pod): string | undefined {
  const { fsGroup } = spec?.securityContext ?? {}
  return fsGroup === undefined ? undefined : idsProblem({ uid: 0, gid: fsGroup, groups: [] }, ownIds())
}

/** `directory` is the pod's folder; volumes live in `volumes/<type>/<name>` of it. */
export function createPodVolumes(pod: Pod, directory: string, deps: PodVolumesDeps): PodVolumes {
  const volumes = pod.spec?.volumes ?? []
  const ready = new Map<string, Ready>()
  let turn: Promise<void> = Promise.resolve()

  async function make(volume: Volume, latest: Pod) {
    const known = ready.get(volume.name)
    const spec = known?.spec ?? (await deps.claims.resolve(latest, volume))
    try {
      const type = known?.type ?? typeOf(spec)
      const context = { ...deps, pod: latest, directory: join(directory, VOLUMES, type.folder, spec.name) }
      if (isBlock(spec) && !type.map) throw new VolumeError(`volume type ${type.field} has no volumeMode Block`)
      const path = isBlock(spec) ? await type.map!(spec, context) : await type.setUp(spec, context)
      ready.set(volume.name, { spec, type, path })
    } catch (error) {
      const problem = error instanceof VolumeError ? error : new VolumeError((error as Error).message, { cause: error })
      throw named(spec.name, problem)
    }
  }
  /** One pass over the volumes at a time: two would take each other's files for remains. */
  function inTurn(work: () => Promise<void>): Promise<void> {
    turn = turn.then(work, work)
    return turn
  }
  /** All that can be; rejects with what kept the first of the others from it. */
  async function makeAnew(latest: Pod) {
    const live = volumes.filter(volume => ready.get(volume.name)?.type.live)
    const problems: unknown[] = []
    for (const volume of live) await make(volume, latest).catch(error => problems.push(error))
    if (problems.length > 0) throw problems[0]
  }
  const need = (name: string, container: Container, what: string): Ready => {
    const found = ready.get(name)
    if (found) return found
    throw new ConfigError(
      `cannot find volume ${JSON.stringify(name)} to ${what} into container ${JSON.stringify(container.name)}`,
    )
  }
  async function hostPath(path: string, sub: string, container: Container, index: number): Promise<string> {
    if (!sub) return path
    const { name } = container.volumeMounts![index]!
    return subPathOf(name, container, () =>
      prepareSubPath(path, safePath(sub), join(directory, SUB_PATHS, name, container.name, String(index)), deps),
    )
  }

  return {
    setUp: () =>
      inTurn(async () => {
        mkdirSync(directory, { recursive: true, mode: 0o750 })
        const [first] = volumes
        const problem = first && groupProblem(pod)
        if (problem) throw named(first.name, new VolumeError(problem))
        for (const volume of volumes) await make(volume, pod)
      }),
    refresh: latest => inTurn(() => makeAnew(latest)),
    expand: (latest, claimName) =>
      inTurn(async () => {
        for (const volume of volumes) {
          const known = ready.get(volume.name)
          if (known?.spec.bound?.claim.metadata?.name !== claimName || !known?.spec.source.csi) continue
          await deps.csi?.expand(await deps.claims.resolve(latest, volume), latest)
        }
      }),
    async mountsOf(container, env, images) {
      const mounts: Mount[] = []
      for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
        const { spec, type, path } = need(mount.name, container, 'mount')
        const sub = mount.subPathExpr ? expandFully(mount.subPathExpr, env) : (mount.subPath ?? '')
        mounts.push({
          volume: mount.name,
          ...(type.mount
            ? await type.mount({ volume: mount.name, subPath: await wordsOf(mount.name, container, sub), images })
            : { hostPath: await hostPath(path, sub, container, index) }),
          containerPath: mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`,
          readOnly: mount.readOnly || spec.readOnly || type.readOnly,
          ...(mount.mountPropagation ? { propagation: mount.mountPropagation } : {}),
        })
      }
      return mounts
    },
    pathOf: name => ready.get(name)?.path,
    devicesOf(container) {
      return (container.volumeDevices ?? []).map(({ name, devicePath }) => {
        const { spec, path } = need(name, container, 'map')
        return { hostPath: path, containerPath: devicePath, permissions: spec.readOnly ? 'r' : 'mrw' }
      })
    },
  }
}

/**
 * Undoes all volumes of a pod whose folder this is, by what stands there: also of one of an earlier life of the node.
 * Rejects, and may be repeated, when something will not let go.
 */
export async function tearDownVolumes(directory: string, services: VolumeServices): Promise<void> {
  await removeTree(join(directory, SUB_PATHS))
  for (const type of volumeTypes) {
    const folder = join(directory, VOLUMES, type.folder)
    if (!type.tearDown || !existsSync(folder)) continue
    for (const name of readdirSync(folder)) await type.tearDown(join(folder, name), services)
  }
  await removeTree(join(directory, VOLUMES))
}

/** Rejects with a `ConfigError` that says of which mount of a volume the sub path cannot be prepared. */
async function subPathOf<T>(volume: string, container: Container, prepare: () => T | Promise<T>): Promise<T> {
  try {
    return await prepare()
  } catch (error) {
    const use = `volumeMount ${JSON.stringify(volume)} of container ${JSON.stringify(container.name)}`
    throw new ConfigError(`failed to prepare subPath for ${use}: ${(error as Error).message}`, { cause: error })
  }
}

/** A sub path that is safe by its words; '' for none. */
const wordsOf = (volume: string, container: Container, sub: string): Promise<string> =>
  subPathOf(volume, container, () => (sub ? safePath(sub) : ''))

function expandFully(text: string, env: Readonly<Record<string, string>>): string {
  const named = [...text.matchAll(/\$\$|\$\(([^)]*)\)/g)].flatMap(([whole, name]) =>
    whole === '$$' ? [] : [name ?? ''],
  )
  const missing = named.filter(name => !env[name])
  if (missing.length > 0) throw new ConfigError(`missing value for ${[...new Set(missing)].sort().join(', ')}`)
  return expand(text, env)
}
