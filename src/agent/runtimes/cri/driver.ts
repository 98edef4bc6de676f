/**
 * Pods in containers of any runtime that speaks CRI v1 on a unix socket. The runtime keeps what runs; this driver keeps
 * what it was last told of it (known.ts), by the runtime's events. Logs are files that the runtime writes and the agent
 * reads; commands and ports go through the runtime's streaming server.
 */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { CommandStreams } from '../../../client/node-api.ts'
import { type Clock, sleep, within } from '../../../lib/clock.ts'
import { CallError, CODE, openChannel } from '../../../lib/grpc/channel.ts'
import type { Logger } from '../../../lib/log.ts'
import type { GroupUsage } from '../../cgroups/reading.ts'
import { dial } from '../dial.ts'
import { createImageFolders } from '../image-folders.ts'
import { makeMessageFile } from '../message-file.ts'
import { createOutage } from '../outage.ts'
import {
  type ContainerConfig,
  type Resources,
  type RuntimeDriver,
  RuntimeError,
  type RuntimeEvent,
  type SandboxConfig,
} from '../runtime.ts'
import { criContainer, criResources, criSandbox, logDirectory, type SandboxNote, type Translation } from './config.ts'
import { followEvents } from './events.ts'
import { createFollow } from './follow.ts'
import { createImages } from './images.ts'
import { createKnown } from './known.ts'
import { olderFiles, rotateLog } from './log-files.ts'
import { readLog } from './log-read.ts'
import { ready } from './ready.ts'
import { mountsImages, takesCdi } from './releases.ts'
import { type CriCall, criCalls } from './services.ts'
import { snapshotFolders } from './snapshots.ts'
import { statsOf } from './stats.ts'
import type { KnownContainer } from './status.ts'
import { copyCommand, forwardPort } from './streams.ts'

export interface CriDriverOptions extends Translation {
  /** Absolute path of the runtime's unix socket. */
  readonly socket: string
  readonly clock: Clock
  readonly logger: Logger
  /** RuntimeClass handlers that it serves. */
  readonly handlers: readonly string[]
  /** The runtime's own name of a handler; its default one where this gives ''. */
  runtimeHandler?(handler: string): string
  /** Called before a sandbox is made, and after it was removed or could not be made. */
  beforeSandbox?(config: SandboxConfig): Promise<void>
  afterSandbox?(note: SandboxNote): Promise<void>
  /** Limits of a running container as the kernel has them, for runtimes that do not say. */
  limits?(sandbox: SandboxNote, id: string): Resources | undefined
  /** Processes of a pod that the kernel has killed for want of memory, for runtimes that do not say. */
  oomKills?(sandbox: SandboxNote): number | undefined
  /** What the kernel tells of a running container, much of which CRI does not. */
  usage?(sandbox: SandboxNote, id: string): GroupUsage | undefined
  /** Changes the limits of a pod's own group. */
  updateSandbox?(note: SandboxNote, resources: Resources): Promise<void>
  /** Image of sandboxes, which is kept. */
  readonly sandboxImage?: string
  /** Takes in a file of images: CRI has no call for it. */
  importArchive?(file: string): Promise<readonly string[]>
  /** The connection to the runtime broke. */
  lost?(): void
  /** The driver was closed. */
  closed?(): void
}

/** A sandbox that is being made is so within this time (ms). */
const MAKING_MS = 30_000
/** How long a call waits for a runtime that is being started again (ms). */
const AWAY_MS = 20_000

/** Opens the driver and finds what runs already. Rejects with `CallError` when the runtime does not answer. */
export async function openCriDriver(options: CriDriverOptions): Promise<RuntimeDriver> {
  const { clock, logger, owner } = options
  const channel = await openChannel(options.socket)
  const plainCall = criCalls(channel)
  const scope = new AbortController()
  const listeners = new Set<(event: RuntimeEvent) => void>()
  const ended = new Map<string, Set<() => void>>()
  const rotations = new Map<string, () => void>()
  /** Sandboxes that are being made. */
  const making = new Set<Promise<string>>()
  /** Sandboxes of which nothing is left to stop. */
  const stopped = new Set<string>()
  const outage = createOutage(clock)
  let away: { readonly back: Promise<void>; readonly resolve: () => void } | undefined

  const emit = (event: RuntimeEvent) => {
    for (const listener of [...listeners]) listener(event)
  }
  /** Waits while the runtime is being started; a call that it was given before it went away is not repeated. */
  const call: CriCall = async (method, request, callOptions) => {
    if (away && !outage.isLong()) await Promise.race([away.back, sleep(clock, AWAY_MS, scope.signal)])
    return plainCall(method, request, callOptions)
  }
  const known = createKnown({
    call: plainCall,
    owner,
    ...(options.limits && { limits: options.limits }),
    ...(options.oomKills && { oomKills: options.oomKills }),
    changedSandbox: ({ status }) => emit({ type: 'sandbox', id: status.id, podUid: status.uid }),
    changedContainer(container) {
      const { id, state, podUid } = container.status
      if (state === 'running') rotate(container)
      else {
        rotations.get(id)?.()
        rotations.delete(id)
        for (const fn of ended.get(id) ?? []) fn()
        ended.delete(id)
      }
      emit({ type: 'container', id, podUid })
    },
  })
  const rotate = ({ logFile, status: { id } }: KnownContainer) => {
    if (!logFile || rotations.has(id)) return
    const reopen = async () => void (await call('ReopenContainerLog', { containerId: id }))
    rotations.set(id, rotateLog(logFile, { clock, logger, reopen }))
  }
  const onEnd = (id: string, fn: () => void) => {
    const all = ended.get(id) ?? new Set()
    ended.set(id, all.add(fn))
    return () => all.delete(fn)
  }
  const images = createImages(call, name => name === options.sandboxImage)

  const follow = createFollow({ known, clock, logger, signal: scope.signal })

  /** What the runtime is and can. */
  async function introduced() {
    const { runtimeName, runtimeVersion, status } = await ready(plainCall, clock)
    const { runtimeHandlers, features: ofAll } = status
    return { runtimeName, runtimeVersion, ofAll, features: runtimeHandlers.find(({ name }) => name === '')?.features }
  }
  const first = await introduced()
  let about = first
  await known.load()
  void followEvents(
    {
      channel,
      clock,
      logger,
      seen: follow.seen,
      async connected() {
        await known.load()
        // It may have come back as another release.
        if (away) about = await introduced()
        outage.over()
        away?.resolve()
        away = undefined
      },
      lost() {
        outage.began()
        if (!away) {
          const { promise, resolve } = Promise.withResolvers<void>()
          away = { back: promise, resolve }
        }
        options.lost?.()
      },
    },
    scope.signal,
  )

  const needContainer = (id: string): KnownContainer => {
    const container = known.containers.get(id)
    if (!container) throw new RuntimeError('NotFound', `container "${id}" is not known to the container runtime`)
    return container
  }
  const needSandbox = (id: string) => {
    const sandbox = known.sandboxes.get(id)
    if (!sandbox) throw new RuntimeError('NotFound', `sandbox "${id}" is not known to the container runtime`)
    return sandbox
  }
  const needRunning = (id: string): KnownContainer => {
    const container = needContainer(id)
    if (container.status.state !== 'running')
      throw new RuntimeError('ContainerNotRunning', `container "${container.status.name}" is not running`)
    return container
  }

  /** The file in which a container leaves its last words, made ready for any user. */
  function lastWords(note: SandboxNote, { name, attempt, terminationMessagePath }: ContainerConfig) {
    if (!terminationMessagePath) return undefined
    const folder = join(note.directory, 'runtime', 'messages')
    mkdirSync(folder, { recursive: true, mode: 0o755 })
    const file = join(folder, `${name}-${attempt}`)
    makeMessageFile(file)
    return file
  }
  const imageMounts = mountsImages(first.runtimeName, first.runtimeVersion)
  const imageFolders = createImageFolders(snapshotFolders(channel, call))
  const imagesOf = ({ directory, attempt }: SandboxNote) => join(directory, 'runtime', 'images', String(attempt))
  const settled = async () => void (await within(clock, MAKING_MS, Promise.allSettled(making)))
  async function makeSandbox(config: SandboxConfig) {
    const { labels, annotations, ...note } = config
    mkdirSync(logDirectory(config), { recursive: true, mode: 0o755 })
    await options.beforeSandbox?.(config)
    try {
      const runtimeHandler = options.runtimeHandler?.(config.handler) ?? ''
      const request = { config: criSandbox(note, options, { labels, annotations }), runtimeHandler }
      const { podSandboxId } = await told('run the sandbox', () => call('RunPodSandbox', request))
      await known.readSandbox(podSandboxId)
      return podSandboxId
    } catch (error) {
      await options.afterSandbox?.(note)
      throw error
    }
  }
  async function stopSandbox(id: string) {
    const sandbox = known.sandboxes.get(id)
    if (!sandbox || stopped.has(id)) return
    const running = known.ofSandbox(id).filter(({ status }) => status.state !== 'exited')
    await follow.ending([id, ...running.map(({ status }) => status.id)], () =>
      told('stop the sandbox', () => call('StopPodSandbox', { podSandboxId: id }), true),
    )
    await told('let go of images', () => imageFolders.close(imagesOf(sandbox.note)))
    if (known.sandboxes.get(id)?.status.state === 'stopped') stopped.add(id)
  }

  return {
    get version() {
      return `${about.runtimeName}://${about.runtimeVersion}`
    },
    get capabilities() {
      const { features, ofAll } = about
      return {
        handlers: options.handlers,
        survives: true,
        ownNetwork: options.ownNetwork,
        volumes: true,
        mounts: true,
        imageMounts,
        recursiveReadOnly: features?.recursiveReadOnlyMounts ?? false,
        userNamespaces: features?.userNamespaces ?? false,
        strictGroups: ofAll?.supplementalGroupsPolicy ?? false,
      }
    },
    outage,
    onEvent(handler) {
      listeners.add(handler)
      return () => listeners.delete(handler)
    },
    findImage: images.findImage,
    pullImage: images.pullImage,
    images: {
      list: images.list,
      remove: images.remove,
      folder: images.folder,
      async importArchive(file) {
        if (!options.importArchive)
          throw new RuntimeError('NotSupported', "images are imported by this container runtime's own tools")
        return options.importArchive(file)
      },
    },

    runSandbox(config) {
      const made = makeSandbox(config)
      making.add(made)
      const over = () => void making.delete(made)
      made.then(over, over)
      return made
    },
    stopSandbox,
    ...(!imageMounts && {
      imageFolder: (sandboxId: string, image: string) =>
        told('mount the image', () => imageFolders.open(imagesOf(needSandbox(sandboxId).note), image)),
    }),
    async removeSandbox(id) {
      const sandbox = known.sandboxes.get(id)
      if (!sandbox) return
      await stopSandbox(id)
      await told('remove the sandbox', () => call('RemovePodSandbox', { podSandboxId: id }), true)
      stopped.delete(id)
      known.forget(id)
      const { uid } = sandbox.status
      if (![...known.sandboxes.values()].some(({ status }) => status.uid === uid))
        await options.afterSandbox?.(sandbox.note)
    },
    sandboxStatus: async id => known.sandboxes.get(id)?.status,
    settled,
    listSandboxes: async () => [...known.sandboxes.values()].map(({ status }) => status),

    async createContainer(sandboxId, config) {
      const { note } = needSandbox(sandboxId)
      if (config.cdiDevices?.length && !takesCdi(about.runtimeName, about.runtimeVersion))
        throw new RuntimeError(
          'NotSupported',
          `the device ${config.cdiDevices[0]} by its CDI name needs containerd 1.7 or newer: this is ${about.runtimeVersion}`,
        )
      mkdirSync(join(logDirectory(note), config.name), { recursive: true, mode: 0o755 })
      const request = {
        podSandboxId: sandboxId,
        config: criContainer(note, config, options, lastWords(note, config)),
        sandboxConfig: criSandbox(note, options),
      }
      const { containerId } = await told('create the container', () => call('CreateContainer', request))
      await known.readContainer(containerId, sandboxId)
      return containerId
    },
    async startContainer(id) {
      const { status } = needContainer(id)
      try {
        await told('start the container', () => call('StartContainer', { containerId: id }))
      } catch (error) {
        await known.readContainer(id, status.sandboxId).catch(() => {})
        throw error
      }
      await known.readContainer(id, status.sandboxId)
    },
    async stopContainer(id, graceMs) {
      const container = known.containers.get(id)
      if (!container || container.status.state === 'exited') return
      const timeout = Math.ceil(graceMs / 1000)
      await follow.ending([id], () =>
        told('stop the container', () => call('StopContainer', { containerId: id, timeout }), true),
      )
    },
    async updateContainer(id, resources) {
      const { sandboxId } = needRunning(id).status
      await told('update the container', () =>
        call('UpdateContainerResources', { containerId: id, linux: criResources(resources) }),
      )
      await known.readContainer(id, sandboxId)
    },
    async updateSandbox(id, resources) {
      await options.updateSandbox?.(needSandbox(id).note, resources)
    },
    async removeContainer(id) {
      const container = known.containers.get(id)
      if (!container) return
      await told('remove the container', () => call('RemoveContainer', { containerId: id }), true)
      await known.readContainer(id, container.status.sandboxId)
      removeLog(container)
    },
    containerStatus: async id => known.containers.get(id)?.status,
    listContainers: async podUid =>
      [...known.containers.values()]
        .map(({ status }) => status)
        .filter(status => !podUid || status.podUid === podUid)
        .sort((a, b) => a.createdAt - b.createdAt),

    async exec(id, command, tty, streams) {
      needRunning(id)
      // A runtime refuses a command without any stream.
      const all = streams.stdin || streams.stdout || streams.stderr ? streams : { ...streams, stdout: async () => {} }
      const { url } = await told('exec', () =>
        call('Exec', {
          containerId: id,
          cmd: command,
          tty,
          stdin: all.stdin !== undefined,
          stdout: all.stdout !== undefined,
          stderr: all.stderr !== undefined && !tty,
        }),
      )
      return { exitCode: await copyCommand(url, tty, all) }
    },
    async execSync(id, command, timeoutMs) {
      needRunning(id)
      const timeout = Math.ceil(timeoutMs / 1000)
      const { stdout, stderr, exitCode } = await told('exec', () =>
        call('ExecSync', { containerId: id, cmd: command, timeout }, { timeoutMs: timeoutMs + 2000 }),
      )
      return { exitCode, output: Buffer.concat([stdout, stderr]).toString() }
    },
    async attach(id, { tty }, streams: CommandStreams) {
      const { note } = needRunning(id)
      const { stdin, ...outputs } = streams
      const wanted: CommandStreams = note.stdin && stdin ? { ...outputs, stdin } : outputs
      const { url } = await told('attach', () =>
        call('Attach', {
          containerId: id,
          tty,
          stdin: wanted.stdin !== undefined,
          stdout: wanted.stdout !== undefined,
          stderr: wanted.stderr !== undefined && !tty,
        }),
      )
      await copyCommand(url, tty, wanted)
    },
    async logs(id, logOptions, signal) {
      const { logFile } = needContainer(id)
      const running = () => ['running', 'created'].includes(known.containers.get(id)?.status.state ?? 'exited')
      return readLog(logFile, logOptions, { now: clock.now(), running, onEnd: fn => onEnd(id, fn), signal })
    },
    async connect(sandboxId, port, via) {
      const { ips } = needSandbox(sandboxId).status
      const [ip] = ips
      try {
        if (ip) return await dial(ip, port)
      } catch (cause) {
        if (via === 'address')
          throw new RuntimeError('PortForwardError', `dial tcp ${ip}:${port}: connect: connection refused`, { cause })
      }
      if (via === 'address') throw new RuntimeError('PortForwardError', 'the pod has no address')
      // It may listen on the pod's loopback alone.
      const { url } = await told('port-forward', () => call('PortForward', { podSandboxId: sandboxId, port: [port] }))
      return forwardPort(url, port)
    },
    async disk(id) {
      const container = known.containers.get(id)
      if (!container) return undefined
      const { logFile } = container
      const { stats } = await call('ContainerStats', { containerId: id })
      const bytes = stats?.writableLayer?.usedBytes?.value ?? 0
      return { folders: logFile ? [logFile, ...olderFiles(logFile)] : [], bytes }
    },
    async stats(id) {
      const container = known.containers.get(id)
      if (container?.status.state !== 'running') return undefined
      const { stats } = await call('ContainerStats', { containerId: id })
      const sandbox = known.sandboxes.get(container.status.sandboxId)
      return stats && statsOf(stats, container.status, sandbox && options.usage?.(sandbox.note, id))
    },
    async close() {
      // One that was made after this would be known to nobody.
      await settled()
      scope.abort()
      for (const end of rotations.values()) end()
      listeners.clear()
      channel.close()
      options.closed?.()
    },
  }
}

/** Failures of the runtime as the agent's; with `goneIsDone` what is not there any more is no failure. */
async function told<T>(what: string, work: () => Promise<T>, goneIsDone = false): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof CallError)) throw error
    if (goneIsDone && error.code === CODE.notFound) return undefined as T
    if (error.code === CODE.unavailable)
      throw new RuntimeError('RuntimeUnavailable', `cannot ${what}: the container runtime is away: ${error.message}`, {
        cause: error,
      })
    const reason = error.code === CODE.deadlineExceeded ? 'DeadlineExceeded' : 'RuntimeError'
    throw new RuntimeError(reason, error.message, { cause: error })
  }
}

/** A container's log goes with it, and so do the files that were put aside. */
function removeLog({ logFile, note }: KnownContainer) {
  if (note.message) rmSync(note.message, { force: true })
  for (const file of logFile ? [...olderFiles(logFile), logFile] : []) rmSync(file, { force: true })
}
