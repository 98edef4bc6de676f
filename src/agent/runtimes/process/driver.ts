/**
 * Pods as plain processes on the machine's own files (`image: host`). Where namespaces may be made, each container has
 * its own mounts, host name and process ids, and shares its pod's network; elsewhere (portable mode) it shares the
 * machine's. Processes, their logs and exit codes do not depend on this program: see supervisor.ts.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CommandStreams } from '../../../client/node-api.ts'
import { readJsonFile } from '../../../lib/atomic-file.ts'
import type { Clock } from '../../../lib/clock.ts'
import { lazy } from '../../../lib/lazy.ts'
import type { Logger } from '../../../lib/log.ts'
import { podGroup } from '../../cgroups/pod-group.ts'
import type { ImageStore } from '../../images/store.ts'
import { createImageFolders } from '../image-folders.ts'
import { makeMessageFile } from '../message-file.ts'
import { unmountSync } from '../overlay.ts'
import {
  type ContainerConfig,
  type Resources,
  type RuntimeDriver,
  RuntimeError,
  type RuntimeEvent,
  type SandboxConfig,
} from '../runtime.ts'
import { attachTo } from './attach.ts'
import { checkConfinement, ownFilter } from './confinement.ts'
import { connectSandbox } from './connect.ts'
import { type Container, createContainerLife, type Sandbox } from './container-life.ts'
import { endCopier } from './copier.ts'
import { joining, runCommand, withTerminal } from './exec.ts'
import { openLog } from './log.ts'
import { readLog } from './log-read.ts'
import { createPlacement, DEFAULT_PATH, sharesPids } from './placement.ts'
import { findPlatform } from './platform.ts'
import { createPodIpcs, ipcOf } from './pod-ipc.ts'
import { endFirstProcess, startFirstProcess } from './pod-pids.ts'
import { bootId, environ } from './proc.ts'
import {
  type ContainerState,
  containerFolders,
  readPids,
  removeFolder,
  reserveExit,
  type SandboxState,
  sandboxFolders,
  save,
  startOf,
} from './state.ts'
import { containerStats, containerStatus, sandboxStatus } from './status.ts'
import { isHostImage, processImages, storeImages } from './store-images.ts'
import { splitVariables } from './supervisor.ts'
import { podUsersProblem } from './users/calls.ts'

export interface ProcessDriverOptions {
  /** The agent's folder of pods: sandboxes are found again below it. */
  readonly podsDirectory: string
  /** This node's folder in every cgroup hierarchy, e.g. `tutti/node-1`. */
  readonly cgroupRoot: string
  readonly clock: Clock
  readonly logger: Logger
  /** RuntimeClass handlers; `process` and the default when absent. */
  readonly handlers?: readonly string[]
  /** PATH of processes that set none; that of this program when absent. */
  readonly path?: string
  /** Images that containers may run, where namespaces can be made; absent: only the machine's own files. */
  readonly images?: {
    open(): Promise<ImageStore>
    /** Nothing was ever put into the store. */
    isEmpty?(): boolean
    readonly toolsFolder: string
  }
  /** false: portable mode even where namespaces could be made. */
  readonly namespaces?: boolean
  readonly version?: string
}

/** Opens the driver and finds what runs already. */
export async function openProcessDriver(options: ProcessDriverOptions): Promise<RuntimeDriver> {
  const { clock, logger, podsDirectory } = options
  const platform = findPlatform(options)
  const placement = createPlacement(platform, options.path ?? process.env.PATH ?? DEFAULT_PATH)
  const boot = bootId()
  const ipcs = createPodIpcs(platform)
  const images = lazy(async () => {
    if (!options.images || !platform.namespaces) return undefined
    const store = await options.images.open()
    const { createImageContainers } = await import('./image-container.ts')
    return createImageContainers(store, options.images.toolsFolder, placement, platform)
  })
  const withoutUsers = options.images ? podUsersProblem(platform) : 'it has no images'
  const userNamespaces = withoutUsers === undefined ? { userNamespaces: true } : { withoutUserNamespaces: withoutUsers }
  const sandboxes = new Map<string, Sandbox>()
  const containers = new Map<string, Container>()
  const handlers = new Set<(event: RuntimeEvent) => void>()
  const scope = new AbortController()

  const emit = (type: RuntimeEvent['type'], id: string, podUid: string) => {
    for (const handler of [...handlers]) handler({ type, id, podUid })
  }
  const changed = (container: Container) => emit('container', container.id, container.sandbox.state.config.uid)
  const life = createContainerLife({
    platform,
    placement,
    images,
    ipcs,
    clock,
    isClosed: () => scope.signal.aborted,
    find: id => containers.get(id),
    changed,
  })
  const need = (id: string): Container => {
    const container = containers.get(id)
    if (!container) throw new RuntimeError('NotFound', `container "${id}" is not known to the process runtime`)
    return container
  }
  const needSandbox = (id: string): Sandbox => {
    const sandbox = sandboxes.get(id)
    if (!sandbox) throw new RuntimeError('NotFound', `sandbox "${id}" is not known to the process runtime`)
    return sandbox
  }
  const groupOf = ({ qosClass, uid }: SandboxConfig) => podGroup(qosClass, uid)
  const ofSandbox = (sandbox: Sandbox) => [...containers.values()].filter(each => each.sandbox === sandbox)

  const recover = () => {
    for (const folder of sandboxFolders(podsDirectory)) {
      const state = readJsonFile<SandboxState>(join(folder, 'sandbox.json'))
      if (!state) continue
      const sandbox: Sandbox = {
        id: state.id,
        folder,
        state: state.bootId === boot ? state : { ...state, stopped: true },
      }
      sandboxes.set(state.id, sandbox)
      for (const each of containerFolders(folder)) recoverContainer(sandbox, each)
    }
  }
  const recoverContainer = (sandbox: Sandbox, folder: string) => {
    const state = readJsonFile<ContainerState>(join(folder, 'container.json'))
    const pids = readPids(folder)
    // Not started: forgotten. A supervisor on its way finds no folder to write its pid to, and gives up.
    if (!state || (!pids && state.failure === undefined)) {
      if (state?.image) unmountSync(join(folder, 'root'))
      endCopier(folder)
      return removeFolder(folder)
    }
    const container: Container = {
      id: state.id,
      sandbox,
      folder,
      state,
      phase: 'running',
      startedAt: startOf(state, pids),
      finishedAt: 0,
      attached: true,
      ended: new Set(),
      log: openLog(folder, clock),
    }
    containers.set(state.id, container)
    if (pids) {
      container.supervisor = pids.supervisor
      container.main = pids.main
    }
    if (state.failure !== undefined) {
      container.phase = 'exited'
      container.exitCode = 128
      container.reason = 'StartError'
      container.message = state.failure
      container.finishedAt = container.startedAt
      container.log?.close()
      return
    }
    life.adopt(container, sandbox.state.bootId === boot)
  }

  /** Variables live here between create and start only: they may be secrets. */
  const pendingEnv = new Map<string, ContainerConfig['env']>()

  function changeLimits(group: string, resources: Resources) {
    try {
      platform.cgroups?.update(group, resources)
    } catch (error) {
      throw new RuntimeError(
        'UpdateContainerError',
        `the limits of ${group} cannot be changed: ${(error as Error).message}`,
      )
    }
  }
  const imageFolders = createImageFolders({
    async layers(image) {
      const store = (await images.load())?.store
      const found = store?.get(image)
      if (!store || !found) throw new RuntimeError('CreateContainerError', `image "${image}" is not present any more`)
      return { folder: store.layersFolder, layers: store.layers(found) }
    },
  })
  const imagesOf = ({ folder, id }: Sandbox) => join(folder, 'images', id.slice(0, 16))
  async function stopSandbox(id: string) {
    const sandbox = sandboxes.get(id)
    if (!sandbox || sandbox.state.stopped) return
    await Promise.all(ofSandbox(sandbox).map(container => life.stop(container, 0)))
    await imageFolders.close(imagesOf(sandbox))
    sandbox.state = { ...sandbox.state, stopped: true }
    if (existsSync(sandbox.folder)) save(join(sandbox.folder, 'sandbox.json'), sandbox.state)
    platform.cgroups?.remove(groupOf(sandbox.state.config))
    endFirstProcess(sandbox.folder)
    await ipcs.end(sandbox.folder)
    emit('sandbox', id, sandbox.state.config.uid)
  }
  async function removeContainer(id: string) {
    const container = containers.get(id)
    if (!container) return
    await life.stop(container, 0)
    container.log?.close()
    containers.delete(id)
    pendingEnv.delete(id)
    await container.unmounted
    removeFolder(container.folder)
  }

  recover()
  logger.debug(
    { namespaces: platform.namespaces, cgroups: platform.cgroups?.version, found: containers.size },
    'process runtime is open',
  )

  return {
    version: `process://${options.version ?? '0.1.0'}`,
    capabilities: {
      handlers: options.handlers ?? ['', 'process'],
      survives: true,
      ownNetwork: false,
      volumes: true,
      mounts: platform.namespaces,
      recursiveReadOnly: platform.namespaces,
      strictGroups: true,
      ...userNamespaces,
    },
    onEvent(handler) {
      handlers.add(handler)
      return () => handlers.delete(handler)
    },
    ...processImages(async () => (await images.load())?.store, scope.signal),
    ...(options.images &&
      platform.namespaces && {
        images: storeImages(
          async () => (await images.load())!.store,
          () => options.images?.isEmpty?.() ?? false,
        ),
      }),
    async runSandbox(config) {
      const id = randomBytes(32).toString('hex')
      const folder = join(config.directory, 'runtime')
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      const state: SandboxState = { id, config, createdAt: clock.now(), bootId: boot, stopped: false }
      writeFileSync(join(folder, 'hostname'), `${config.hostname}\n`)
      if (Object.keys(config.sysctls ?? {}).length > 0) await ipcs.make(folder, config)
      if (sharesPids(config) && platform.namespaces) await startFirstProcess(folder, platform)
      save(join(folder, 'sandbox.json'), state)
      sandboxes.set(id, { id, folder, state })
      platform.cgroups?.create(groupOf(config), config.resources)
      return id
    },
    stopSandbox,
    ...(platform.namespaces && {
      imageFolder: (sandboxId: string, image: string) => imageFolders.open(imagesOf(needSandbox(sandboxId)), image),
    }),
    async removeSandbox(id) {
      const sandbox = sandboxes.get(id)
      if (!sandbox) return
      await stopSandbox(id)
      await Promise.all(ofSandbox(sandbox).map(container => removeContainer(container.id)))
      sandboxes.delete(id)
      // Another sandbox of the same pod may live in this folder by now.
      if (![...sandboxes.values()].some(other => other.folder === sandbox.folder)) removeFolder(sandbox.folder)
    },
    async sandboxStatus(id) {
      const sandbox = sandboxes.get(id)
      return sandbox && sandboxStatus(sandbox)
    },
    listSandboxes: async () => [...sandboxes.values()].map(sandboxStatus),

    async createContainer(sandboxId, { env, ...config }) {
      const sandbox = needSandbox(sandboxId)
      if (sandbox.state.stopped) throw new RuntimeError('CreateContainerError', `sandbox "${sandboxId}" is stopped`)
      checkConfinement(config, platform, sandbox.state.config)
      const image = isHostImage(config.image) ? undefined : (await images.load())?.choose(config)
      if (!image && config.command.length + config.args.length === 0) {
        throw new RuntimeError('CreateContainerError', 'no command specified: image "host" has none of its own')
      }
      const filter = ownFilter(config)
      const id = randomBytes(32).toString('hex')
      const folder = join(sandbox.folder, `${config.name}-${config.attempt}-${id.slice(0, 8)}`)
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      reserveExit(folder)
      if (config.terminationMessagePath) makeMessageFile(join(folder, 'message'))
      const cgroup = `${groupOf(sandbox.state.config)}/${config.name}-${config.attempt}-${id.slice(0, 8)}`
      const state: ContainerState = {
        id,
        config,
        createdAt: clock.now(),
        cgroup,
        ...(image && { image }),
        ...(filter && { filter }),
      }
      save(join(folder, 'container.json'), state)
      pendingEnv.set(id, env)
      containers.set(id, {
        id,
        sandbox,
        folder,
        state,
        phase: 'created',
        startedAt: 0,
        finishedAt: 0,
        attached: false,
        ended: new Set(),
        log: openLog(folder, clock),
      })
      return id
    },
    async startContainer(id) {
      const container = need(id)
      if (container.phase !== 'created') return
      try {
        const env = pendingEnv.get(id) ?? []
        pendingEnv.delete(id)
        await life.start(container, env)
      } catch (error) {
        const problem =
          error instanceof RuntimeError ? error : new RuntimeError('StartError', String(error), { cause: error })
        life.failed(container, problem)
        throw problem
      }
    },
    async stopContainer(id, graceMs) {
      const container = containers.get(id)
      if (container) await life.stop(container, graceMs)
    },
    async updateContainer(id, resources) {
      const container = need(id)
      changeLimits(container.state.cgroup, resources)
      container.state = {
        ...container.state,
        config: { ...container.state.config, resources: { ...container.state.config.resources, ...resources } },
      }
      save(join(container.folder, 'container.json'), container.state)
    },
    async updateSandbox(id, resources) {
      changeLimits(groupOf(needSandbox(id).state.config), resources)
    },
    removeContainer,
    async containerStatus(id) {
      const container = containers.get(id)
      return container && containerStatus(container)
    },
    listContainers: async podUid =>
      [...containers.values()].filter(each => !podUid || each.sandbox.state.config.uid === podUid).map(containerStatus),

    async exec(id, command, tty, streams) {
      const container = need(id)
      const { main } = container
      if (container.phase !== 'running' || !main) {
        throw new RuntimeError('ContainerNotRunning', `container "${container.state.config.name}" is not running`)
      }
      const sandbox = container.sandbox.state.config
      const { config, image } = container.state
      const words = command.map(word => placement.text(word, container))
      const { TERM: _, ...variables } = environ(main.pid) ?? placement.environment(container, [])
      const { plain: env, held } = splitVariables(variables)
      const own = image && (await images.load())
      const [rights, envTool, script] = own
        ? [own.rights(container.state, image.user!), own.tools.command('env'), own.tools.command('script')]
        : [placement.credentials(container.state), ['/usr/bin/env'], platform.tools.script]
      return runCommand(
        { platform, clock },
        // The terminal is made inside: a session of another pid namespace would have no job control.
        [
          ...joining(platform.cgroups?.entries(container.state.cgroup) ?? []),
          ...placement.execPrefix(sandbox, main.pid, ipcOf(container.sandbox.folder)),
          ...rights,
          ...(held.length > 0 ? [...envTool, ...held] : []),
          ...(tty ? withTerminal(script, words) : words),
        ],
        {
          env,
          cwd: platform.namespaces ? undefined : placement.text(config.workingDir || '/', container),
          tty,
          folder: container.folder,
        },
        streams,
      )
    },
    async attach(id, options, streams: CommandStreams) {
      const container = need(id)
      const log = container.log
      if (container.phase !== 'running' || !log || !container.main) {
        throw new RuntimeError('ContainerNotRunning', `container "${container.state.config.name}" is not running`)
      }
      // The first to join an interactive container sees what it printed while nobody could.
      const from = container.state.config.stdin && !container.attached ? log.head() : log.size()
      container.attached = true
      await attachTo(
        { platform, clock },
        { folder: container.folder, config: container.state.config, pid: container.main.pid, log, from },
        { running: () => container.phase === 'running', onEnd: fn => onEnd(container, fn) },
        options,
        streams,
      )
    },
    async logs(id, options, abort) {
      const container = need(id)
      const log = container.log
      if (!log) throw new RuntimeError('NotFound', `container "${container.state.config.name}" has no log`)
      return readLog(log, options, {
        now: clock.now(),
        running: () => container.phase === 'running' || container.phase === 'created',
        onEnd: fn => onEnd(container, fn),
        signal: abort,
      })
    },
    async connect(sandboxId, port, via) {
      const { config } = needSandbox(sandboxId).state
      return connectSandbox({ ...config, nsenter: platform.tools.nsenter }, port, via)
    },
    async disk(id) {
      const container = containers.get(id)
      return container && { folders: [container.folder], bytes: 0 }
    },
    async stats(id) {
      const container = containers.get(id)
      return container && containerStats(container, platform, clock)
    },
    async close() {
      scope.abort()
      for (const container of containers.values()) {
        container.unwatch?.()
        container.stop?.timer.cancel()
        container.log?.close()
      }
      handlers.clear()
      platform.cgroups?.remove('')
    },
  }
}

function onEnd(container: Container, fn: () => void): () => void {
  container.ended.add(fn)
  return () => container.ended.delete(fn)
}
