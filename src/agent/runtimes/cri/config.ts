/** What the agent asks of a runtime, in CRI's words (k8s.io/cri-api pkg/apis/runtime/v1). */
import { join } from 'node:path'
import type { Encodable, ValueOf } from '../../../lib/protobuf/message.ts'
import { mountedImages } from '../mounted-images.ts'
import type { ContainerConfig, Mount, Resources, SandboxConfig, SecurityProfile } from '../runtime.ts'
import {
  type CriContainerConfig,
  type CriSandboxConfig,
  GROUPS_POLICY,
  type linuxResources,
  NAMESPACE,
  PROFILE,
  PROPAGATION,
} from './messages.ts'
import { SIGNALS } from './signals.ts'

/** Annotations in which the agent's own configuration is kept by the runtime, to be found again. */
export const SANDBOX_NOTE = 'tutti.dev/sandbox'
export const CONTAINER_NOTE = 'tutti.dev/container'
/** Label that tells the sandboxes and containers of one node from others' in the same runtime. */
export const OWNER_LABEL = 'tutti.dev/owner'

/** What of a sandbox's configuration is needed again for each of its containers. */
export type SandboxNote = Omit<SandboxConfig, 'labels' | 'annotations'>

/** What of a container's configuration its status and its streams need. */
export interface ContainerNote {
  readonly image: string
  readonly annotations: Readonly<Record<string, string>>
  readonly tty: boolean
  readonly stdin: boolean
  readonly volumeImages?: readonly string[]
  /** On this machine: the file in which it leaves the reason of its end. */
  readonly message?: string
}

/** What a container may not see or write of /proc and /sys, unless its procMount is Unmasked (OCI's defaults). */
const MASKED = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
]
const READ_ONLY = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

/** Where a pod's container logs are: `NAME/ATTEMPT.log` below it. */
export const logDirectory = ({ directory }: Pick<SandboxConfig, 'directory'>): string => join(directory, 'logs')

export interface Translation {
  /** Of all sandboxes and containers of this node. */
  readonly owner: string
  /** Parent group of a pod's containers, as the runtime's cgroup driver writes it; undefined: the runtime's own. */
  cgroupParent(config: SandboxNote): string | undefined
  /** The kernel's groups are of version 2: what only these have may be asked for. */
  readonly unifiedGroups: boolean
  /** The runtime gives pods their network: else they enter the namespace that the agent made. */
  readonly ownNetwork: boolean
}

const number = (value: number | undefined) => (value === undefined ? undefined : { value })

function profile(wanted: SecurityProfile | undefined, otherwise: number) {
  if (!wanted) return { profileType: otherwise }
  if (wanted.type === 'Localhost') return { profileType: PROFILE.localhost, localhostRef: wanted.localhost ?? '' }
  return { profileType: wanted.type === 'Unconfined' ? PROFILE.unconfined : PROFILE.runtimeDefault }
}

/** It has the machine's network, and with it the machine's host name. */
const isOnNode = (config: SandboxNote, ownNetwork: boolean) =>
  config.hostNetwork || (!ownNetwork && config.netns === undefined)

/** Namespaces of a pod's processes. */
function namespaces(config: SandboxNote, ownNetwork: boolean) {
  const { userNamespace } = config
  return {
    usernsOptions: userNamespace && { mode: NAMESPACE.pod, uids: userNamespace, gids: userNamespace },
    network: isOnNode(config, ownNetwork) ? NAMESPACE.node : NAMESPACE.pod,
    pid: config.hostPID ? NAMESPACE.node : config.shareProcessNamespace ? NAMESPACE.pod : NAMESPACE.container,
    ipc: config.hostIPC ? NAMESPACE.node : NAMESPACE.pod,
  }
}

/** Resources with CRI's names. */
export function criResources(resources: Resources): Encodable<ValueOf<typeof linuxResources>> {
  const { cpuPeriod, cpuQuota, cpuShares, memoryLimit, hugepageLimits = {} } = resources
  return {
    cpuPeriod,
    cpuQuota,
    cpuShares,
    memoryLimitInBytes: memoryLimit,
    hugepageLimits: Object.entries(hugepageLimits).map(([pageSize, limit]) => ({ pageSize, limit })),
  }
}

/** Labels by which tools that read the runtime know a pod. */
const podLabels = ({ name, namespace, uid }: SandboxNote) => ({
  'io.kubernetes.pod.name': name,
  'io.kubernetes.pod.namespace': namespace,
  'io.kubernetes.pod.uid': uid,
})

/** A sandbox. `labels` and `annotations` are given where it is made; for its containers the note is enough. */
export function criSandbox(
  note: SandboxNote,
  { owner, cgroupParent, ownNetwork }: Translation,
  { labels, annotations }: Partial<Pick<SandboxConfig, 'labels' | 'annotations'>> = {},
): Encodable<CriSandboxConfig> {
  const { name, namespace, uid, attempt, hostname, resources } = note
  return {
    metadata: { name, namespace, uid, attempt },
    hostname: isOnNode(note, ownNetwork) ? '' : hostname,
    logDirectory: logDirectory(note),
    labels: { ...labels, ...podLabels(note), [OWNER_LABEL]: owner },
    annotations: { ...annotations, [SANDBOX_NOTE]: JSON.stringify(note) },
    linux: {
      cgroupParent: cgroupParent(note),
      sysctls: note.sysctls,
      resources: criResources(resources),
      overhead: note.overhead && criResources(note.overhead),
      securityContext: {
        namespaceOptions: namespaces(note, ownNetwork),
        privileged: note.privileged ?? false,
        runAsUser: number(note.runAsUser),
        runAsGroup: number(note.runAsGroup),
        supplementalGroups: note.supplementalGroups,
        seccomp: profile(note.seccomp, PROFILE.runtimeDefault),
        selinuxOptions: note.seLinux,
      },
    },
  }
}

const propagation = (value: string | undefined) =>
  value === 'HostToContainer'
    ? PROPAGATION.hostToContainer
    : value === 'Bidirectional'
      ? PROPAGATION.bidirectional
      : PROPAGATION.private

/** The image that a mount shows, for the runtime to mount it. */
const imageOf = ({ image }: Mount) =>
  image && { image: { image: image.id, userSpecifiedImage: image.name }, imageSubPath: image.subPath }

/** The pod's files that every container sees, unless it mounts something there itself. */
function podFiles({ hostsFile, resolvFile }: SandboxNote, taken: ReadonlySet<string>) {
  const files = [
    { hostPath: hostsFile, containerPath: '/etc/hosts' },
    { hostPath: resolvFile, containerPath: '/etc/resolv.conf' },
  ]
  return files.filter(each => each.hostPath !== undefined && !taken.has(each.containerPath))
}

/** A container of a sandbox. `message` is the file for its last words, where it has one. */
export function criContainer(
  sandbox: SandboxNote,
  config: ContainerConfig,
  { owner, ownNetwork, unifiedGroups }: Translation,
  message: string | undefined,
): Encodable<CriContainerConfig> {
  const { privileged, capabilities, tty, stdin, image } = config
  const unmasked = privileged || config.procMount === 'Unmasked'
  const mappings = sandbox.userNamespace && { uidMappings: sandbox.userNamespace, gidMappings: sandbox.userNamespace }
  const mounts = config.mounts.map(mount => ({
    hostPath: mount.hostPath,
    ...(mount.hostPath === '' ? imageOf(mount) : {}),
    containerPath: mount.containerPath,
    readonly: mount.readOnly,
    recursiveReadOnly: mount.recursiveReadOnly,
    ...mappings,
    propagation: propagation(mount.propagation),
  }))
  const taken = new Set(mounts.map(each => each.containerPath))
  const lastWords = message ? [{ hostPath: message, containerPath: config.terminationMessagePath, ...mappings }] : []
  const note: ContainerNote = {
    image,
    annotations: config.annotations,
    tty,
    stdin,
    ...mountedImages(config.mounts),
    ...(message ? { message } : {}),
  }
  return {
    metadata: { name: config.name, attempt: config.attempt },
    image: { image: config.imageId ?? image, userSpecifiedImage: image },
    command: config.command,
    args: config.args,
    workingDir: config.workingDir,
    envs: config.env.map(({ name, value }) => ({ key: name, value })),
    mounts: [...podFiles(sandbox, taken).map(file => ({ ...file, ...mappings })), ...mounts, ...lastWords],
    devices: config.devices,
    cdiDevices: config.cdiDevices?.map(name => ({ name })),
    labels: {
      ...config.labels,
      ...podLabels(sandbox),
      'io.kubernetes.container.name': config.name,
      [OWNER_LABEL]: owner,
    },
    annotations: { ...config.annotations, [CONTAINER_NOTE]: JSON.stringify(note) },
    logPath: `${config.name}/${config.attempt}.log`,
    stdin,
    stdinOnce: config.stdinOnce,
    tty,
    stopSignal: config.stopSignal ? SIGNALS.indexOf(config.stopSignal) : undefined,
    linux: {
      resources: {
        ...criResources(config.resources),
        oomScoreAdj: config.oomScoreAdj,
        unified: unifiedGroups && config.resources.oomGroup ? { 'memory.oom.group': '1' } : {},
      },
      securityContext: {
        privileged,
        capabilities: { addCapabilities: capabilities?.add, dropCapabilities: capabilities?.drop },
        namespaceOptions: config.targetId
          ? { ...namespaces(sandbox, ownNetwork), pid: NAMESPACE.target, targetId: config.targetId }
          : namespaces(sandbox, ownNetwork),
        runAsUser: number(config.runAsUser),
        runAsGroup: number(config.runAsGroup),
        readonlyRootfs: config.readOnlyRootFilesystem,
        supplementalGroups: config.supplementalGroups,
        supplementalGroupsPolicy: config.strictGroups ? GROUPS_POLICY.strict : GROUPS_POLICY.merge,
        noNewPrivs: config.noNewPrivileges,
        maskedPaths: unmasked ? [] : MASKED,
        readonlyPaths: unmasked ? [] : READ_ONLY,
        // As a kubelet without seccompDefault: who asks for nothing is not confined.
        seccomp: profile(config.seccomp, PROFILE.unconfined),
        apparmor: config.appArmor ? profile(config.appArmor, PROFILE.runtimeDefault) : undefined,
        selinuxOptions: config.seLinux,
      },
    },
  }
}
