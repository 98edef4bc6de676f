/** What a node refuses of a pod beside its size: kernel parameters that are not safe, confinement that it has not. */
import { existsSync, readFileSync } from 'node:fs'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { RuntimeCapabilities } from '../runtimes/runtime.ts'
import type { Refusal } from './deps.ts'
import { allContainers } from './object.ts'
import { sysctlName, wantsStrictGroups } from './security.ts'

/** What the node's kernel and configuration allow. */
export interface NodeRules {
  /** Kernel parameters, or prefixes that end in `*`, that pods may set beside the safe ones. */
  readonly unsafeSysctls: readonly string[]
  /** The kernel enforces AppArmor profiles. */
  readonly appArmor: boolean
}

/** Of each pod alone, and harmless (https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/). */
const SAFE = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
])

const isNet = (name: string) => name.startsWith('net.')
const isIpc = (name: string) => /^(kernel\.(shm|msg|sem)|fs\.mqueue\.)/.test(name)

function sysctlProblem(name: string, { spec }: Pod, rules: NodeRules): string | undefined {
  const quoted = JSON.stringify(name)
  const allowed = rules.unsafeSysctls.some(each =>
    each.endsWith('*') ? name.startsWith(each.slice(0, -1)) : name === each,
  )
  if (!SAFE.has(name) && !allowed) return `${quoted} not allowlisted`
  if (isIpc(name) && spec?.hostIPC) return `${quoted} not allowed with host ipc enabled`
  if (isNet(name) && spec?.hostNetwork) return `${quoted} not allowed with host net enabled`
  return undefined
}

/** Whether any container is to be confined by a profile of AppArmor. */
function wantsAppArmor(pod: Pod): boolean {
  const ofPod = pod.spec?.securityContext?.appArmorProfile
  const wanted = allContainers(pod).map(each => each.securityContext?.appArmorProfile ?? ofPod)
  return wanted.some(each => each !== undefined && each.type !== 'Unconfined')
}

/** Why the node will not run the pod, in the kubelet's words; undefined: it may. */
export function ruleProblem(pod: Pod, rules: NodeRules): Refusal | undefined {
  for (const { name } of pod.spec?.securityContext?.sysctls ?? []) {
    const problem = sysctlProblem(sysctlName(name), pod, rules)
    if (problem) return { reason: 'SysctlForbidden', message: `forbidden sysctl: ${problem}` }
  }
  if (!rules.appArmor && wantsAppArmor(pod)) {
    return { reason: 'AppArmor', message: 'Cannot enforce AppArmor: AppArmor is not enabled on the host' }
  }
  const label = pod.metadata?.labels?.['kubernetes.io/os']
  if (label !== undefined && label !== 'linux') {
    const message = "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label"
    return { reason: 'PodOSSelectorNodeLabelDoesNotMatch', message }
  }
  const os = pod.spec?.os?.name
  if (os && os !== 'linux') {
    return { reason: 'PodOSNotSupported', message: "Failed to admit pod as the OS field doesn't match node OS" }
  }
  return undefined
}

/** The same of what only its runtime can say. */
export function groupsProblem(
  pod: Pod,
  { strictGroups = false }: Pick<RuntimeCapabilities, 'strictGroups'>,
): Refusal | undefined {
  if (!wantsStrictGroups(pod) || strictGroups) return undefined
  return {
    reason: 'SupplementalGroupsPolicyNotSupported',
    message: 'SupplementalGroupsPolicy=Strict is not supported in this node',
  }
}

/** Whether this machine's kernel enforces AppArmor profiles. */
export function hasAppArmor(): boolean {
  try {
    const enabled = readFileSync('/sys/module/apparmor/parameters/enabled', 'utf8').startsWith('Y')
    return enabled && existsSync('/sys/kernel/security/apparmor')
  } catch {
    return false
  }
}
