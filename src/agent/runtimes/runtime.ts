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
  readonly resources: Resources
}

/** Limits as the kernel takes them. Absent: not limited. */
export interface Resources {
  /** cgroup v1 cpu.shares; 2..262144. */
  readonly cpuShares?: number
  /** Microseconds of CPU in each `cpuPeriod`. */
  readonly cpuQuota?: number
  /** Microseconds, 100,000 when a quota is set. */
  readonly cpuPeriod?: number
  /** Bytes. */
  readonly memoryLimit?: number
}

export interface Mount {
  /** Name of the volume, for messages and variables. */
  readonly volume: string
  /** On this machine. */
  readonly hostPath: string
  /** In the container; absolute. */
  readonly containerPath: string
  readonly readOnly: boolean
  readonly propagation?: string
}

export interface ContainerConfig {
  readonly name: string
  /** Counts the instances of one container of a pod, from 0: its restart count. */
  readonly attempt: number
  readonly image: string
  /** Expanded; both empty where the image's own command is meant. */
  readonly command: readonly string[]
  readonly args: readonly string[]
  readonly workingDir?: string
  readonly env: readonly { readonly name: string; readonly value: string }[]
  readonly mounts: readonly Mount[]
  readonly stdin: boolean
  readonly stdinOnce: boolean
  readonly tty: boolean
  readonly resources: Resources
  readonly runAsUser?: number
  readonly runAsGroup?: number
  readonly supplementalGroups: readonly number[]
  readonly privileged: boolean
  readonly readOnlyRootFilesystem: boolean
  /** securityContext.capabilities; names with or without `CAP_`, or `ALL`. */
  readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] }
  /** securityContext.allowPrivilegeEscalation is false. */
  readonly noNewPrivileges?: boolean
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
}

export type RuntimeEvent =
  | { readonly type: 'container'; readonly id: string; readonly podUid: string }
  | { readonly type: 'sandbox'; readonly id: string; readonly podUid: string }

export interface ProbeResult {
  readonly ok: boolean
  /** What was seen, as the kubelet words it in Unhealthy events. */
  readonly output: string
}

export interface RuntimeDriver {
  /** As in node.status.nodeInfo.containerRuntimeVersion: `process://0.1.0`. */
  readonly version: string
  readonly capabilities: RuntimeCapabilities

  /**
   * Calls `handler` after every change of a container's or sandbox's state. The event names what changed; the state is
   * read with `containerStatus`. Returns a function that ends it.
   */
  onEvent(handler: (event: RuntimeEvent) => void): () => void

  /**
   * Makes sure that an image is there, pulling it by `policy` (Always, IfNotPresent, Never). Resolves with its id and
   * whether it was pulled now; rejects with `RuntimeError` (ErrImagePull, ErrImageNeverPull, InvalidImageName,
   * ImageNotSupported, …).
   */
  ensureImage(image: string, policy: string): Promise<{ readonly imageId: string; readonly pulled: boolean }>

  /** Makes and starts a sandbox; resolves with its id. */
  runSandbox(config: SandboxConfig): Promise<string>
  /** Kills whatever runs in it and gives back its resources; its containers are exited afterwards. */
  stopSandbox(id: string): Promise<void>
  /** Forgets it with its containers and their logs. Stops it first where needed. */
  removeSandbox(id: string): Promise<void>
  sandboxStatus(id: string): Promise<SandboxStatus | undefined>
  listSandboxes(): Promise<readonly SandboxStatus[]>

  /** Prepares a container; resolves with its id. */
  createContainer(sandboxId: string, config: ContainerConfig): Promise<string>
  /** Resolves when its process was started; rejects with `RuntimeError` (reason as in terminated state) when it cannot. */
  startContainer(id: string): Promise<void>
  /**
   * Asks it to end, and kills all that it started when it has not within `graceMs`. Resolves when nothing of it is
   * left. A further call with less grace shortens the wait of the first.
   */
  stopContainer(id: string, graceMs: number): Promise<void>
  /** Forgets an exited container and its log; stops it first where needed. */
  removeContainer(id: string): Promise<void>
  containerStatus(id: string): Promise<ContainerStatus | undefined>
  /** All, or one pod's; in order of creation. */
  listContainers(podUid?: string): Promise<readonly ContainerStatus[]>

  /** Runs a command in a running container. Resolves with its exit code after its output was taken. */
  exec(id: string, command: readonly string[], tty: boolean, streams: CommandStreams): Promise<{ exitCode: number }>
  /** Joins the main process' streams, until it ends or `streams.signal` aborts. */
  attach(id: string, options: AttachOptions, streams: CommandStreams): Promise<void>
  /** A container's output as `kubectl logs` prints it; `container` and `previous` of the options are decided already. */
  logs(id: string, options: LogOptions, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>
  /** Opens a TCP connection to a port of the sandbox. */
  connect(sandboxId: string, port: number, via: PodDoor): Promise<Duplex>

  /** Usage of a running container; undefined when it is not running. */
  stats(id: string): Promise<ContainerStats | undefined>

  /**
   * Answers an http, tcp or grpc probe in place of the network; drivers without real processes have it.
   * exec probes always go through `exec`.
   */
  probe?(id: string, probe: object, timeoutMs: number): Promise<ProbeResult>

  /** Lets go of everything without stopping workloads (where `survives`), or stops them. */
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
