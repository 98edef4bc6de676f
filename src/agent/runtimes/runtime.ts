/**
 * What runs pods on a node (DESIGN D8), shaped like CRI: sandboxes, containers in them, exec, logs, stats, and events
 * that are pushed. A driver is a folder beside this file and obeys `runtime.contract.ts`.
 *
 * Invariants:
 * - Nothing polls: every change of state that the agent did not ask for comes through `onEvent`.
 * - Ids are the driver's own and never used twice. An exited container keeps its exit code and its log until removed.
 * - Every call but `createContainer` may be repeated; removing what is gone succeeds.
 * - A driver whose `survives` is set finds its sandboxes and containers again when it is opened anew on the same state.
 */

import type { Duplex } from 'node:stream'
import type { AttachOptions, CommandStreams, LogOptions, PodDoor } from '../../client/node-api.ts'
import type { IdMapping } from '../../lib/user-namespace.ts'
import type { Credentials } from '../images/registry.ts'
import type { Outage } from './outage.ts'

/** What a driver can do; the agent asks nothing else of it. */
export interface RuntimeCapabilities {
  /** RuntimeClass handlers that it serves, as in node.status.runtimeHandlers; '' is the default one. */
  readonly handlers: readonly string[]
  /** It serves every other handler too; the node then names none, and takes pods of all classes. */
  readonly anyHandler?: boolean
  /** Workloads outlive the program and are found again. */
  readonly survives: boolean
  /** The driver gives pods their addresses itself (`SandboxStatus.ips`): the agent then asks no PodNetwork. */
  readonly ownNetwork: boolean
  /** Containers see files of this machine: the agent then prepares volumes and passes mounts. */
  readonly volumes: boolean
  /**
   * Mounts appear at any path in a container. Where false (portable mode), a volume that cannot be mounted is offered
   * by its place in the pod's directory, through the variable `TUTTI_VOLUME_<NAME>`.
   */
  readonly mounts: boolean
  /** Containers mount images by themselves (`Mount.image`); without it, and without `imageFolder`, none are mounted. */
  readonly imageMounts?: boolean
  /** Mounts can be read-only with all that is mounted below them. */
  readonly recursiveReadOnly?: boolean
  /** Pods with `hostUsers: false` get a user namespace of their own. */
  readonly userNamespaces?: boolean
  /** Why they do not, where that is known. */
  readonly withoutUserNamespaces?: string
  /** `ContainerConfig.strictGroups` holds. */
  readonly strictGroups?: boolean
}

/** A seccomp or AppArmor profile (API doc: SeccompProfile, AppArmorProfile). */
export interface SecurityProfile {
  readonly type: 'RuntimeDefault' | 'Localhost' | 'Unconfined'
  /** Of `Localhost`: the seccomp profile's file on this machine, or the name of a loaded AppArmor profile. */
  readonly localhost?: string
}

/** API doc: SELinuxOptions. */
export interface SeLinuxOptions {
  readonly user?: string
  readonly role?: string
  readonly type?: string
  readonly level?: string
}

export interface SandboxConfig {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  /** Counts the sandboxes of one pod, from 0. */
  readonly attempt: number
  /** RuntimeClass handler. */
  readonly handler: string
  readonly hostname: string
  /** The pod's own folder on this machine, already made; a driver may keep files below `runtime/` in it. */
  readonly directory: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly hostNetwork: boolean
  readonly hostPID: boolean
  readonly hostIPC: boolean
  readonly shareProcessNamespace: boolean
  /** Path of the pod's network namespace; undefined: the agent's own. */
  readonly netns?: string
  /** The agent's knowledge of the pod's addresses; empty where the driver has its own network. */
  readonly ips: readonly string[]
  /** Files of the agent to be seen as /etc/hosts and /etc/resolv.conf; absent: the machine's. */
  readonly hostsFile?: string
  readonly resolvFile?: string
  /** Pod-level limits and class: `Guaranteed`, `Burstable`, `BestEffort`. */
  readonly qosClass: string
  /** Of the pod's own control group: everything in it together, with `overhead`. */
  readonly resources: Resources
  /** What the sandbox itself takes (RuntimeClass); for runtimes that make virtual machines. Absent: nothing. */
  readonly overhead?: Resources
  /** Kernel parameters of the pod's namespaces, by name with dots. Absent: none. */
  readonly sysctls?: Readonly<Record<string, string>>
  /** User and groups of the pod's securityContext, for whatever the runtime itself runs in the sandbox. */
  readonly runAsUser?: number
  readonly runAsGroup?: number
  readonly supplementalGroups?: readonly number[]
  /** A container of the pod is privileged. */
  readonly privileged?: boolean
  readonly seccomp?: SecurityProfile
  readonly seLinux?: SeLinuxOptions
  /** Ids of users and groups; absent: the machine's own. */
  readonly userNamespace?: readonly IdMapping[]
}

/** Limits as the kernel takes them. Absent: not limited. -1, for a quota or memory limit: no longer limited. */
export interface Resources {
  /** cgroup v1 cpu.shares; 2..262144. */
  readonly cpuShares?: number
  /** Microseconds of CPU in each `cpuPeriod`. */
  readonly cpuQuota?: number
  /** Microseconds, 100,000 when a quota is set. */
  readonly cpuPeriod?: number
  /** Bytes. */
  readonly memoryLimit?: number
  /** Processes and threads. */
  readonly pidsLimit?: number
  /** Bytes of huge pages by their size, as `2MB` and `1GB`. */
  readonly hugepageLimits?: Readonly<Record<string, number>>
  /** v2: whether one process too many takes all of a container's processes with it, as the kubelet has it. */
  readonly oomGroup?: boolean
}

/** The image of a volume: its id as the runtime gave it, and what the pod calls it. */
export interface VolumeImage {
  readonly id: string
  readonly name: string
}

export interface Mount {
  /** Name of the volume, for messages and variables. */
  readonly volume: string
  /** On this machine; '' for an image that the runtime itself mounts. */
  readonly hostPath: string
  /** In the container; absolute. */
  readonly containerPath: string
  readonly readOnly: boolean
  /** With all that is mounted below it. */
  readonly recursiveReadOnly?: boolean
  readonly propagation?: string
  /** Nothing in it can be executed, where the driver can see to that. */
  readonly noExec?: boolean
  /** The image whose files it shows, and the folder in it ('': all of it). */
  readonly image?: VolumeImage & { readonly subPath: string }
}

/** A device of this machine that a container may use. */
export interface Device {
  readonly hostPath: string
  /** In the container; absolute. */
  readonly containerPath: string
  /** Some of `r` (read), `w` (write), `m` (make). */
  readonly permissions: string
}

export interface ContainerConfig {
  readonly name: string
  /** Counts the instances of one container of a pod, from 0: its restart count. */
  readonly attempt: number
  readonly image: string
  /** What the runtime said that it is, where it said something. */
  readonly imageId?: string
  /** Expanded; both empty where the image's own command is meant. */
  readonly command: readonly string[]
  readonly args: readonly string[]
  readonly workingDir?: string
  readonly env: readonly { readonly name: string; readonly value: string }[]
  readonly mounts: readonly Mount[]
  readonly devices?: readonly Device[]
  /** Devices by their names of the Container Device Interface, which the runtime looks up: `vendor.com/gpu=0`. */
  readonly cdiDevices?: readonly string[]
  readonly stdin: boolean
  readonly stdinOnce: boolean
  readonly tty: boolean
  readonly resources: Resources
  readonly runAsUser?: number
  readonly runAsGroup?: number
  readonly supplementalGroups: readonly number[]
  /** supplementalGroupsPolicy is Strict: groups that the image has for the user do not count. */
  readonly strictGroups?: boolean
  readonly privileged: boolean
  readonly readOnlyRootFilesystem: boolean
  /** securityContext.capabilities; names with or without `CAP_`, or `ALL`. */
  readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] }
  /** securityContext.allowPrivilegeEscalation is false. */
  readonly noNewPrivileges?: boolean
  /** Absent: what the runtime does unasked. */
  readonly seccomp?: SecurityProfile
  readonly appArmor?: SecurityProfile
  readonly seLinux?: SeLinuxOptions
  /** `Unmasked`: all of /proc is seen as it is. */
  readonly procMount?: 'Default' | 'Unmasked'
  /** -1000..1000, higher is killed first. A driver that may not lower its own keeps that. Absent: the driver's own. */
  readonly oomScoreAdj?: number
  /** Container of the pod whose process namespace it joins (ephemeral containers); it is running. */
  readonly targetId?: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  /** In the container; where it may leave the reason of its end. Absent: none is read. */
  readonly terminationMessagePath?: string
  /** Signal that asks it to end, e.g. `SIGTERM`, the default. */
  readonly stopSignal?: string
}

export interface SandboxStatus {
  readonly id: string
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly attempt: number
  readonly state: 'ready' | 'stopped'
  /** ms since the epoch. */
  readonly createdAt: number
  /** First the primary. */
  readonly ips: readonly string[]
}

export interface ContainerStatus {
  readonly id: string
  readonly sandboxId: string
  readonly podUid: string
  readonly name: string
  readonly attempt: number
  readonly state: 'created' | 'running' | 'exited' | 'unknown'
  readonly image: string
  /** What the image resolved to; '' where there is no such thing. */
  readonly imageId: string
  /** Ids of images that are mounted into it. */
  readonly volumeImages?: readonly string[]
  readonly annotations: Readonly<Record<string, string>>
  /** ms since the epoch; 0 while it has not happened. */
  readonly createdAt: number
  readonly startedAt: number
  readonly finishedAt: number
  /** Of an exited one; 128 + number for a signal. */
  readonly exitCode?: number
  /** `Completed`, `Error`, `OOMKilled`, … of an exited one. */
  readonly reason?: string
  /** The termination message, or the cause where it could not be started. */
  readonly message?: string
  /** Main process on this machine, where there is one. */
  readonly pid?: number
  /** Whom its first process runs as, where known. */
  readonly user?: { readonly uid: number; readonly gid: number; readonly supplementalGroups: readonly number[] }
  /** Limits as they are, where known; they differ from those it was made with after `updateContainer`. */
  readonly resources?: Resources
  /** Signal that it is asked to end with, where known. */
  readonly stopSignal?: string
}

export interface ContainerStats {
  readonly id: string
  readonly podUid: string
  readonly name: string
  /** ms since the epoch. */
  readonly timestamp: number
  /** Nanoseconds of CPU since it began. */
  readonly cpuUsage: number
  /** Bytes that cannot be given back under pressure. */
  readonly memoryWorkingSet: number
  readonly memoryUsage: number
  readonly processes: number
  /** Where it has a control group that tells. */
  readonly details?: GroupDetails
}

/** What only the kernel tells of a container: parts of its memory in bytes, and how its limit of CPU held it up. */
export interface GroupDetails {
  readonly memoryRss: number
  readonly memoryCache: number
  readonly memorySwap: number
  /** Periods of the limit that there were, and those in which all of it was used up; 0 without a limit. */
  readonly periods: number
  readonly throttledPeriods: number
  /** Nanoseconds. */
  readonly throttledTime: number
}

export type RuntimeEvent =
  | { readonly type: 'container'; readonly id: string; readonly podUid: string }
  | { readonly type: 'sandbox'; readonly id: string; readonly podUid: string }

export interface ProbeResult {
  readonly ok: boolean
  /** What was seen, as the kubelet words it in Unhealthy events. */
  readonly output: string
}

/** An image that a runtime has. */
export interface FoundImage {
  /** What it is, whatever its names; '' where there is no such thing. */
  readonly imageId: string
  /** Whom the image's processes run as: a number, or a name that only the image knows. Absent: root, or not known. */
  readonly user?: number | string
  /** Bytes, where that is known. */
  readonly size?: number
  /** It stands for what is always there, and comes from no registry. */
  readonly builtIn?: boolean
}

/** An image that a runtime has, as it is looked after. */
export interface NodeImage {
  readonly id: string
  /** Full names with their tags: `docker.io/library/nginx:1.27`. */
  readonly names: readonly string[]
  /** Full names with their digests. */
  readonly digests: readonly string[]
  /** Bytes. */
  readonly size: number
  /** The runtime itself needs it. */
  readonly pinned?: boolean
}

/** A runtime's images, for those who look after them. Calls reject with an `Error` that says what is wrong. */
export interface RuntimeImages {
  list(): Promise<readonly NodeImage[]>
  /** Takes in the images of an archive (OCI layout or docker's, in a tar file); resolves with their names. */
  importArchive(file: string): Promise<readonly string[]>
  /** Removes an image by one of its names, or its id, with all its names; false where there is none. */
  remove(name: string): Promise<boolean>
  /**
   * Where they lie, with what containers write beside their volumes; undefined where that is not known. Without it, in
   * the node's own folder.
   */
  folder?(): Promise<string | undefined>
}

export interface RuntimeDriver {
  /** As in node.status.nodeInfo.containerRuntimeVersion: `process://0.1.0`. */
  readonly version: string
  readonly capabilities: RuntimeCapabilities
  /** Of one that may be away while the node is there. */
  readonly outage?: Outage

  /**
   * Calls `handler` after every change of a container's or sandbox's state. The event names what changed; the state is
   * read with `containerStatus`. Returns a function that ends it.
   */
  onEvent(handler: (event: RuntimeEvent) => void): () => void

  /** An image that is there. Rejects with `RuntimeError` for what it could never run (InvalidImageName, ImageNotSupported). */
  findImage(image: string): Promise<FoundImage | undefined>
  /**
   * Gets an image anew, showing its registry `proof`; without it, as nobody. Rejects with `RuntimeError` (ErrImagePull,
   * RegistryUnavailable, SignatureValidationFailed, …).
   */
  pullImage(image: string, proof?: Credentials): Promise<FoundImage>
  /** Absent where it keeps none. */
  readonly images?: RuntimeImages

  /** Makes and starts a sandbox; resolves with its id. */
  runSandbox(config: SandboxConfig): Promise<string>
  /** Kills whatever runs in it and gives back its resources; its containers are exited afterwards. */
  stopSandbox(id: string): Promise<void>
  /**
   * The folder of this machine where an image's files are seen, read-only, until the sandbox stops. `image` is an id that
   * the runtime gave. Rejects with `RuntimeError`. Absent where files of images are not seen.
   */
  imageFolder?(sandboxId: string, image: string): Promise<string>
  /** Forgets it with its containers and their logs. Stops it first where needed. */
  removeSandbox(id: string): Promise<void>
  sandboxStatus(id: string): Promise<SandboxStatus | undefined>
  listSandboxes(): Promise<readonly SandboxStatus[]>
  /** Resolves when no sandbox is being made any more, or will not be soon; at once where that takes no time. */
  settled?(): Promise<void>

  /** Prepares a container; resolves with its id. */
  createContainer(sandboxId: string, config: ContainerConfig): Promise<string>
  /** Resolves when its process was started; rejects with `RuntimeError` (reason as in terminated state) when it cannot. */
  startContainer(id: string): Promise<void>
  /**
   * Asks it to end, and kills all that it started when it has not within `graceMs`. Resolves when nothing of it is
   * left. A further call with less grace shortens the wait of the first.
   */
  stopContainer(id: string, graceMs: number): Promise<void>
  /** Changes the limits of a running container; what `resources` does not name stays. Rejects with `RuntimeError`. */
  updateContainer(id: string, resources: Resources): Promise<void>
  /** Changes the limits of the pod as a whole. */
  updateSandbox(id: string, resources: Resources): Promise<void>
  /** Forgets an exited container and its log; stops it first where needed. */
  removeContainer(id: string): Promise<void>
  containerStatus(id: string): Promise<ContainerStatus | undefined>
  /** All, or one pod's; in order of creation. */
  listContainers(podUid?: string): Promise<readonly ContainerStatus[]>

  /** Runs a command in a running container. Resolves with its exit code after its output was taken. */
  exec(id: string, command: readonly string[], tty: boolean, streams: CommandStreams): Promise<{ exitCode: number }>
  /**
   * Runs a command without input for a probe or hook: output is stdout and stderr together. After `timeoutMs` it is
   * killed, and this rejects with `RuntimeError` (DeadlineExceeded). Absent: `exec` does it.
   */
  execSync?(
    id: string,
    command: readonly string[],
    timeoutMs: number,
  ): Promise<{ readonly exitCode: number; readonly output: string }>
  /** Joins the main process' streams, until it ends or `streams.signal` aborts. */
  attach(id: string, options: AttachOptions, streams: CommandStreams): Promise<void>
  /** A container's output as `kubectl logs` prints it; `container` and `previous` of the options are decided already. */
  logs(id: string, options: LogOptions, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>
  /** Opens a TCP connection to a port of the sandbox. */
  connect(sandboxId: string, port: number, via: PodDoor): Promise<Duplex>

  /** Usage of a running container; undefined when it is not running. */
  stats(id: string): Promise<ContainerStats | undefined>

  /**
   * What a container, running or not, has on the node's disk: folders with its log and what it wrote, to be counted by
   * the asker, and bytes that the runtime has counted itself.
   */
  disk?(id: string): Promise<{ readonly folders: readonly string[]; readonly bytes: number } | undefined>

  /**
   * Answers an http, tcp or grpc probe in place of the network; drivers without real processes have it.
   * exec probes always go through `exec`.
   */
  probe?(id: string, probe: object, timeoutMs: number): Promise<ProbeResult>

  /** Lets go of everything without stopping workloads (where `survives`), or stops them. Again: it does nothing. */
  close(): Promise<void>
}

/** A driver's refusal; `reason` stands in container states and events. */
export class RuntimeError extends Error {
  readonly reason: string

  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'RuntimeError'
    this.reason = reason
  }
}
