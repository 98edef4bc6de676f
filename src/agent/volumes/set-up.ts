/** All volumes of a pod: set up before its containers, refreshed when their objects change, undone at its end. */
import { existsSync, mkdirSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Container, Pod, Volume } from '../../api/generated/types/core-v1.ts'
import { ConfigError, expand } from '../pod/env.ts'
import type { Mount } from '../runtimes/runtime.ts'
import { volumeTypes } from './all.ts'
import { safePath } from './payload.ts'
import { type VolumeContext, VolumeError, type VolumeType } from './volume.ts'

export interface PodVolumes {
  /** Makes them all; throws `VolumeError` that names the first that cannot be. */
  setUp(): Promise<void>
  /** Makes those anew whose content follows objects. */
  refresh(pod: Pod): Promise<void>
  /** Mounts of a container. `env` is for subPathExpr. Throws `ConfigError`. */
  mountsOf(container: Container, env: Readonly<Record<string, string>>): Mount[]
  tearDown(): Promise<void>
}

const typeOf = (volume: Volume): VolumeType => {
  const type = volumeTypes.find(each => volume[each.field] !== undefined)
  if (type) return type
  const named = Object.keys(volume).find(key => key !== 'name') ?? 'none'
  const known = volumeTypes.map(each => each.field).join(', ')
  throw new VolumeError(`volume type ${named} is not supported by this node, which has ${known}`)
}

/** `directory` is the pod's folder; volumes live in `volumes/<type>/<name>` of it. */
export function createPodVolumes(
  pod: Pod,
  directory: string,
  context: Omit<VolumeContext, 'pod' | 'directory'>,
): PodVolumes {
  const volumes = pod.spec?.volumes ?? []
  const paths = new Map<string, string>()
  const place = (volume: Volume, type: VolumeType) => join(directory, 'volumes', type.field, volume.name)
  const make = async (volume: Volume, latest: Pod) => {
    const type = typeOf(volume)
    try {
      paths.set(volume.name, await type.setUp(volume, { ...context, pod: latest, directory: place(volume, type) }))
    } catch (error) {
      if (error instanceof VolumeError) {
        throw new VolumeError(`MountVolume.SetUp failed for volume ${JSON.stringify(volume.name)} : ${error.message}`, {
          cause: error,
        })
      }
      throw error
    }
  }
  return {
    async setUp() {
      mkdirSync(directory, { recursive: true, mode: 0o750 })
      for (const volume of volumes) await make(volume, pod)
    },
    async refresh(latest) {
      for (const volume of volumes) if (typeOf(volume).live) await make(volume, latest)
    },
    mountsOf(container, env) {
      return (container.volumeMounts ?? []).map(mount => {
        const base = paths.get(mount.name)
        if (!base) {
          throw new ConfigError(
            `cannot find volume ${JSON.stringify(mount.name)} to mount into container ${JSON.stringify(container.name)}`,
          )
        }
        const sub = mount.subPathExpr ? expandFully(mount.subPathExpr, env) : (mount.subPath ?? '')
        return {
          volume: mount.name,
          hostPath: sub ? subPath(base, sub, mount.name, container.name) : base,
          containerPath: mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`,
          readOnly: mount.readOnly ?? false,
          ...(mount.mountPropagation ? { propagation: mount.mountPropagation } : {}),
        }
      })
    },
    async tearDown() {
      for (const volume of volumes) {
        const type = volumeTypes.find(each => volume[each.field] !== undefined)
        await type?.tearDown?.(volume, place(volume, type))
      }
    },
  }
}

function expandFully(text: string, env: Readonly<Record<string, string>>): string {
  const made = expand(text, env)
  const missing = /\$\(([^)]*)\)/.exec(text)
  if (missing && env[missing[1] ?? ''] === undefined) {
    throw new ConfigError(`missing value for ${JSON.stringify(missing[1])}`)
  }
  return made
}

/** A path below a volume, made as a folder when it is missing; links may not lead out of the volume. */
function subPath(base: string, sub: string, volume: string, container: string): string {
  const path = join(base, safePath(sub))
  const problem = () =>
    new ConfigError(
      `failed to prepare subPath for volumeMount ${JSON.stringify(volume)} of container ${JSON.stringify(container)}`,
    )
  if (!existsSync(path)) {
    mkdirSync(path, { recursive: true, mode: statSync(base).mode & 0o7777 })
  }
  const real = realpathSync(path)
  const root = realpathSync(base)
  if (real !== root && !real.startsWith(`${root}/`)) throw problem()
  return real
}
