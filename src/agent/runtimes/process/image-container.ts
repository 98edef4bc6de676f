/** Containers that run an image's files instead of the machine's: what the image says of them, and what they may do. */
import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { systemProgram } from '../../../lib/system-program.ts'
import { hasId, isOneUser, ownIds } from '../../../lib/user-namespace.ts'
import { resolveIn } from '../../images/rooted.ts'
import type { Image, ImageStore } from '../../images/store.ts'
import { mountOverlay, type Overlay } from '../overlay.ts'
import { type ContainerConfig, RuntimeError } from '../runtime.ts'
import { boundingSet } from './capabilities.ts'
import { type CarriedTools, carryTools } from './carried-tools.ts'
import { withFilter } from './confinement.ts'
import { planImageMounts } from './image-root.ts'
import { checkIds, type ImageUser, imageUser } from './image-user.ts'
import { makeImageVolumes } from './image-volumes.ts'
import { DEFAULT_PATH, MARK, type Placed, type Placement } from './placement.ts'
import { commandProblem, type Platform } from './platform.ts'
import { idMappedMounts } from './users/id-mapped.ts'
import { giveToUsers, mountForUsers, type PodUsers, podUsers } from './users/image-files.ts'

/** What is kept of an image with a container that runs it. */
export interface ImageState {
  /** In the store. */
  readonly id: string
  /** As containerStatuses show it: `NAME@sha256:…` of one that was pulled, else the id. */
  readonly imageId: string
  readonly stopSignal?: string
  /** Known from its start on. */
  readonly user?: ImageUser
}

/** How a container's process is put on its image's files. */
export interface ImageStart {
  readonly root: string
  /** Lines for `mount -a -T`. */
  readonly table: string
  /** Words that mount more. */
  readonly moreMounts: readonly string[]
  readonly user: ImageUser
  /** The pod's own users, of which it is one; undefined where it has the machine's. */
  readonly users: PodUsers | undefined
  readonly env: Readonly<Record<string, string>>
  readonly command: readonly string[]
  readonly workingDir: string
}

export interface ImageContainers {
  readonly store: ImageStore
  /** What is kept of the image of this name; throws `RuntimeError` when it is not there, or for what cannot be given. */
  choose(config: Omit<ContainerConfig, 'env'>): ImageState
  /** Mounts the image and plans the rest; what is mounted at `root` in its folder is to be unmounted. */
  prepare(
    container: Placed,
    variables: ContainerConfig['env'],
    groups: readonly string[],
    shm: string,
  ): Promise<ImageStart>
  /** Words that set user and rights in the container, before its command. */
  rights(state: Pick<Placed['state'], 'config' | 'filter'>, user: ImageUser): string[]
  readonly tools: CarriedTools
  /** Program of this machine that changes the root of a mount namespace. */
  readonly pivotRoot: string
}

/**
 * `toolsFolder` is where this machine's programs are copied to. Throws `Error` where a program is missing.
 */
export function createImageContainers(
  store: ImageStore,
  toolsFolder: string,
  placement: Pick<Placement, 'binds' | 'ownPids'>,
  { cgroups: hierarchies, tools: { perl } }: Pick<Platform, 'cgroups' | 'tools'>,
): ImageContainers {
  const tools = carryTools(toolsFolder)
  const pivotRoot = systemProgram('pivot_root')
  if (!pivotRoot) throw new Error('images need the program "pivot_root" (util-linux) on this machine')
  const ids = ownIds()
  const single = isOneUser(ids)
  const imageOf = (id: string): Image => {
    const image = store.get(id)
    if (!image) throw new RuntimeError('CreateContainerError', `image "${id}" is not present any more`)
    return image
  }
  /** Puts an image's files together; `place` is where a folder may be made for the layers of a pod with own users. */
  async function mountFiles(
    image: Image,
    at: Pick<Overlay, 'upper' | 'work' | 'target'>,
    users: PodUsers | undefined,
    place: string,
  ) {
    const overlay = { ...at, folder: store.layersFolder, layers: store.layers(image) }
    if (!users) return mountOverlay(overlay)
    giveToUsers(at.upper, users.base)
    mkdirSync(place)
    await mountForUsers(overlay, users, place, perl!)
  }
  /** Whom it runs as, of those that there are. Throws `RuntimeError` where that user or a group of the pod's is none. */
  function userOf(wanted: ImageUser, { state, sandbox }: Placed): ImageUser {
    const { userNamespace: own } = sandbox.state.config
    const here = own ? { uids: own, gids: own } : ids
    checkIds({ ...wanted, groups: state.config.supplementalGroups }, here)
    // The image's root may be in many groups: those that there are.
    return { ...wanted, groups: wanted.groups.filter(each => hasId(here.gids, each)) }
  }
  return {
    store,
    tools,
    pivotRoot,
    choose(config) {
      const image = imageOf(config.image)
      const { StopSignal } = image.config.config ?? {}
      return { id: image.id, imageId: image.digests[0] ?? image.id, ...(StopSignal ? { stopSignal: StopSignal } : {}) }
    },
    async prepare(container, variables, groups, shm) {
      const { config } = container.state
      const sandbox = container.sandbox.state.config
      const { folder } = container
      const image = imageOf(container.state.image!.id)
      const { Env, WorkingDir, User, Volumes } = image.config.config ?? {}
      const root = join(folder, 'root')
      for (const part of ['upper', 'work', 'root']) mkdirSync(join(folder, part), { mode: 0o755 })
      const upper = join(folder, 'upper')
      const users = podUsers(sandbox)
      await mountFiles(image, { upper, work: join(folder, 'work'), target: root }, users, join(folder, 'layers'))

      const user = userOf(imageUser(root, User ?? '', config), container)
      const env: Record<string, string> = { PATH: DEFAULT_PATH, HOSTNAME: sandbox.hostname, HOME: user.home }
      if (config.tty) env.TERM = 'xterm'
      for (const pair of Env ?? []) env[pair.split('=', 1)[0]!] = pair.slice(pair.indexOf('=') + 1)
      for (const { name, value } of variables) env[name] = value
      if (!placement.ownPids(container)) env[MARK] = container.id

      const command = commandOf(config, image)
      const workingDir = config.workingDir || WorkingDir || '/'
      const binds = placement.binds(container)
      const volumes = await makeImageVolumes({
        folder,
        root,
        paths: Object.keys(Volumes ?? {}),
        taken: binds.map(each => join('/', each.to)),
        readOnly: config.readOnlyRootFilesystem,
      })
      const { mapped, ...plan } = planImageMounts({
        folder,
        root,
        binds: [...binds, ...volumes],
        tools,
        newProc: !sandbox.hostPID,
        readOnly: config.readOnlyRootFilesystem,
        privileged: config.privileged,
        owners: !single,
        shm,
        cgroups: cgroupFolders(groups, hierarchies?.version),
        base: users?.base,
      })
      const seen = (file: string) => {
        const at = join('/', resolveIn(root, file).slice(root.length))
        const mount = config.mounts.find(each => at === each.containerPath || at.startsWith(`${each.containerPath}/`))
        return mount ? join(mount.hostPath, at.slice(mount.containerPath.length)) : join(root, at)
      }
      const folderOfWork = seen(workingDir)
      if (!existsSync(folderOfWork)) mkdirSync(folderOfWork, { recursive: true })
      const problem = commandProblem(command[0]!, env.PATH!, workingDir, seen)
      if (problem) throw new RuntimeError('StartError', `failed to start container process: ${problem}`)
      if (users) for (const part of [upper, join(folder, 'dev')]) giveToUsers(part, users.base)
      const moreMounts = users && mapped.length > 0 ? idMappedMounts(perl!, users.netns, mapped) : []
      return { ...plan, moreMounts, user, users, env, command, workingDir }
    },
    rights(state, user) {
      const { config } = state
      const words = tools.command('setpriv')
      const base = words.length
      if (!single) {
        words.push('--reuid', String(user.uid), '--regid', String(user.gid))
        words.push(...(user.groups.length > 0 ? ['--groups', user.groups.join(',')] : ['--clear-groups']))
      }
      if (!config.privileged) words.push('--bounding-set', boundingSet(config.capabilities), '--inh-caps', '-all')
      // On its own, as another user already: who still holds a right when it is forbidden to gain some, may gain that.
      const never = config.noNewPrivileges ? [...tools.command('setpriv'), '--no-new-privs'] : []
      return withFilter(state, 'default', tools.command, [...(words.length > base ? words : []), ...never])
    },
  }
}

/** The words to run: the pod's, and the image's where the pod has none. Throws `RuntimeError` where neither has any. */
function commandOf({ command, args }: Placed['state']['config'], { config }: Image): readonly string[] {
  const { Entrypoint, Cmd } = config.config ?? {}
  const words =
    command.length > 0 ? [...command, ...args] : [...(Entrypoint ?? []), ...(args.length > 0 ? args : (Cmd ?? []))]
  if (words.length === 0) throw new RuntimeError('CreateContainerError', 'no command specified')
  return words
}

/** Folders of a container's control groups by what they are called below /sys/fs/cgroup; '' for the whole of v2. */
function cgroupFolders(groups: readonly string[], version: 1 | 2 | undefined): Record<string, string> {
  if (version === 2) return groups[0] ? { '': dirname(groups[0]) } : {}
  return Object.fromEntries(groups.map(file => [file.split('/')[4] ?? '', dirname(file)]))
}
