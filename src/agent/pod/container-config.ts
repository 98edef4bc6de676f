/** From a container's spec to what a runtime driver takes. */
import type { Container, Pod } from '../../api/generated/types/core-v1.ts'
import type { ContainerConfig, FoundImage } from '../runtimes/runtime.ts'
import type { ImageSource, PodVolumes } from '../volumes/set-up.ts'
import { ConfigError, type EnvContext, environmentOf, expand } from './env.ts'
import { containerResources, oomScoreAdj } from './kernel-resources.ts'
import { containerSecurity } from './security.ts'

/** Read-only in all that is mounted below a volume is what no runtime here can give (KEP-3857). */
function checkMounts({ volumeMounts = [] }: Container): void {
  const wanted = volumeMounts.find(each => each.recursiveReadOnly === 'Enabled')
  if (!wanted) return
  const why = `volume ${JSON.stringify(wanted.name)} requested recursive read-only mode, but it is not supported by the runtime`
  throw new ConfigError(`failed to resolve recursive read-only mode: ${why}`)
}

/** Makes the configuration of the next instance. Rejects with `ConfigError` (CreateContainerConfigError). */
export async function containerConfig(
  pod: Pod,
  container: Container,
  attempt: number,
  deps: {
    readonly env: EnvContext
    readonly volumes: PodVolumes | undefined
    readonly ports: Readonly<Record<number, number>>
    /** The image as the runtime has it. */
    readonly image: FoundImage
    /** Those of image volumes. */
    readonly volumeImages: ImageSource
    readonly seccompDirectory: string
    /** Bytes of memory that the machine has. */
    readonly memoryCapacity: number
    /** Instance whose process namespace it joins. */
    readonly targetId?: string | undefined
  },
): Promise<ContainerConfig> {
  checkMounts(container)
  const env = environmentOf(pod, container, deps.env)
  const first = container.ports?.[0]?.containerPort
  const port = first === undefined ? undefined : deps.ports[first]
  if (port !== undefined) env.PORT = String(port)
  return {
    name: container.name,
    attempt,
    image: container.image ?? '',
    ...(deps.image.imageId ? { imageId: deps.image.imageId } : {}),
    command: (container.command ?? []).map(word => expand(word, env)),
    args: (container.args ?? []).map(word => expand(word, env)),
    ...(container.workingDir ? { workingDir: container.workingDir } : {}),
    env: Object.entries(env).map(([name, value]) => ({ name, value })),
    mounts: (await deps.volumes?.mountsOf(container, env, deps.volumeImages)) ?? [],
    ...(container.volumeDevices ? { devices: deps.volumes?.devicesOf(container) ?? [] } : {}),
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
    annotations: { 'io.kubernetes.container.restartCount': String(attempt) },
    ...(container.terminationMessagePath ? { terminationMessagePath: container.terminationMessagePath } : {}),
    ...(container.lifecycle?.stopSignal ? { stopSignal: container.lifecycle.stopSignal } : {}),
  }
}
