/**
 * Pods as plain processes on the machine's own files (`image: host`). Where namespaces may be made, each container has
 * its own mounts, host name and process ids, and shares its pod's network; elsewhere (portable mode) it shares the
 * machine's. Processes, their logs and exit codes do not depend on this program: see supervisor.ts.
 */
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  type FSWatcher,
  mkdirSync,
  readFileSync,
  unlinkSync,
  watch,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { CommandStreams } from '../../../client/node-api.ts'
import type { Clock, Timer } from '../../../lib/clock.ts'
import type { Logger } from '../../../lib/log.ts'
import {
  type ContainerConfig,
  type ContainerStatus,
  type RuntimeDriver,
  RuntimeError,
  type RuntimeEvent,
  type SandboxConfig,
  type SandboxStatus,
} from '../runtime.ts'
import { attachTo } from './attach.ts'
import { connectSandbox } from './connect.ts'
import { runCommand, withTerminal } from './exec.ts'
import { type ContainerLog, openLog } from './log.ts'
import { readLog } from './log-read.ts'
import { planMounts } from './mounts.ts'
import { createPlacement, DEFAULT_PATH, MARK } from './placement.ts'
import { commandProblem, findPlatform } from './platform.ts'
import { alive, bootId, descendants, environ, marked, type ProcessRef, signal, usage } from './proc.ts'
import {
  type ContainerState,
  containerFolders,
  load,
  readExit,
  readPids,
  removeFolder,
  reserveExit,
  type SandboxState,
  sandboxFolders,
  save,
} from './state.ts'
import { launch } from './supervisor.ts'

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
  /** false: portable mode even where namespaces could be made. */
  readonly namespaces?: boolean
  readonly version?: string
}

interface Sandbox {
  readonly id: string
  readonly folder: string
  state: SandboxState
}

interface Container {
  readonly id: string
  readonly sandbox: Sandbox
  readonly folder: string
  state: ContainerState
  phase: ContainerStatus['state']
  startedAt: number
  finishedAt: number
  exitCode?: number
  reason?: string
  message?: string
  supervisor?: ProcessRef
  main?: ProcessRef
  log?: ContainerLog
  attached: boolean
  /** Ends the watch of a supervisor that is not our child. */
  unwatch?: () => void
  /** Called once when it has ended. */
  readonly ended: Set<() => void>
  stop?: { deadline: number; timer: Timer }
}

const MESSAGE_LIMIT = 4096

/** Opens the driver and finds what runs already. */
export async function openProcessDriver(options: ProcessDriverOptions): Promise<RuntimeDriver> {
  const { clock, logger, podsDirectory } = options
  const platform = findPlatform(options)
  const placement = createPlacement(platform, options.path ?? process.env.PATH ?? DEFAULT_PATH)
  const boot = bootId()
  const sandboxes = new Map<string, Sandbox>()
  const containers = new Map<string, Container>()
  const handlers = new Set<(event: RuntimeEvent) => void>()
  let closed = false

  const emit = (type: RuntimeEvent['type'], id: string, podUid: string) => {
    for (const handler of [...handlers]) handler({ type, id, podUid })
  }
  const changed = (container: Container) => emit('container', container.id, container.sandbox.state.config.uid)
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
  /** Its own process ids: then the supervisor's end is the end of everything. */
  const ownPids = (container: Container) => placement.ownPids(container.sandbox.state.config)
  const podGroup = (config: SandboxConfig) => `${config.qosClass.toLowerCase() || 'besteffort'}/pod${config.uid}`
  const ofSandbox = (sandbox: Sandbox) => [...containers.values()].filter(each => each.sandbox === sandbox)

  /** Processes of a container that no pid namespace would take along. */
  const strays = (container: Container): number[] =>
    ownPids(container)
      ? []
      : [...(platform.cgroups?.processes(container.state.cgroup) ?? []), ...marked(`${MARK}=${container.id}`)]
  const killStrays = (container: Container) => {
    // A process may fork while it is being killed: again until none is left, within reason.
    for (let turn = 0; turn < 20; turn++) {
      const pids = strays(container).filter(pid => pid !== container.supervisor?.pid && pid !== process.pid)
      if (pids.length === 0) return
      for (const pid of pids) {
        try {
          process.kill(pid, 'SIGKILL')
        } catch {
          // Gone already.
        }
      }
    }
  }

  /** The supervisor is gone: what it left tells how the container ended. */
  const ended = (container: Container) => {
    if (container.phase === 'exited' || closed) return
    container.unwatch?.()
    container.stop?.timer.cancel()
    killStrays(container)
    const exit = readExit(container.folder)
    container.phase = 'exited'
    container.exitCode = exit?.code ?? 137
    container.finishedAt = Math.max(exit?.at ?? clock.now(), container.startedAt)
    const oom = container.exitCode === 137 && (platform.cgroups?.oomKills(container.state.cgroup) ?? 0) > 0
    container.reason = oom ? 'OOMKilled' : container.exitCode === 0 ? 'Completed' : 'Error'
    finishText(container)
    release(container)
  }
  const finishText = (container: Container) => {
    const message = readText(join(container.folder, 'message'), MESSAGE_LIMIT)
    if (message) container.message = message
    container.log?.look()
  }
  const release = (container: Container) => {
    container.log?.close()
    platform.cgroups?.remove(container.state.cgroup)
    for (const fn of [...container.ended]) fn()
    container.ended.clear()
    changed(container)
  }
  const failed = (container: Container, error: RuntimeError) => {
    container.state = { ...container.state, failure: error.message }
    save(join(container.folder, 'container.json'), container.state)
    container.phase = 'exited'
    container.exitCode = 128
    container.reason = 'StartError'
    container.message = error.message
    container.startedAt = container.finishedAt = clock.now()
    release(container)
  }

  /** Waits for a supervisor that an earlier Tutti started. */
  const watchSupervisor = (container: Container) => {
    const supervisor = container.supervisor!
    const check = () => {
      if (!alive(supervisor)) ended(container)
    }
    let watcher: FSWatcher | undefined
    let timer: Timer | undefined
    try {
      // Its files are closed a moment before it is gone.
      const leaving = () => {
        check()
        if (container.phase === 'running') timer = clock.after(2, leaving)
      }
      watcher = watch(`/proc/${supervisor.pid}/fd/9`, { persistent: false }, type => {
        if (type === 'rename' && !timer) leaving()
      })
      watcher.on('error', () => {})
      removeFile(join(container.folder, 'alive'))
    } catch {
      // No /proc (or no more watches): the only wait in the driver that has to look again and again.
      const again = () => {
        check()
        if (container.phase === 'running') timer = clock.after(1000, again)
      }
      timer = clock.after(1000, again)
    }
    container.unwatch = () => {
      watcher?.close()
      timer?.cancel()
    }
    check()
  }

  const recover = () => {
    for (const folder of sandboxFolders(podsDirectory)) {
      const state = load<SandboxState>(join(folder, 'sandbox.json'))
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
    const state = load<ContainerState>(join(folder, 'container.json'))
    const pids = readPids(folder)
    // Not started: forgotten. A supervisor on its way finds no folder to write its pid to, and gives up.
    if (!state || (!pids && state.failure === undefined)) return removeFolder(folder)
    const container: Container = {
      id: state.id,
      sandbox,
      folder,
      state,
      phase: 'running',
      startedAt: pids?.at ?? state.createdAt,
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
    if (sandbox.state.bootId === boot && alive(container.supervisor!)) watchSupervisor(container)
    else ended(container)
  }

  /** Variables live here between create and start only: they may be secrets. */
  const pendingEnv = new Map<string, ContainerConfig['env']>()

  async function start(container: Container) {
    const { config } = container.state
    const sandbox = container.sandbox.state.config
    const env = placement.environment(container, pendingEnv.get(container.id) ?? [])
    pendingEnv.delete(container.id)
    const text = (value: string) => placement.text(value, container)
    let command = [...config.command, ...config.args].map(text)
    const workingDir = text(config.workingDir || '/')
    const onMachine = (file: string) => {
      const mount = config.mounts.find(each => file === each.containerPath || file.startsWith(`${each.containerPath}/`))
      return mount && platform.namespaces ? mount.hostPath + file.slice(mount.containerPath.length) : file
    }
    const problem = commandProblem(command[0] ?? '', env.PATH ?? DEFAULT_PATH, workingDir, onMachine)
    if (problem) throw new RuntimeError('StartError', `failed to start container process: ${problem}`)
    if (config.tty) command = withTerminal(platform, command)
    command = [...placement.credentials(config), ...command]
    const staging = join(container.folder, 'root')
    const plan = platform.namespaces
      ? planMounts(placement.binds(container), staging, {
          newProc: !sandbox.hostPID,
          readOnly: config.readOnlyRootFilesystem,
        })
      : undefined
    const table = plan?.table ? join(container.folder, 'mounts') : undefined
    if (table) writeFileSync(table, plan!.table)
    const groups = platform.cgroups?.create(container.state.cgroup, config.resources) ?? []
    const supervisor = await launch(
      {
        directory: container.folder,
        prefix: placement.startPrefix(sandbox),
        mountTable: table,
        hostname: platform.namespaces && !sandbox.hostNetwork ? sandbox.hostname : undefined,
        root: plan?.root,
        workingDir,
        input: config.stdin ? (config.stdinOnce ? 'once' : 'fifo') : 'null',
        groups,
        command,
        env,
      },
      () => {
        if (container.phase === 'running') ended(container)
        else container.phase = container.phase === 'created' ? 'unknown' : container.phase
      },
    )
    const pids = readPids(container.folder)
    if (!pids)
      throw new RuntimeError('StartError', `the supervisor of ${config.name} left no pid in ${container.folder}`)
    container.supervisor = pids.supervisor
    container.main = pids.main
    container.startedAt = pids.at
    const over = container.phase === 'unknown' || supervisor.exitCode !== null || supervisor.signalCode !== null
    container.phase = 'running'
    removeFile(join(container.folder, 'alive'))
    changed(container)
    if (over) ended(container)
  }

  const kill = (container: Container) => {
    if (container.phase !== 'running') return
    // The main process first, so that its supervisor can note the code; with its own pids everything ends with it.
    if (!container.main || !signal(container.main, 'SIGKILL')) {
      if (container.supervisor) signal(container.supervisor, 'SIGKILL')
    }
    killStrays(container)
  }

  async function stop(container: Container, graceMs: number): Promise<void> {
    if (container.phase !== 'running') return
    const gone = new Promise<void>(resolve => {
      container.ended.add(resolve)
    })
    const deadline = clock.elapsed() + graceMs
    if (container.stop && container.stop.deadline <= deadline) return gone
    const first = container.stop === undefined
    container.stop?.timer.cancel()
    container.stop = { deadline, timer: clock.after(graceMs, () => kill(container)) }
    const asked = (container.state.config.stopSignal ?? 'SIGTERM') as NodeJS.Signals
    if (graceMs <= 0) kill(container)
    else if (first) {
      // `script` between Tutti and a terminal's process passes no signal on: everything below it is asked.
      const targets = container.state.config.tty && container.main ? descendants(container.main.pid).slice(1) : []
      for (const pid of targets) {
        try {
          process.kill(pid, asked)
        } catch {
          // Gone already.
        }
      }
      if (targets.length === 0 && container.main) signal(container.main, asked)
    }
    return gone
  }

  const status = (container: Container): ContainerStatus => {
    const { config, createdAt } = container.state
    return {
      id: container.id,
      sandboxId: container.sandbox.id,
      podUid: container.sandbox.state.config.uid,
      name: config.name,
      attempt: config.attempt,
      state: container.phase,
      image: config.image,
      imageId: '',
      annotations: config.annotations,
      createdAt,
      startedAt: container.startedAt,
      finishedAt: container.finishedAt,
      ...(container.phase === 'exited' ? { exitCode: container.exitCode ?? 0, reason: container.reason ?? '' } : {}),
      ...(container.message ? { message: container.message } : {}),
      ...(container.main && container.phase === 'running' ? { pid: container.main.pid } : {}),
    }
  }
  const sandboxStatus = (sandbox: Sandbox): SandboxStatus => {
    const { config, createdAt, stopped } = sandbox.state
    const { namespace, name, uid, attempt, ips } = config
    return { id: sandbox.id, namespace, name, uid, attempt, state: stopped ? 'stopped' : 'ready', createdAt, ips }
  }
  async function stopSandbox(id: string) {
    const sandbox = sandboxes.get(id)
    if (!sandbox || sandbox.state.stopped) return
    await Promise.all(ofSandbox(sandbox).map(container => stop(container, 0)))
    sandbox.state = { ...sandbox.state, stopped: true }
    if (existsSync(sandbox.folder)) save(join(sandbox.folder, 'sandbox.json'), sandbox.state)
    platform.cgroups?.remove(podGroup(sandbox.state.config))
    emit('sandbox', id, sandbox.state.config.uid)
  }
  async function removeContainer(id: string) {
    const container = containers.get(id)
    if (!container) return
    await stop(container, 0)
    container.log?.close()
    containers.delete(id)
    pendingEnv.delete(id)
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
    },
    onEvent(handler) {
      handlers.add(handler)
      return () => handlers.delete(handler)
    },
    async ensureImage(image) {
      if (image === 'host' || image === 'docker.io/library/host' || image === 'host:latest') {
        return { imageId: '', pulled: false }
      }
      throw new RuntimeError(
        'ImageNotSupported',
        `image "${image}" needs a container runtime, and this pod runs on the process runtime, which has only the ` +
          'machine\'s own files: set "image: host" to run the command as a process, or choose a RuntimeClass of a node ' +
          'that runs containers',
      )
    },
    async runSandbox(config) {
      if (config.shareProcessNamespace && platform.namespaces) {
        throw new RuntimeError(
          'NotSupported',
          'shareProcessNamespace is not supported by the process runtime: remove it, or run the pod with a container runtime',
        )
      }
      const id = randomBytes(32).toString('hex')
      const folder = join(config.directory, 'runtime')
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      const state: SandboxState = { id, config, createdAt: clock.now(), bootId: boot, stopped: false }
      writeFileSync(join(folder, 'hostname'), `${config.hostname}\n`)
      save(join(folder, 'sandbox.json'), state)
      sandboxes.set(id, { id, folder, state })
      platform.cgroups?.create(podGroup(config), config.resources)
      return id
    },
    stopSandbox,
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
      if (config.command.length + config.args.length === 0) {
        throw new RuntimeError('CreateContainerError', 'no command specified: image "host" has none of its own')
      }
      const id = randomBytes(32).toString('hex')
      const folder = join(sandbox.folder, `${config.name}-${config.attempt}-${id.slice(0, 8)}`)
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      reserveExit(folder)
      if (config.terminationMessagePath) {
        writeFileSync(join(folder, 'message'), '')
        chmodSync(join(folder, 'message'), 0o666)
      }
      const cgroup = `${podGroup(sandbox.state.config)}/${config.name}-${config.attempt}-${id.slice(0, 8)}`
      const state: ContainerState = { id, config, createdAt: clock.now(), cgroup }
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
        await start(container)
      } catch (error) {
        const problem =
          error instanceof RuntimeError ? error : new RuntimeError('StartError', String(error), { cause: error })
        failed(container, problem)
        throw problem
      }
    },
    async stopContainer(id, graceMs) {
      const container = containers.get(id)
      if (container) await stop(container, graceMs)
    },
    removeContainer,
    async containerStatus(id) {
      const container = containers.get(id)
      return container && status(container)
    },
    listContainers: async podUid =>
      [...containers.values()].filter(each => !podUid || each.sandbox.state.config.uid === podUid).map(status),

    async exec(id, command, tty, streams) {
      const container = need(id)
      const { main } = container
      if (container.phase !== 'running' || !main) {
        throw new RuntimeError('ContainerNotRunning', `container "${container.state.config.name}" is not running`)
      }
      const sandbox = container.sandbox.state.config
      const { workingDir } = container.state.config
      const words = command.map(word => placement.text(word, container))
      const { TERM: _, ...env } = environ(main.pid) ?? placement.environment(container, [])
      return runCommand(
        { platform, clock },
        // The terminal is made inside: a session of another pid namespace would have no job control.
        [
          ...placement.execPrefix(sandbox, main.pid),
          ...placement.credentials(container.state.config),
          ...(tty ? withTerminal(platform, words) : words),
        ],
        {
          env,
          cwd: platform.namespaces ? undefined : placement.text(workingDir || '/', container),
          tty,
          onSpawn: pid => platform.cgroups?.join(container.state.cgroup, pid),
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
    async connect(sandboxId, port) {
      const { config } = needSandbox(sandboxId).state
      return connectSandbox(config.ips, config.netns, platform.tools.nsenter, port)
    },
    async stats(id) {
      const container = containers.get(id)
      if (container?.phase !== 'running' || !container.supervisor) return undefined
      const name = container.state.config.name
      const shared = { id, podUid: container.sandbox.state.config.uid, name, timestamp: clock.now() }
      const group = platform.cgroups?.usage(container.state.cgroup)
      if (group) {
        const { cpu, memory, workingSet, processes } = group
        return { ...shared, cpuUsage: cpu, memoryUsage: memory, memoryWorkingSet: workingSet, processes }
      }
      const pids = descendants(container.supervisor.pid).slice(1)
      const { cpu, memory } = usage(pids)
      return { ...shared, cpuUsage: cpu, memoryUsage: memory, memoryWorkingSet: memory, processes: pids.length }
    },
    async close() {
      closed = true
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

function readText(file: string, limit: number): string {
  try {
    return readFileSync(file).subarray(0, limit).toString()
  } catch {
    return ''
  }
}

function removeFile(file: string) {
  try {
    unlinkSync(file)
  } catch {
    // Removed before.
  }
}
