/** What a pod's containers stand on: its runtime, network, volumes and sandbox. Made once, and again after a reboot. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import { qosClass } from '../../api/kinds/core/resources.ts'
import { equalJson } from '../../lib/json.ts'
import { removeTree } from '../../lib/mounts.ts'
import type { IdMapping } from '../../lib/user-namespace.ts'
import type { HeldObjects, References } from '../object-source.ts'
import { type FoundImage, type RuntimeDriver, RuntimeError, type SandboxConfig } from '../runtimes/runtime.ts'
import { createPodVolumes, type PodVolumes, tearDownVolumes } from '../volumes/set-up.ts'
import { VolumeError } from '../volumes/volume.ts'
import { type PodDeps, podTitle } from './deps.ts'
import { hostnameOf, hostsFile, kernelHostname, machineResolv, resolvOf, resolvText } from './files.ts'
import { overheadResources, podResources } from './kernel-resources.ts'
import { allContainers } from './object.ts'
import { referencesOf } from './references.ts'
import { sandboxSecurity } from './security.ts'
import { createPodTokens, type PodTokens } from './token.ts'

export interface Ground {
  readonly driver: RuntimeDriver
  readonly sandbox: string
  /** The sandbox was made just now: nothing has run in it. */
  readonly fresh: boolean
  readonly podIPs: readonly string[]
  /** Portable mode: real ports of declared ones. */
  readonly ports: Readonly<Record<number, number>>
  readonly volumes: PodVolumes | undefined
  /** Images of volumes by the volumes' names, as far as they were asked for. */
  readonly images: Map<string, Promise<FoundImage>>
  readonly objects: Pick<HeldObjects, 'configMap' | 'secret'>
}

/** Reason of what the node itself could not do: all but volumes. */
export const SANDBOX_FAILED = 'FailedCreatePodSandBox'

/** Why the ground could not be made: an event's reason and message. */
export class GroundError extends Error {
  readonly reason: string

  /** It waits for somebody else, and is worth another try soon. */
  readonly soon: boolean

  constructor(reason: string, message: string, options?: ErrorOptions & { readonly soon?: boolean }) {
    super(message, options)
    this.reason = reason
    this.soon = options?.soon ?? false
  }
}

export interface GroundKeeper {
  /** The pod's runtime, without making anything of the pod; undefined where the node has none for it. */
  attach(pod: Pod): Promise<RuntimeDriver | undefined>
  /** Makes what is missing; throws `GroundError`. Not to be called again before it has settled. */
  prepare(pod: Pod): Promise<Ground>
  /** Volumes of a claim take the size that they have by now. */
  expand(pod: Pod, claimName: string): Promise<void>
  /** Brings volumes up to date with their objects and the pod. */
  refresh(pod: Pod): Promise<void>
  /** Stops the sandbox and gives back the network; volumes keep what they hold. For a pod that will run here again. */
  rest(): Promise<void>
  /** Gives back network and volumes; containers keep their logs. May be repeated. */
  stop(): Promise<void>
  /** Forgets everything, files too. */
  remove(): Promise<void>
  /** Ends watches and timers, and leaves the rest as it stands. */
  release(): void
}

/**
 * Volumes and sandbox need nothing of each other, and each takes its time. What volumes lack is told first, and by then
 * the sandbox is made or has failed: a further try finds it.
 */
async function together<T>(volumes: Promise<void>, sandbox: Promise<T>): Promise<T> {
  await Promise.allSettled([volumes, sandbox])
  await volumes
  return sandbox
}

/** `changed` is called when an object that the pod refers to changed or a token must be renewed. */
export function createGroundKeeper(deps: PodDeps, pod: Pod, changed: () => void): GroundKeeper {
  const { namespace = '', name = '', uid = '' } = pod.metadata ?? {}
  const directory = join(deps.podsDirectory, uid)
  const hostNetwork = pod.spec?.hostNetwork ?? false
  let held: HeldObjects | undefined
  let references: References | undefined
  /** Of whatever is held now. */
  const objects: Ground['objects'] = {
    configMap: each => held?.configMap(each),
    secret: each => held?.secret(each),
  }
  function hold(latest: Pod) {
    const wanted = referencesOf(latest)
    if (held && equalJson(wanted, references)) return held
    // The new watches begin before the old ones end: what both hold is not read again.
    const before = held
    held = deps.objects.hold(namespace, wanted, changed)
    references = wanted
    before?.release()
    return held
  }
  let tokens: PodTokens | undefined
  let volumes: PodVolumes | undefined
  let driver: RuntimeDriver | undefined
  let networked = false
  /** The sandbox was made since a ground was last given out. */
  let isFresh = false

  async function network(runtime: RuntimeDriver, userNamespace: readonly IdMapping[] | undefined) {
    if (hostNetwork || runtime.capabilities.ownNetwork) return undefined
    const ports = allContainers(pod).flatMap(container => container.ports ?? [])
    networked = true
    try {
      return await deps.podNetwork.setup({
        namespace,
        name,
        uid,
        hostname: hostnameOf(pod),
        ...(userNamespace && { userNamespace }),
        ports: ports.map(({ containerPort, protocol = 'TCP', hostPort, hostIP }) => ({
          containerPort,
          protocol,
          ...(hostPort === undefined ? {} : { hostPort }),
          ...(hostIP === undefined ? {} : { hostIP }),
        })),
      })
    } catch (error) {
      const cause = (error as Error).message
      throw new GroundError(
        'FailedCreatePodSandBox',
        `Failed to create pod sandbox: failed to setup network for sandbox: ${cause}`,
        { cause: error },
      )
    }
  }
  async function mount(runtime: RuntimeDriver, podIPs: readonly string[]) {
    if (!runtime.capabilities.volumes) return
    tokens ??= createPodTokens(deps, pod, changed)
    volumes ??= createPodVolumes(pod, directory, {
      objects,
      addresses: { podIPs, hostIPs: deps.node.ips },
      allocatable: deps.node.allocatable(),
      claims: deps.claims,
      ...deps.volumeServices,
      mountable: runtime.capabilities.mounts,
      token: projection => tokens!.get(projection),
    })
    try {
      await volumes.setUp()
    } catch (error) {
      if (!(error instanceof VolumeError)) throw error
      throw new GroundError('FailedMount', error.message, { cause: error, soon: error.soon })
    }
  }
  /** Files that stand for /etc/hosts and /etc/resolv.conf. */
  function files(podIPs: readonly string[]) {
    mkdirSync(directory, { recursive: true, mode: 0o750 })
    const place = (file: string, text: string) => {
      writeFileSync(join(directory, file), text)
      return join(directory, file)
    }
    const resolv = resolvOf(pod, deps.podNetwork.dns, machineResolv())
    const domain = deps.podNetwork.dns.clusterDomain
    return {
      ...(hostNetwork ? {} : { hostsFile: place('hosts', hostsFile(pod, podIPs, domain)) }),
      ...(resolv ? { resolvFile: place('resolv.conf', resolvText(resolv)) } : {}),
    }
  }
  /** Ids of the pod's own users, where it is to have some. */
  function usersOf(runtime: RuntimeDriver, handler: string) {
    if (pod.spec?.hostUsers !== false) return undefined
    const { userNamespaces, withoutUserNamespaces: why } = runtime.capabilities
    if (userNamespaces) return deps.userNamespaces.take(uid)
    deps.sandboxes.began(pod)()
    throw new RuntimeError(
      'NotSupported',
      `RuntimeClass handler ${JSON.stringify(handler)} does not support user namespaces${why ? `: ${why}` : ''}`,
    )
  }
  async function sandbox(
    runtime: RuntimeDriver,
    latest: Pod,
    own: Pick<SandboxConfig, 'handler' | 'userNamespace'>,
    result: Awaited<ReturnType<typeof network>>,
  ) {
    const all = (await runtime.listSandboxes()).filter(each => each.uid === uid)
    const ready = all.find(each => each.state === 'ready')
    if (ready) return ready
    if (all.length > 0) {
      deps.events.event(pod, 'Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.')
    }
    const podIPs = result?.ips ?? (hostNetwork ? deps.node.ips : [])
    const { spec } = pod
    const overhead = overheadResources(latest)
    const failed = deps.sandboxes.began(pod)
    const made = runtime.runSandbox({
      namespace,
      name,
      uid,
      attempt: Math.max(-1, ...all.map(each => each.attempt)) + 1,
      ...own,
      hostname: hostNetwork ? '' : kernelHostname(pod, deps.podNetwork.dns.clusterDomain),
      directory,
      labels: pod.metadata?.labels ?? {},
      annotations: pod.metadata?.annotations ?? {},
      hostNetwork,
      hostPID: spec?.hostPID ?? false,
      hostIPC: spec?.hostIPC ?? false,
      shareProcessNamespace: spec?.shareProcessNamespace ?? false,
      ...(result?.netns ? { netns: result.netns } : {}),
      ips: podIPs,
      ...(runtime.capabilities.volumes ? files(podIPs) : {}),
      qosClass: qosClass(pod),
      resources: podResources(latest, deps.node.podPids),
      ...(overhead ? { overhead } : {}),
      ...sandboxSecurity(latest),
    })
    made.catch(failed)
    const id = await made
    isFresh = true
    return (await runtime.sandboxStatus(id)) ?? { id, ips: podIPs }
  }

  return {
    async attach(latest) {
      // Where it runs already counts more than where it would be put today.
      for (const each of driver ? [] : deps.runtimes) {
        if ((await each.listSandboxes()).some(found => found.uid === uid)) driver = each
      }
      driver ??= await deps.runtimeOf(latest).then(
        found => found.driver,
        () => undefined,
      )
      // An earlier Tutti may have set the network up.
      networked = !hostNetwork && driver?.capabilities.ownNetwork === false
      return driver
    },
    async prepare(latest) {
      try {
        const found = await deps.runtimeOf(latest)
        driver = found.driver
        const userNamespace = usersOf(driver, found.handler)
        const [result] = await Promise.all([network(driver, userNamespace), hold(latest).synced()])
        const podIPs = result?.ips ?? (hostNetwork ? deps.node.ips : [])
        const own = { handler: found.handler, ...(userNamespace && { userNamespace }) }
        const { id, ips } = await together(mount(driver, podIPs), sandbox(driver, latest, own, result))
        const fresh = isFresh
        isFresh = false
        const ownAddresses = driver.capabilities.ownNetwork && !hostNetwork
        const addresses = ownAddresses ? ips : podIPs
        const ports = result?.ports ?? {}
        return { driver, sandbox: id, fresh, podIPs: addresses, ports, volumes, images: new Map(), objects }
      } catch (error) {
        if (error instanceof GroundError) throw error
        const cause = error instanceof Error ? error.message : String(error)
        if (!(error instanceof RuntimeError)) deps.logger.warn({ err: error, pod: podTitle(pod) }, 'no sandbox')
        throw new GroundError(SANDBOX_FAILED, `Failed to create pod sandbox: ${cause}`, { cause: error })
      }
    },
    async expand(latest, claimName) {
      await volumes?.expand(latest, claimName)
    },
    async refresh(latest) {
      if (held) await hold(latest).synced()
      await volumes?.refresh(latest)
    },
    async rest() {
      for (const each of (await driver?.listSandboxes()) ?? []) if (each.uid === uid) await driver?.stopSandbox(each.id)
      if (networked) await deps.podNetwork.teardown(uid)
      networked = false
    },
    async stop() {
      await this.rest()
      if (driver?.capabilities.volumes ?? true) await tearDownVolumes(directory, deps.volumeServices)
      this.release()
    },
    async remove() {
      await this.stop()
      for (const each of (await driver?.listSandboxes()) ?? [])
        if (each.uid === uid) await driver?.removeSandbox(each.id)
      if (driver?.capabilities.volumes ?? true) await removeTree(directory)
      deps.userNamespaces.give(uid)
    },
    release() {
      tokens?.stop()
      held?.release()
      held = undefined
    },
  }
}
