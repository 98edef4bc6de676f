/**
 * Devices of a node (https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/device-plugins/): what
 * plugins offer is an extended resource of the node, and pods are given single devices when they are admitted.
 *
 * Invariants:
 * - A device is given to one pod at a time; what was given is written down before anything starts.
 * - A resource whose plugin is away offers nothing, and its devices count on for a while: it may come back.
 */
import { join } from 'node:path'
import type { Container, Pod } from '../../api/generated/types/core-v1.ts'
import { isSidecar } from '../../api/kinds/core/pod-containers.ts'
import { isExtendedResource } from '../../api/kinds/core/resources.ts'
import { quantityValue } from '../../api/machinery/quantity.ts'
import type { Clock, Timer } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import type { Refusal } from '../pod/deps.ts'
import { allContainers } from '../pod/object.ts'
import type { ContainerConfig } from '../runtimes/runtime.ts'
import { type Grant, openAllocations } from './allocations.ts'
import { HEALTHY, type RegisterRequest, VERSION } from './messages.ts'
import { type DevicePlugin, type Devices, openPlugin } from './plugin.ts'

/** A plugin that is gone has so long to come back before its devices count no more (the kubelet's). */
const AWAY_MS = 300_000

/** A plugin that registers has so long to name its devices, ms: some look for them first. */
const LIST_MS = 300_000

/** What a container needs to use its devices. */
export interface ContainerDevices
  extends Required<Pick<ContainerConfig, 'devices' | 'cdiDevices'>>,
    Pick<ContainerConfig, 'mounts' | 'annotations'> {
  readonly env: Readonly<Record<string, string>>
}

export interface NodeDevices {
  /** Takes a plugin in, in the place of another for the same resource. Rejects with an `Error` that it is told. */
  register(request: RegisterRequest): Promise<void>
  /** Extended resources for the node's status. */
  resources(): Record<'capacity' | 'allocatable', Readonly<Record<string, string>>>
  /** The pod is to be given devices. */
  wants(pod: Pod): boolean
  /** Gives a pod its devices; what it has stays. Resolves with why it cannot be. */
  admit(pod: Pod): Promise<Refusal | undefined>
  /** The pod needs its devices no more. */
  release(uid: string): void
  /** Before each start of a container: what it needs, where it has devices. Rejects with an `Error`. */
  prepare(pod: Pod, container: Container): Promise<ContainerDevices | undefined>
}

export interface NodeDevicesDeps {
  /** Of the plugins' sockets, and of what is written down. */
  readonly directory: string
  readonly clock: Clock
  readonly logger: Logger
  /** The pod is known, and has not ended: what others have is free, as when the node died before they could give it back. */
  isHeld(uid: string): boolean
  /** The node's resources changed. */
  changed(): void
}

interface Offer {
  plugin: DevicePlugin | undefined
  devices: Devices
  away: Timer | undefined
}

/** Ends with `signal`. */
export function createNodeDevices(
  { directory, clock, logger, isHeld, changed }: NodeDevicesDeps,
  signal: AbortSignal,
): NodeDevices {
  const given = openAllocations(join(directory, 'allocations.json'))
  const offers = new Map<string, Offer>()
  /** Connections to plugins that have registered and not named their devices, by resource. */
  const expected = new Map<string, AbortController>()
  let turn: Promise<unknown> = Promise.resolve()
  signal.addEventListener('abort', () => {
    for (const { plugin, away } of offers.values()) {
      plugin?.close()
      away?.cancel()
    }
  })

  const healthy = (resource: string): string[] => {
    const offer = offers.get(resource)
    return offer?.plugin ? [...offer.devices].filter(([, health]) => health === HEALTHY).map(([id]) => id) : []
  }
  const wanted = ({ resources }: Container): [resource: string, count: number][] =>
    Object.entries(resources?.limits ?? {})
      .filter(([resource]) => given.resources.has(resource))
      .map(([resource, quantity]): [string, number] => [resource, quantityValue(quantity)])
      .filter(([, count]) => count > 0)

  /** Chooses devices: those that the pod may use again first, then as the plugin would have it. */
  async function choose(resource: string, count: number, reusable: ReadonlySet<string>): Promise<string[]> {
    const all = healthy(resource)
    if (all.length === 0) throw new Error(`no healthy devices present; cannot allocate unhealthy devices ${resource}`)
    const chosen = [...reusable].slice(0, count)
    const needed = count - chosen.length
    if (needed === 0) return chosen
    const taken = given.taken(resource)
    const available = all.filter(id => !taken.has(id))
    if (available.length < needed) {
      const counts = `Requested: ${needed}, Available: ${available.length}`
      throw new Error(`requested number of devices unavailable for ${resource}. ${counts}`)
    }
    const { plugin } = offers.get(resource)!
    const preferred = plugin!.options.preferredAllocation
      ? await plugin!.prefer([...available, ...chosen], chosen, count)
      : []
    const inOrder = new Set([...preferred.filter(id => available.includes(id)), ...available])
    return [...chosen, ...[...inOrder].slice(0, needed)]
  }
  async function grant(resource: string, count: number, reusable: ReadonlySet<string>): Promise<Grant> {
    const ids = await choose(resource, count, reusable)
    const plugin = offers.get(resource)?.plugin
    if (!plugin) throw new Error(`unknown Device Plugin ${resource}`)
    return { ids, answer: await plugin.allocate(ids) }
  }
  /** Init containers end before others begin: what they had may be used again. */
  async function give(pod: Pod): Promise<void> {
    const uid = pod.metadata?.uid ?? ''
    for (const each of given.pods()) if (each !== uid && !isHeld(each)) given.remove(each)
    const reusable = new Map<string, Set<string>>()
    for (const container of allContainers(pod)) {
      const isInit = pod.spec?.initContainers?.includes(container) && !isSidecar(container)
      for (const [resource, count] of wanted(container)) {
        const spare = reusable.get(resource) ?? new Set<string>()
        reusable.set(resource, spare)
        let own = given.of(uid, container.name)?.[resource]
        if (!own) {
          own = await grant(resource, count, spare)
          given.add(uid, container.name, { [resource]: own })
        }
        for (const id of own.ids) {
          if (isInit) spare.add(id)
          else spare.delete(id)
        }
      }
    }
  }
  /** One after the other: two would choose the same. */
  function giveInTurn(pod: Pod): Promise<void> {
    const result = turn.then(() => give(pod))
    turn = result.catch(() => {})
    return result
  }
  function ended(resource: string, plugin: DevicePlugin | undefined, error: unknown) {
    const offer = offers.get(resource)
    if (!offer || !plugin || offer.plugin !== plugin) return
    logger.warn({ err: error, resource }, 'a device plugin is gone')
    offer.plugin = undefined
    offer.away = clock.after(AWAY_MS, () => {
      offer.devices = new Map()
      changed()
    })
    changed()
  }

  return {
    async register({ version, endpoint, resourceName, options }) {
      if (version !== VERSION)
        throw new Error(
          `requested API version ${JSON.stringify(version)} is not supported by kubelet. Supported version is ["${VERSION}"]`,
        )
      if (!isExtendedResource(resourceName))
        throw new Error(`the ResourceName ${JSON.stringify(resourceName)} is invalid`)
      if (endpoint === '' || endpoint.includes('/'))
        throw new Error(`the endpoint ${JSON.stringify(endpoint)} is invalid`)
      const defaults = { preStartRequired: false, preferredAllocation: false }
      // The plugin waits for this answer before it serves: its devices come afterwards.
      void connect(resourceName, join(directory, endpoint), options ?? defaults)
    },
    resources() {
      const capacity: Record<string, string> = {}
      const allocatable: Record<string, string> = {}
      for (const resource of given.resources) {
        capacity[resource] = String(offers.get(resource)?.devices.size ?? 0)
        allocatable[resource] = String(healthy(resource).length)
      }
      return { capacity, allocatable }
    },
    wants: pod => given.resources.size > 0 && allContainers(pod).some(container => wanted(container).length > 0),
    async admit(pod) {
      try {
        await giveInTurn(pod)
        return undefined
      } catch (error) {
        const why = `Allocate failed due to ${(error as Error).message}, which is unexpected`
        return { reason: 'UnexpectedAdmissionError', message: why }
      }
    },
    release: given.remove,
    async prepare(pod, container) {
      const uid = pod.metadata?.uid ?? ''
      const resources = wanted(container).map(([resource]) => resource)
      if (resources.length === 0) return undefined
      // A machine that was started anew has other devices.
      if (resources.some(resource => !given.of(uid, container.name)?.[resource])) await giveInTurn(pod)
      const grants = resources.map(resource => [resource, given.of(uid, container.name)![resource]!] as const)
      for (const [resource, { ids }] of grants) {
        const plugin = offers.get(resource)?.plugin
        if (!plugin) throw new Error(`endpoint not found in cache for a registered resource: ${resource}`)
        if (plugin.options.preStartRequired) await plugin.preStart(ids)
      }
      return combined(grants)
    },
  }

  async function connect(resource: string, socket: string, options: DevicePlugin['options']): Promise<void> {
    let plugin: DevicePlugin | undefined
    let latest: Devices = new Map()
    const scope = new AbortController()
    // One that registers again begins anew.
    expected.get(resource)?.abort()
    expected.set(resource, scope)
    const late = clock.after(LIST_MS, () => scope.abort())
    const followed = {
      changed(devices: Devices) {
        latest = devices
        const offer = offers.get(resource)
        if (!plugin || offer?.plugin !== plugin) return
        offer.devices = devices
        changed()
      },
      ended: (error: unknown) => ended(resource, plugin, error),
    }
    try {
      plugin = await openPlugin(socket, options, followed, AbortSignal.any([signal, scope.signal]))
    } catch (error) {
      logger.warn({ err: error, resource, socket }, 'a device plugin that registered does not answer')
      return
    } finally {
      late.cancel()
      if (expected.get(resource) === scope) expected.delete(resource)
    }
    if (signal.aborted || scope.signal.aborted) return plugin.close()
    const before = offers.get(resource)
    before?.away?.cancel()
    before?.plugin?.close()
    offers.set(resource, { plugin, devices: latest, away: undefined })
    given.know(resource)
    logger.info({ resource, devices: latest.size }, 'a device plugin has registered')
    changed()
  }
}

/** All that plugins ask for a container, together. */
function combined(grants: readonly (readonly [resource: string, grant: Grant])[]): ContainerDevices {
  const answers = grants.map(([, { answer }]) => answer)
  const byPath = <T extends { readonly containerPath: string }>(all: readonly T[]) => [
    ...new Map(all.map(each => [each.containerPath, each])).values(),
  ]
  return {
    env: Object.assign({}, ...answers.map(({ envs }) => envs)) as Record<string, string>,
    mounts: byPath(
      grants.flatMap(([volume, { answer }]) => answer.mounts.map(({ ...mount }) => ({ volume, ...mount }))),
    ),
    devices: byPath(answers.flatMap(({ devices }) => devices)),
    annotations: Object.assign({}, ...answers.map(({ annotations }) => annotations)) as Record<string, string>,
    cdiDevices: [...new Set(answers.flatMap(({ cdiDevices }) => cdiDevices.map(({ name }) => name)))],
  }
}
