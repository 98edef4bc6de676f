/** From a container's spec to what a runtime driver takes. */
import type { Container, Pod } from '../../api/generated/types/core-v1.ts'
import type { ContainerConfig } from '../runtimes/runtime.ts'
import type { PodVolumes } from '../volumes/set-up.ts'
import { ConfigError, type EnvContext, environmentOf, expand } from './env.ts'
import { containerResources, oomScoreAdj } from './kernel-resources.ts'

/** Group ids that processes of the pod have besides their own. */
export const supplementalGroups = (pod: Pod): number[] => {
  const { fsGroup, supplementalGroups: groups = [] } = pod.spec?.securityContext ?? {}
  return [...new Set([...(fsGroup === undefined ? [] : [fsGroup]), ...groups])]
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
    /** Bytes of memory that the machine has. */
    readonly memoryCapacity: number
    /** Instance whose process namespace it joins. */
    readonly targetId?: string | undefined
  },
): Promise<ContainerConfig> {
  const env = environmentOf(pod, container, deps.env)
  const first = container.ports?.[0]?.containerPort
  const port = first === undefined ? undefined : deps.ports[first]
  if (port !== undefined) env.PORT = String(port)
  const shared = pod.spec?.securityContext
  const own = container.securityContext
  const runAsUser = own?.runAsUser ?? shared?.runAsUser
  const runAsGroup = own?.runAsGroup ?? shared?.runAsGroup
  if ((own?.runAsNonRoot ?? shared?.runAsNonRoot) && (runAsUser ?? process.getuid?.() ?? 0) === 0) {
    throw new ConfigError(
      runAsUser === undefined
        ? `container has runAsNonRoot and image will run as root (pod: ${JSON.stringify(`${pod.metadata?.name}_${pod.metadata?.namespace}(${pod.metadata?.uid})`)}, container: ${container.name})`
        : `container's runAsUser breaks non-root policy (pod: ${JSON.stringify(`${pod.metadata?.name}_${pod.metadata?.namespace}(${pod.metadata?.uid})`)}, container: ${container.name})`,
    )
  }
  return {
    name: container.name,
    attempt,
    image: container.image ?? '',
    command: (container.command ?? []).map(word => expand(word, env)),
    args: (container.args ?? []).map(word => expand(word, env)),
    ...(container.workingDir ? { workingDir: container.workingDir } : {}),
    env: Object.entries(env).map(([name, value]) => ({ name, value })),
    mounts: (await deps.volumes?.mountsOf(container, env)) ?? [],
    ...(container.volumeDevices ? { devices: deps.volumes?.devicesOf(container) ?? [] } : {}),
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    resources: containerResources(pod, container),
    oomScoreAdj: oomScoreAdj(pod, container, deps.memoryCapacity),
    ...(deps.targetId === undefined ? {} : { targetId: deps.targetId }),
    ...(runAsUser === undefined ? {} : { runAsUser }),
    ...(runAsGroup === undefined ? {} : { runAsGroup }),
    supplementalGroups: supplementalGroups(pod),
    privileged: own?.privileged ?? false,
    readOnlyRootFilesystem: own?.readOnlyRootFilesystem ?? false,
    ...(own?.capabilities ? { capabilities: own.capabilities } : {}),
    ...(own?.allowPrivilegeEscalation === false ? { noNewPrivileges: true } : {}),
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
