/**
 * The life of a container of the process runtime: its supervisor is started, watched and stopped, and what it leaves
 * behind tells how the container ended.
 */
import { type FSWatcher, unlinkSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock, Timer } from '../../../lib/clock.ts'
import type { Lazy } from '../../../lib/lazy.ts'
import { readMessageFile } from '../message-file.ts'
import { unmount } from '../overlay.ts'
import { type ContainerConfig, type ContainerStatus, RuntimeError } from '../runtime.ts'
import { hasCopied, startCopier } from './copier.ts'
import { withTerminal } from './exec.ts'
import type { ImageContainers } from './image-container.ts'
import type { ContainerLog } from './log.ts'
import { planMounts } from './mounts.ts'
import { DEFAULT_PATH, MARK, type Placement, sharesPids } from './placement.ts'
import { commandProblem, type Platform } from './platform.ts'
import { ipcOf, type PodIpcs } from './pod-ipc.ts'
import { firstProcess } from './pod-pids.ts'
import { alive, descendants, marked, type ProcessRef, signal } from './proc.ts'
import { type ContainerState, readExit, readPids, type SandboxState, save, startOf } from './state.ts'
import { stopSignalOf } from './status.ts'
import { type Launch, launch } from './supervisor.ts'
import { intoUsers } from './users/enter.ts'

export interface Sandbox {
  readonly id: string
  readonly folder: string
  state: SandboxState
}

export interface Container {
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
  /** Its supervisor has ended. */
  isGone?: boolean
  /** Ends the watch of a supervisor that is not our child. */
  unwatch?: () => void
  /** Called once when it has ended. */
  readonly ended: Set<() => void>
  stop?: { deadline: number; timer: Timer }
  /** Of an image: resolves when its files are let go of. */
  unmounted?: Promise<void>
}

export interface LifeDeps {
  readonly platform: Platform
  readonly placement: Placement
  /** undefined where no images can be run. */
  readonly images: Lazy<ImageContainers | undefined>
  readonly ipcs: PodIpcs
  readonly clock: Clock
  /** The driver has let go: what ends now is found when it is opened again. */
  isClosed(): boolean
  /** A container of this driver. */
  find(id: string): Container | undefined
  /** Called after each step of a container's life. */
  changed(container: Container): void
}

export interface ContainerLife {
  /** Starts the supervisor with these variables; resolves when the process runs. Throws RuntimeError 'StartError'. */
  start(container: Container, variables: ContainerConfig['env']): Promise<void>
  /** Notes that it could not be started. */
  failed(container: Container, error: RuntimeError): void
  /** Asks it to end, kills it after the grace; resolves when it is gone. A later call may shorten the grace. */
  stop(container: Container, graceMs: number): Promise<void>
  /** Takes over one whose supervisor an earlier Tutti started: watches it, or notes how it ended. */
  adopt(container: Container, sameBoot: boolean): void
}

/** How a container's process is put on its files. */
type Placing = Pick<
  Launch,
  'moreMounts' | 'rightsTell' | 'root' | 'pivot' | 'rights' | 'envTool' | 'env' | 'command' | 'workingDir'
> & {
  /** Lines for `mount -a -T`. */
  readonly table: string | undefined
}

/** Between two looks at a process that is about to be gone, ms. */
const LEAVING_MS = 2
/** What a container has said is copied by then, ms; a disk that takes longer does not hold up its end. */
const COPIED_MS = 10_000

/** Makes it for all containers of a driver. */
export function createContainerLife({
  platform,
  placement,
  images,
  ipcs,
  clock,
  isClosed,
  find,
  changed,
}: LifeDeps): ContainerLife {
  /** Its own process ids: then the supervisor's end is the end of everything. */
  const { ownPids } = placement

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

  /** The supervisor is gone: the container has ended when all that it said is in its log. */
  const gone = (container: Container) => {
    if (container.phase === 'exited' || container.isGone || isClosed()) return
    container.isGone = true
    container.unwatch?.()
    container.stop?.timer.cancel()
    killStrays(container)
    const until = clock.elapsed() + COPIED_MS
    const look = () => {
      if (hasCopied(container.folder) || clock.elapsed() >= until) ended(container)
      else clock.after(LEAVING_MS, look)
    }
    look()
  }
  /** What the supervisor left tells how it ended. */
  const ended = (container: Container) => {
    if (isClosed()) return
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
    const message = readMessageFile(join(container.folder, 'message'))
    if (message) container.message = message
    container.log?.look()
  }
  const release = (container: Container) => {
    container.log?.close()
    platform.cgroups?.remove(container.state.cgroup)
    if (container.state.image) container.unmounted = unmount(join(container.folder, 'root'))
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
      if (!alive(supervisor)) gone(container)
    }
    let watcher: FSWatcher | undefined
    let timer: Timer | undefined
    try {
      // Its files are closed a moment before it is gone.
      const leaving = () => {
        check()
        if (!container.isGone) timer = clock.after(LEAVING_MS, leaving)
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
        if (!container.isGone) timer = clock.after(1000, again)
      }
      timer = clock.after(1000, again)
    }
    container.unwatch = () => {
      watcher?.close()
      timer?.cancel()
    }
    check()
  }

  /** The process whose ids a container shares. */
  const targetOf = ({ state, sandbox }: Container): number | undefined => {
    const { targetId } = state.config
    if (targetId === undefined) {
      if (!platform.namespaces || !sharesPids(sandbox.state.config)) return undefined
      const first = firstProcess(sandbox.folder)
      if (first === undefined) throw new RuntimeError('StartError', 'the first process of the pod has ended')
      return first
    }
    const target = find(targetId)
    if (target?.phase !== 'running' || !target.main) {
      throw new RuntimeError('StartError', `the container whose processes it was to see, ${targetId}, does not run`)
    }
    return target.main.pid
  }

  /** On the machine's own files. */
  function onMachine(container: Container, variables: ContainerConfig['env']): Placing {
    const { config } = container.state
    const env = placement.environment(container, variables)
    const text = (value: string) => placement.text(value, container)
    const command = [...config.command, ...config.args].map(text)
    const workingDir = text(config.workingDir || '/')
    const seen = (file: string) => {
      const mount = config.mounts.find(each => file === each.containerPath || file.startsWith(`${each.containerPath}/`))
      return mount && platform.namespaces ? mount.hostPath + file.slice(mount.containerPath.length) : file
    }
    const problem = commandProblem(command[0] ?? '', env.PATH ?? DEFAULT_PATH, workingDir, seen)
    if (problem) throw new RuntimeError('StartError', `failed to start container process: ${problem}`)
    const plan = platform.namespaces
      ? planMounts(placement.binds(container), join(container.folder, 'root'), {
          newProc: !container.sandbox.state.config.hostPID,
          readOnly: config.readOnlyRootFilesystem,
        })
      : undefined
    return {
      table: plan?.table,
      root: plan?.root,
      rights: placement.credentials(container.state),
      envTool: ['/usr/bin/env'],
      env,
      command: config.tty ? withTerminal(platform.tools.script, command) : command,
      workingDir,
    }
  }
  /** On the files of its image. */
  async function onImage(
    container: Container,
    variables: ContainerConfig['env'],
    groups: readonly string[],
    shm: string,
  ): Promise<Placing> {
    const { config, image } = container.state
    const { tools, pivotRoot, prepare, rights } = (await images.load())!
    const { user, users, command, ...start } = await prepare(container, variables, groups, shm)
    container.state = { ...container.state, image: { ...image!, user } }
    save(join(container.folder, 'container.json'), container.state)
    return {
      ...start,
      pivot: { program: pivotRoot, letGo: [...tools.command('umount'), '-n', '-i', '-c', '-l', '.'] },
      rights: [
        ...(users ? intoUsers(tools.command('env'), tools.command('perl')) : []),
        ...rights(container.state, user),
      ],
      rightsTell: users !== undefined,
      envTool: tools.command('env'),
      command: config.tty ? withTerminal(tools.command('script'), command) : command,
    }
  }

  /** Starts its supervisor; resolves when the process runs. */
  async function launchIt(container: Container, variables: ContainerConfig['env']) {
    const { config } = container.state
    const sandbox = container.sandbox.state.config
    // Made beside what comes first here.
    const output = startCopier(container.folder)
    output.catch(() => {})
    try {
      const groups = platform.cgroups?.create(container.state.cgroup, config.resources) ?? []
      const ipc = sandbox.hostIPC
        ? undefined
        : container.state.image
          ? await ipcs.make(container.sandbox.folder, sandbox)
          : ipcOf(container.sandbox.folder)
      const placed = container.state.image
        ? await onImage(container, variables, groups, ipc?.shm ?? '/dev/shm')
        : onMachine(container, variables)
      if (placed.table) writeFileSync(join(container.folder, 'mounts'), placed.table)
      return await launch(
        {
          directory: container.folder,
          output,
          prefix: placement.startPrefix(sandbox, targetOf(container), ipc),
          mountTable: placed.table ? join(container.folder, 'mounts') : undefined,
          hostname: platform.namespaces && !sandbox.hostNetwork ? sandbox.hostname : undefined,
          input: config.stdin ? (config.stdinOnce ? 'once' : 'fifo') : 'null',
          groups,
          oomScoreAdj: config.oomScoreAdj,
          ...placed,
        },
        () => {
          if (container.phase === 'running') gone(container)
          else container.phase = container.phase === 'created' ? 'unknown' : container.phase
        },
      )
    } finally {
      // Waited for, also after what failed: its folder may be removed next.
      await output.then(
        done => done(),
        () => {},
      )
    }
  }

  async function start(container: Container, variables: ContainerConfig['env']) {
    const supervisor = await launchIt(container, variables)
    const pids = readPids(container.folder)
    if (!pids)
      throw new RuntimeError(
        'StartError',
        `the supervisor of ${container.state.config.name} left no pid in ${container.folder}`,
      )
    container.supervisor = pids.supervisor
    container.main = pids.main
    container.startedAt = startOf(container.state, pids)
    const over = container.phase === 'unknown' || supervisor.exitCode !== null || supervisor.signalCode !== null
    container.phase = 'running'
    removeFile(join(container.folder, 'alive'))
    changed(container)
    if (over) gone(container)
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
    const asked = stopSignalOf(container) as NodeJS.Signals
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

  return {
    start,
    failed,
    stop,
    adopt(container, sameBoot) {
      if (sameBoot && alive(container.supervisor!)) watchSupervisor(container)
      else gone(container)
    },
  }
}

function removeFile(file: string) {
  try {
    unlinkSync(file)
  } catch {
    // Removed before.
  }
}
