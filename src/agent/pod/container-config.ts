/** From a container's spec to what a runtime driver takes. */
import type { Container, Pod } from '../../api/generated/types/core-v1.ts'
import type { ContainerDevices } from '../devices/devices.ts'
import type { ContainerConfig, FoundImage } from '../runtimes/runtime.ts'
import { isRecursiveReadOnly } from '../volumes/recursive-read-only.ts'
import type { PodVolumes } from '../volumes/set-up.ts'
import type { ImageSource } from '../volumes/volume.ts'
import { ConfigError, type EnvContext, environmentOf, expand } from './env.ts'
import { containerResources, oomScoreAdj } from './kernel-resources.ts'
import { containerSecurity } from './security.ts'

/** Which mounts are read-only with all that is mounted below them. Throws `ConfigError` for what cannot be. */
function recursions({ volumeMounts = [] }: Container, supported: boolean): readonly boolean[] {
  try {
    return volumeMounts.map(mount => isRecursiveReadOnly(mount, supported))
  } catch (cause) {
    throw new ConfigError(`failed to resolve recursive read-only mode: ${(cause as Error).message}`, { cause })
  }
}

/** Makes the configuration of the next instance. Rejects with `ConfigError` (CreateContainerConfigError). */
export async function containerConfig(
  pod: Pod,
  container: Container,
  attempt: number,
  deps: {
    readonly env: EnvContext
    readonly volumes: PodVolumes | undefined
    /** The runtime can make mounts read-only with all that is mounted below them. */
    readonly recursiveReadOnly: boolean
    readonly ports: Readonly<Record<number, number>>
    /** The image as the runtime has it. */
    readonly image: FoundImage
    /** Those of image volumes. */
    readonly volumeImages: ImageSource
    readonly seccompDirectory: string
    /** Bytes of memory that the machine has. */
    readonly memoryCapacity: number
    /** What it needs to use devices of plugins. */
    readonly plugged: ContainerDevices | undefined
    /** Instance whose process namespace it joins. */
    readonly targetId?: string | undefined
  },
): Promise<ContainerConfig> {
  const recursive = recursions(container, deps.recursiveReadOnly)
  const { plugged } = deps
  const env = { ...plugged?.env, ...environmentOf(pod, container, deps.env) }
  const first = container.ports?.[0]?.containerPort
  const port = first === undefined ? undefined : deps.ports[first]
  if (port !== undefined) env.PORT = String(port)
  const mounts = (await deps.volumes?.mountsOf(container, env, deps.volumeImages)) ?? []
  const devices = [
    ...(container.volumeDevices ? (deps.volumes?.devicesOf(container) ?? []) : []),
    ...(plugged?.devices ?? []),
  ]
  return {
    name: container.name,
    attempt,
    image: container.image ?? '',
    ...(deps.image.imageId ? { imageId: deps.image.imageId } : {}),
    command: (container.command ?? []).map(word => expand(word, env)),
    args: (container.args ?? []).map(word => expand(word, env)),
    ...(container.workingDir ? { workingDir: container.workingDir } : {}),
    env: Object.entries(env).map(([name, value]) => ({ name, value })),
    mounts: [
      ...mounts.map((mount, at) => (recursive[at] ? { ...mount, recursiveReadOnly: true } : mount)),
      ...(plugged?.mounts ?? []),
    ],
    ...(devices.length > 0 ? { devices } : {}),
    ...(plugged?.cdiDevices.length ? { cdiDevices: plugged.cdiDevices } : {}),
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    resources: containerResources(pod, container),
    oomScoreAdj: oomScoreAdj(pod, container, deps.memoryCapacity),
    ...(deps.targetId === undefined ? {} : { targetId: deps.targetId }),
    ...containerSecurity(pod, container, deps.image, deps.seccompDirectory),
    labels: {
      'io.kubernetes.container.name': container.name,
      'io.kubernetes.pod.name': pod.metadata?.name ?? '',
      'io.kubernetes.pod.namespace': pod.metadata?.namespace ?? '',
      'io.kubernetes.pod.uid': pod.metadata?.uid ?? '',
    },
    annotations: { ...plugged?.annotations, 'io.kubernetes.container.restartCount': String(attempt) },
    ...(container.terminationMessagePath ? { terminationMessagePath: container.terminationMessagePath } : {}),
    ...(container.lifecycle?.stopSignal ? { stopSignal: container.lifecycle.stopSignal } : {}),
  }
}
