/** From a container's spec to what a runtime driver takes. */
import type { Container, Pod, ResourceRequirements } from '../../api/generated/types/core-v1.ts'
import { milliValue, quantityValue } from '../../api/machinery/quantity.ts'
import type { ContainerConfig, Resources } from '../runtimes/runtime.ts'
import type { PodVolumes } from '../volumes/set-up.ts'
import { ConfigError, type EnvContext, environmentOf, expand } from './env.ts'
import { allContainers } from './references.ts'

const PERIOD = 100_000
const MIN_SHARES = 2
const MAX_SHARES = 262_144
const MIN_QUOTA = 1000

const shares = (milli: number) => Math.min(Math.max(Math.floor((milli * 1024) / 1000), MIN_SHARES), MAX_SHARES)

/** Requests and limits as the kernel takes them; a limit alone counts as the request, as defaults have it. */
export function kernelResources({ requests = {}, limits = {} }: ResourceRequirements = {}): Resources {
  const request = requests.cpu ?? limits.cpu
  return {
    cpuShares: request === undefined ? MIN_SHARES : shares(milliValue(request)),
    ...(limits.cpu !== undefined && milliValue(limits.cpu) > 0
      ? { cpuQuota: Math.max((milliValue(limits.cpu) * PERIOD) / 1000, MIN_QUOTA), cpuPeriod: PERIOD }
      : {}),
    ...(limits.memory !== undefined && quantityValue(limits.memory) > 0
      ? { memoryLimit: quantityValue(limits.memory), oomGroup: true }
      : {}),
  }
}

/** Sum over containers for the pod's own group: shares always, limits where every container has one. */
export function podResources(pod: Pod): Resources {
  const all = (pod.spec?.containers ?? []).map(container => kernelResources(container.resources))
  const cpuShares = Math.max(
    MIN_SHARES,
    all.reduce((sum, each) => sum + (each.cpuShares ?? 0), 0),
  )
  return { cpuShares: Math.min(cpuShares, MAX_SHARES) }
}

/** API doc: PodStatus.qosClass. */
export function qosClassOf(pod: Pod): 'BestEffort' | 'Burstable' | 'Guaranteed' {
  let guaranteed = true
  let any = false
  for (const { resources = {} } of allContainers(pod)) {
    const { limits = {}, requests = {} } = resources
    for (const name of ['cpu', 'memory']) {
      const limit = limits[name] === undefined ? 0 : milliValue(limits[name])
      const request = requests[name] === undefined ? limit : milliValue(requests[name])
      if (limit > 0 || request > 0) any = true
      if (limit === 0 || limit !== request) guaranteed = false
    }
  }
  return any ? (guaranteed ? 'Guaranteed' : 'Burstable') : 'BestEffort'
}

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
    resources: kernelResources(container.resources),
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
