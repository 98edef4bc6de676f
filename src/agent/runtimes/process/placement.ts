/** Where a container's process is put: namespaces, user, variables and the files that it sees. Pure but for look-ups. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ownIds } from '../../../lib/user-namespace.ts'
import { type ContainerConfig, RuntimeError, type SandboxConfig } from '../runtime.ts'
import { capabilityName } from './capabilities.ts'
import { withFilter } from './confinement.ts'
import type { ImageState } from './image-container.ts'
import { checkIds } from './image-user.ts'
import type { Bind } from './mounts.ts'
import { type Platform, passwdEntry } from './platform.ts'
import type { PodIpc } from './pod-ipc.ts'
import { portableEnv, portableText } from './portable.ts'
import type { Filter } from './seccomp/install.ts'

export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
/** Variable by which the processes of a container without process ids of its own are found. */
export const MARK = 'TUTTI_CONTAINER'

/** A container as far as its place goes. */
export interface Placed {
  readonly id: string
  readonly folder: string
  readonly sandbox: { readonly folder: string; readonly state: { readonly config: SandboxConfig } }
  readonly state: {
    readonly config: Omit<ContainerConfig, 'env'>
    readonly image?: ImageState
    readonly filter?: Filter
  }
}

export interface Placement {
  /** Its own process ids: then the supervisor's end is the end of everything. */
  ownPids(container: Placed): boolean
  /** What leads from here to the container's namespaces at its start; `target` is a process whose ids it shares. */
  startPrefix(sandbox: SandboxConfig, target?: number, ipc?: PodIpc): string[]
  /** What leads from here to the namespaces, root and folder of a running process. */
  execPrefix(sandbox: SandboxConfig, pid: number, ipc?: PodIpc): string[]
  /** What sets the filter of system calls, user, groups and capabilities; throws `RuntimeError` where that is not allowed. */
  credentials(state: Pick<Placed['state'], 'config' | 'filter'>): string[]
  environment(container: Placed, env: ContainerConfig['env']): Record<string, string>
  /** Portable mode: text with paths of volumes as they are on the machine. */
  text(text: string, container: Placed): string
  /** What is to be mounted. */
  binds(container: Placed): Bind[]
}

/** The pod's containers have process ids in common; with the machine's, those. */
export const sharesPids = ({ shareProcessNamespace, hostPID }: SandboxConfig): boolean =>
  shareProcessNamespace && !hostPID

/** `path` is the PATH of processes that set none. */
export function createPlacement(platform: Platform, path: string): Placement {
  const { nsenter, unshare, setpriv } = platform.tools
  const ownPids = ({ sandbox, state }: Placed) =>
    platform.namespaces &&
    !sandbox.state.config.hostPID &&
    !sandbox.state.config.shareProcessNamespace &&
    state.config.targetId === undefined
  const hostCommand = (tool: 'env' | 'perl'): string[] => {
    const path = tool === 'env' ? '/usr/bin/env' : platform.tools[tool]
    if (path) return [path]
    throw new RuntimeError('CreateContainerError', `a seccomp profile needs the program ${tool} on this machine`)
  }
  const text = (value: string, { state }: Placed) =>
    platform.namespaces ? value : portableText(value, state.config.mounts)
  return {
    ownPids,
    text,
    startPrefix(sandbox, target, ipc) {
      const prefix: string[] = []
      const joined = [...(sandbox.netns ? [`--net=${sandbox.netns}`] : []), ...(ipc ? [`--ipc=${ipc.namespace}`] : [])]
      if (joined.length > 0 && nsenter) prefix.push(nsenter, ...joined)
      if (!platform.namespaces || !unshare) return prefix
      const joins = target !== undefined && !sandbox.hostPID && nsenter !== undefined
      if (joins) prefix.push(nsenter, '-t', String(target), '-p')
      prefix.push(unshare, '-m', '--propagation', 'slave')
      if (!sandbox.hostNetwork) prefix.push('-u')
      if (!sandbox.hostPID && !joins) prefix.push('-p', '-f', '--kill-child')
      return prefix
    },
    execPrefix(sandbox, pid, ipc) {
      if (!nsenter) return []
      if (!platform.namespaces) return sandbox.netns ? [nsenter, `--net=${sandbox.netns}`] : []
      return [
        ...[nsenter, '-t', String(pid), '-m', '-r', '-w'],
        ...(sandbox.hostNetwork ? [] : ['-u']),
        ...(sandbox.hostPID ? [] : ['-p']),
        ...(ipc ? ['-i'] : []),
        ...(sandbox.netns ? ['-n'] : []),
        ...(sandbox.userNamespace ? ['-U'] : []),
      ]
    },
    credentials(state) {
      return withFilter(state, 'all', hostCommand, credentials(platform, setpriv, state.config))
    },
    environment(container, env) {
      const { config } = container.state
      // In a user namespace uid 0 is not the machine's root: an unchanged user keeps its own home.
      const home = config.runAsUser === undefined ? process.env.HOME : passwdEntry(config.runAsUser)?.home
      return {
        PATH: path,
        HOSTNAME: container.sandbox.state.config.hostname,
        HOME: home ?? '/',
        ...(config.tty ? { TERM: 'xterm' } : {}),
        ...Object.fromEntries(env.map(({ name, value }) => [name, text(value, container)])),
        ...(platform.namespaces ? {} : portableEnv(config.mounts)),
        ...(ownPids(container) ? {} : { [MARK]: container.id }),
      }
    },
    binds,
  }
}

/** Whom a container's process runs as: what is asked for, or else what this program runs as. */
export function identityOf({ runAsUser, runAsGroup, supplementalGroups }: Placed['state']['config']) {
  const uid = runAsUser ?? process.getuid?.() ?? 0
  const gid = runAsGroup ?? (runAsUser === undefined ? process.getgid?.() : passwdEntry(uid)?.gid) ?? 0
  // As the kernel's list of groups has it after setpriv: without the first one.
  return { uid, gid, supplementalGroups: [...new Set([gid, ...supplementalGroups])] }
}

function credentials(platform: Platform, setpriv: string | undefined, config: Placed['state']['config']): string[] {
  const { runAsUser, runAsGroup, supplementalGroups, strictGroups = false } = config
  const { add = [], drop = [] } = config.capabilities ?? {}
  const caps = [...drop.map(name => `-${capabilityName(name)}`), ...add.map(name => `+${capabilityName(name)}`)].join(
    ',',
  )
  // On its own, as another user already: who still holds a right when it is forbidden to gain some, may gain that.
  const never = config.noNewPrivileges && setpriv ? [setpriv, '--no-new-privs'] : []
  const isAsked = runAsUser !== undefined || runAsGroup !== undefined || supplementalGroups.length > 0
  // Groups of this program are not the pod's.
  const sameUser = !isAsked && !(strictGroups && platform.root)
  if (sameUser && !(caps && platform.root)) return never
  if (!platform.root) {
    if (runAsUser === undefined || runAsUser === process.getuid?.()) return never
    throw new RuntimeError(
      'CreateContainerError',
      `cannot run as user ${runAsUser}: this node runs as user ${process.getuid?.()} and may not change it`,
    )
  }
  if (!setpriv) {
    throw new RuntimeError('CreateContainerError', 'changing users needs the program `setpriv` of util-linux')
  }
  const user = runAsUser ?? 0
  const group = runAsGroup ?? passwdEntry(user)?.gid ?? 0
  checkIds({ uid: user, gid: group, groups: supplementalGroups }, ownIds())
  const groups = supplementalGroups.length > 0 ? ['--groups', supplementalGroups.join(',')] : ['--clear-groups']
  return [
    setpriv,
    ...(sameUser ? [] : ['--reuid', String(user), '--regid', String(group), ...groups]),
    ...(caps ? ['--bounding-set', caps, '--inh-caps', '-all'] : []),
    ...never,
  ]
}

function binds(container: Placed): Bind[] {
  const { config: sandbox } = container.sandbox.state
  const { mounts, terminationMessagePath } = container.state.config
  const result: Bind[] = mounts.map(mount => ({
    from: mount.hostPath,
    to: mount.containerPath,
    readOnly: mount.readOnly,
    noExec: mount.noExec ?? false,
    recursiveReadOnly: mount.recursiveReadOnly ?? false,
    recursive: true,
    asItIs: mount.image !== undefined,
  }))
  for (const { hostPath, containerPath } of container.state.config.devices ?? [])
    result.push({ from: hostPath, to: containerPath, readOnly: false, asItIs: true })
  const file = (from: string | undefined, to: string) => {
    if (from && !mounts.some(mount => mount.containerPath === to)) result.push({ from, to, readOnly: false })
  }
  file(sandbox.hostsFile, '/etc/hosts')
  file(sandbox.resolvFile, '/etc/resolv.conf')
  const imaged = container.state.image !== undefined
  if (!sandbox.hostNetwork && (imaged || existsSync('/etc/hostname'))) {
    file(join(container.sandbox.folder, 'hostname'), '/etc/hostname')
  }
  if (terminationMessagePath && (imaged || haveDevice(terminationMessagePath))) {
    file(join(container.folder, 'message'), terminationMessagePath)
  }
  return result
}

/**
 * Whether a file can be mounted there. Below /dev (the default is /dev/termination-log) an empty file is left to mount
 * on: a skeleton of /dev would cost a mount for each device, a tenth of a second for each start. It lives in memory.
 */
function haveDevice(path: string): boolean {
  if (!path.startsWith('/dev/') || existsSync(path)) return true
  try {
    writeFileSync(path, '', { mode: 0o666 })
    return true
  } catch {
    return false
  }
}
