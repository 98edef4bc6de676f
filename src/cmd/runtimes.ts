/** What runs pods on this machine: what it has, or what was asked for, and why it is not more. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { clearRuntime } from '../agent/runtimes/clear.ts'
import type { CgroupDriver } from '../agent/runtimes/cri/cgroup-driver.ts'
import type { RuntimeDriver } from '../agent/runtimes/runtime.ts'
import { type UpOptions, UserError } from '../cli/context.ts'
import type { Clock } from '../lib/clock.ts'
import { type CallError, CODE } from '../lib/grpc/channel.ts'
import type { Logger } from '../lib/log.ts'
import { isInside } from '../network/rootless/porter.ts'
import type { ContainerSettings } from './configuration/containers.ts'

export interface RuntimesDeps {
  /** Absent: nothing is configured. */
  readonly settings?: ContainerSettings
  readonly options: UpOptions
  readonly nodeName: string
  /** The network's mode. */
  readonly mode: string
  readonly clock: Clock
  readonly logger: Logger
}

export interface Runtimes {
  /** The one that pods without a class get comes first. */
  readonly drivers: readonly RuntimeDriver[]
  /** How control groups of containers are made. */
  readonly cgroupDriver: CgroupDriver
  /** What this machine cannot give, in sentences. */
  readonly notes: readonly string[]
  /** After all pods, before the drivers are closed: ends what was started for them. */
  leave(): Promise<void>
}

/** Handlers of RuntimeClasses that containers serve; '' is that of pods without a class. */
const CONTAINERS = ['', 'containers']
/** A node's own folder in every hierarchy of control groups. */
export const groupsOf = (nodeName: string) => `tutti/${nodeName}`
const NOTHING: Runtimes = { drivers: [], cgroupDriver: 'cgroupfs', notes: [], leave: async () => {} }

/** The path of a unix socket by its URL. Throws `UserError`. */
function socketOf(endpoint: string): string {
  const path = endpoint.replace(/^unix:(\/\/)?/, '')
  if (!isAbsolute(path))
    throw new UserError(
      `--runtime-endpoint ${endpoint} is not the address of a unix socket`,
      'Give it like unix:///run/containerd/containerd.sock.',
    )
  return path
}

/** Says why a runtime that was given cannot be used. */
function unusable(socket: string, cause: unknown): UserError {
  const { code, message } = cause as CallError
  if (code === CODE.unimplemented)
    return new UserError(
      `what answers at ${socket} does not speak CRI v1: ${message}`,
      'containerd does unless its configuration names cri in disabled_plugins; Docker itself does not.',
      { cause },
    )
  return new UserError(
    `the container runtime at ${socket} does not answer: ${message}`,
    'Name the socket of one that runs, or leave --runtime-endpoint away.',
    { cause },
  )
}

/** How a runtime that was given makes control groups; what is configured must fit. */
async function driverOf(socket: string, wanted: CgroupDriver | undefined, clock: Clock): Promise<CgroupDriver> {
  const { cgroupDriverOf } = await import('../agent/runtimes/cri/cgroup-driver.ts')
  const has = await cgroupDriverOf(socket, clock).catch(error => {
    throw unusable(socket, error)
  })
  if (wanted && has && wanted !== has)
    throw new UserError(
      `containers.cgroupDriver is ${wanted}, and the container runtime at ${socket} makes control groups by ${has}`,
      "Leave containers.cgroupDriver away: the runtime's is taken.",
    )
  return wanted ?? has ?? 'cgroupfs'
}

/** Containers in a runtime that somebody else runs, with the network that it gives them. */
async function given(
  endpoint: string,
  { options, settings, nodeName, clock, logger }: RuntimesDeps,
): Promise<Runtimes> {
  const socket = socketOf(endpoint)
  const { openCriDriver } = await import('../agent/runtimes/cri/driver.ts')
  const { openPodGroups } = await import('../agent/runtimes/containerd/pod-groups.ts')
  const cgroupDriver = await driverOf(socket, settings?.cgroupDriver, clock)
  const groups = openPodGroups(groupsOf(nodeName), cgroupDriver)
  const owner = createHash('sha256').update(options.dataDir).digest('hex').slice(0, 16)
  const driver = await openCriDriver({
    socket,
    clock,
    logger,
    owner,
    handlers: CONTAINERS,
    ownNetwork: true,
    cgroupParent: groups.parent,
    unifiedGroups: groups.version === 2,
    beforeSandbox: groups.make,
    afterSandbox: groups.remove,
    updateSandbox: groups.update,
    limits: groups.limits,
    usage: groups.usage,
    oomKills: groups.oomKills,
  }).catch(error => {
    throw unusable(socket, error)
  })
  return {
    drivers: [driver],
    cgroupDriver,
    notes: [],
    async leave() {
      await clearRuntime(driver)
      await groups.removeAll()
    },
  }
}

/** Containers in a containerd of our own; a sentence where there can be none. */
async function own({ options, settings, nodeName, mode, clock, logger }: RuntimesDeps): Promise<Runtimes | string> {
  if (process.platform !== 'linux') return 'containers need Linux'
  if (process.getuid?.() !== 0) return 'containers need root'
  if (mode !== 'kernel') return `containers need the kernel network, and this is the ${mode} one`
  const { findPrograms } = await import('../agent/runtimes/containerd/find.ts')
  const programs = await findPrograms(process.env.PATH ?? '')
  if ('missing' in programs) return `${programs.missing}: install containerd and runc to run containers`
  const { openContainerd } = await import('../agent/runtimes/containerd/open.ts')
  const containerd = await openContainerd({
    programs,
    directory: join(options.dataDir, 'containerd'),
    cgroupRoot: groupsOf(nodeName),
    clock,
    logger,
    handlers: CONTAINERS,
    ...settings,
  })
  const { cgroupDriver = 'cgroupfs' } = settings ?? {}
  return { drivers: [containerd.driver], cgroupDriver, notes: [], leave: containerd.stop }
}

/** Throws `UserError` while containers of this cluster run in a containerd of ours: another runtime would run their pods, too. */
async function refuseSecond(dataDir: string, why: string): Promise<void> {
  const directory = join(dataDir, 'containerd')
  if (!existsSync(directory)) return
  const { shimsOf } = await import('../agent/runtimes/containerd/run-folder.ts')
  const { findShims } = await import('../agent/runtimes/containerd/shims.ts')
  const count = findShims(shimsOf(directory), false).length
  if (count)
    throw new UserError(
      `pods of this cluster run in containerd (${count}), and in another runtime they would run twice (${why})`,
      `End them first: tutti down. What containerd says: ${join(directory, 'log')}`,
    )
}

/** Ends what a containerd of ours ran that does not start any more. */
async function endWithoutContainerd({ options, settings, nodeName }: RuntimesDeps): Promise<void> {
  const directory = join(options.dataDir, 'containerd')
  // In a rootless cluster nobody may.
  if (!existsSync(directory) || isInside()) return
  const { removeRemains } = await import('../agent/runtimes/containerd/remains.ts')
  const { openPodGroups } = await import('../agent/runtimes/containerd/pod-groups.ts')
  await removeRemains(directory)
  await openPodGroups(groupsOf(nodeName), settings?.cgroupDriver ?? 'cgroupfs').removeAll()
}

/** Opens what runs containers: none where only processes are wanted or possible. Throws `UserError`. */
export async function openContainers(deps: RuntimesDeps): Promise<Runtimes> {
  const { runtime, runtimeEndpoint = deps.settings?.runtimeEndpoint, dataDir, ending } = deps.options
  if (runtimeEndpoint !== undefined) return given(runtimeEndpoint, deps)
  if (runtime === 'process') {
    if (!ending) await refuseSecond(dataDir, '--runtime process')
    return NOTHING
  }
  const found = await own(deps).catch((error: Error) => {
    deps.logger.warn({ err: error }, 'containerd could not be started')
    return `containerd does not start: ${error.message}`
  })
  if (typeof found !== 'string') return found
  if (ending) return { ...NOTHING, leave: () => endWithoutContainerd(deps) }
  if (runtime === 'containerd') throw new UserError(found, 'Let tutti take what there is: --runtime auto.')
  await refuseSecond(dataDir, found)
  const instead =
    deps.mode === 'portable'
      ? 'pods can run processes (image: host) only'
      : 'images run in namespaces that Tutti makes itself, which isolate less (docs/process-runtime.md)'
  return { ...NOTHING, notes: [`no container runtime (${found}): ${instead}`] }
}
