/**
 * Addresses and node ports of Services (API doc: core/v1 ServiceSpec). What is held follows from the services that
 * the cache shows, so a restart needs no records of its own; between a request and its commit it is held in advance.
 */

import { canonicalIp } from '../../api/kinds/ip.ts'
import { type FieldError, invalid as invalidField } from '../../api/machinery/field-error.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { internalError, invalid, unclassified } from '../../api/machinery/status-error.ts'
import { type Family, familyOf, parseCidrs } from '../../lib/ip-range.ts'
import type { KindHooks, KindReader } from '../registry/registry.ts'
import { type AddressRanges, addressRanges, SERVICE_CIDR } from './address-ranges.ts'
import { carryOver } from './carry-over.ts'
import { settleFamilies } from './families.ts'
import type { IpAddresses } from './ip-addresses.ts'
import { createPool, staticSize } from './pool.ts'
import {
  HEADLESS,
  heldAddresses,
  heldPorts,
  isExternal,
  needsHealthCheckPort,
  needsNodePorts,
  type Service,
  type ServiceSpec,
} from './service-shape.ts'

export interface ServiceAllocationDeps {
  readonly services: KindReader
  /** A number from 0 to 1. */
  random(): number
  /**
   * Networks of cluster IPs, one of a family: `10.96.0.0/16,fd00:10:96::/112`. Default 10.96.0.0/16. The first address of
   * the first one is that of the service `kubernetes`.
   */
  readonly serviceCidr?: string
  /** Further networks; absent where ServiceCIDRs are not served. */
  readonly cidrs?: KindReader
  /** The objects of addresses; absent where IPAddresses are not served. */
  readonly objects?: IpAddresses
  /** First and last node port. Default 30000 to 32767. */
  readonly nodePorts?: readonly [number, number]
}

/** What one write took in advance, to be given back when it fails. */
interface Taken {
  readonly owner: string
  readonly addresses: string[]
  readonly ports: number[]
}

const ownerOf = ({ metadata }: KubeObject) => `${metadata?.namespace}/${metadata?.name}`

const refuse = (service: Service, error: FieldError) =>
  invalid({ group: '', kind: 'Service' }, service.metadata?.name ?? '', [error])

/** An update is not allowed to say a port of the node twice; a create is told by validation. */
function refuseTwice({ ports = [] }: ServiceSpec) {
  const seen = new Set<string>()
  for (const { protocol = 'TCP', nodePort } of ports) {
    if (!nodePort) continue
    const shown = `{${protocol} ${nodePort}}`
    if (seen.has(shown)) throw unclassified(`duplicate nodePort: ${shown}`)
    seen.add(shown)
  }
}

/** Makes the hooks of the kind Service. They follow the services from now on. */
export function serviceAllocation(deps: ServiceAllocationDeps): { hooks: KindHooks; close(): void } {
  const { objects } = deps
  const [firstPort, lastPort] = deps.nodePorts ?? [30_000, 32_767]
  const own = parseCidrs(deps.serviceCidr ?? SERVICE_CIDR)
  const { random, cidrs } = deps
  const ranges = new Map<Family | undefined, AddressRanges>()
  for (const cidr of own) ranges.set(cidr.family, addressRanges({ cidr, random, ...(cidrs && { cidrs }) }))
  const families = own.map(cidr => cidr.family)
  /** Of a family that the cluster does not have (any more) nothing is held. */
  const rangesOf = (address: string) => ranges.get(familyOf(address))
  const portCount = lastPort - firstPort + 1
  const ports = createPool<number>(
    {
      first: firstPort,
      size: portCount,
      at: offset => firstPort + offset,
      staticSize: staticSize(portCount, 128, 32),
    },
    random,
  )
  const pending = new WeakMap<KubeObject, Taken>()

  const addressesOf = (spec: ServiceSpec) => heldAddresses(spec).map(canonicalIp)
  const hold = (service: Service) => {
    const owner = ownerOf(service)
    for (const address of addressesOf(service.spec)) rangesOf(address)?.take(address, owner)
    for (const port of heldPorts(service.spec)) ports.take(port, owner)
  }
  const free = (previous: Service, current: Service | undefined) => {
    const owner = ownerOf(previous)
    const [keptAddresses, keptPorts] = current ? [addressesOf(current.spec), heldPorts(current.spec)] : [[], []]
    for (const address of addressesOf(previous.spec)) {
      if (keptAddresses.includes(address)) continue
      rangesOf(address)?.release(address, owner)
      void objects?.release(address, owner)
    }
    for (const port of heldPorts(previous.spec)) if (!keptPorts.includes(port)) ports.release(port, owner)
  }
  /** Whether the service that an address is of has it. */
  const holds = (address: string, owner: string) => {
    const [namespace = '', name = ''] = owner.split('/')
    const service = deps.services.get(namespace, name)?.value as Service | undefined
    return service !== undefined && addressesOf(service.spec).includes(address)
  }
  for (const { value } of deps.services.list()) {
    const service = value as Service
    hold(service)
    // Those of before there were such objects.
    for (const address of addressesOf(service.spec)) void objects?.claim(address, ownerOf(service))
  }
  const ends = [
    deps.services.onChange((previous, current) => {
      if (previous) free(previous.value as Service, current?.value as Service | undefined)
      if (current) hold(current.value as Service)
    }),
    objects?.follow({
      taken: (address, owner) => void rangesOf(address)?.take(address, owner),
      free(address, owner) {
        // A service keeps its address whoever removes the object.
        if (holds(address, owner)) void objects.claim(address, owner)
        else rangesOf(address)?.release(address, owner)
      },
    }),
  ]
  const close = () => {
    for (const end of ends) end?.()
  }

  /** Takes one for which there is no other than that; false where another has it. */
  function take<T>(
    pool: { take(one: T, owner: string): 'taken' | 'held' | 'refused' },
    one: T,
    owner: string,
    list: T[],
  ): boolean {
    const outcome = pool.take(one, owner)
    if (outcome === 'taken') list.push(one)
    return outcome !== 'refused'
  }

  /** An address that the service names. */
  const takeNamed = (service: Service, text: string, taken: Taken) => {
    const address = canonicalIp(text)
    const fail = (why: string) =>
      refuse(service, invalidField('spec.clusterIPs', service.spec.clusterIPs, `failed to allocate IP ${text}: ${why}`))
    const pool = rangesOf(address)
    if (!pool?.contains(address)) throw fail('the provided network does not match the current range')
    if (!take(pool, address, taken.owner, taken.addresses)) throw fail('provided IP is already allocated')
  }
  const takeAny = (service: Service, family: string, taken: Taken): string => {
    const address = ranges.get(family as Family)?.takeNext(taken.owner)
    if (address === undefined)
      throw internalError(
        `failed to allocate a serviceIP for Service ${JSON.stringify(service.metadata?.name)}: range is full`,
      )
    taken.addresses.push(address)
    return address
  }
  /** One address for each family; of an update only what a service gains: all of them, or the second. */
  const allocateAddresses = (service: Service, taken: Taken, old: Service | undefined) => {
    const { spec } = service
    if (isExternal(spec) || spec.clusterIP === HEADLESS) return
    const { ipFamilies = [], clusterIPs: named = [] } = spec
    const gains = !old || isExternal(old.spec)
    const second = old?.spec.clusterIP !== HEADLESS && old?.spec.ipFamilies?.length === 1 && ipFamilies.length === 2
    if (!gains && !second) return
    // Who is told of one that cannot be had is shown the empty place of the other, too.
    const ips = ipFamilies.map((_, index) => named[index] ?? '')
    spec.clusterIPs = ips
    for (const [index, family] of ipFamilies.entries()) {
      if (!gains && index === 0) continue
      if (ips[index]) takeNamed(service, ips[index], taken)
      else ips[index] = takeAny(service, family, taken)
    }
    spec.clusterIP = ips[0]!
  }

  const takePort = (service: Service, field: string, port: number, taken: Taken) => {
    if (!ports.contains(port))
      throw refuse(
        service,
        invalidField(
          field,
          port,
          `provided port is not in the valid range. The range of valid ports is ${firstPort}-${lastPort}`,
        ),
      )
    if (!take(ports, port, taken.owner, taken.ports))
      throw refuse(service, invalidField(field, port, 'provided port is already allocated'))
  }
  const nextPort = (taken: Taken) => {
    const port = ports.takeNext(taken.owner)
    if (port === undefined) throw internalError('failed to allocate a nodePort: range is full')
    taken.ports.push(port)
    return port
  }
  const allocatePorts = (service: Service, taken: Taken, kept: readonly number[], dryRun: boolean) => {
    const { spec } = service
    if (needsNodePorts(spec)) {
      // Upstream asks for nothing in a dry run.
      if (!dryRun)
        spec.ports?.forEach(({ nodePort }, at) => {
          if (nodePort && !kept.includes(nodePort)) takePort(service, `spec.ports[${at}].nodePort`, nodePort, taken)
        })
      for (const port of spec.ports ?? []) {
        if (port.nodePort) continue
        // One number serves the same port in two protocols.
        const twin = spec.ports!.find(
          each => each.port === port.port && (each.protocol ?? 'TCP') !== (port.protocol ?? 'TCP') && each.nodePort,
        )
        port.nodePort = twin?.nodePort ?? nextPort(taken)
      }
    }
    if (!needsHealthCheckPort(spec)) return
    const asked = spec.healthCheckNodePort
    if (!asked) spec.healthCheckNodePort = nextPort(taken)
    else if (!dryRun && !kept.includes(asked)) takePort(service, 'spec.healthCheckNodePort', asked, taken)
  }

  const giveBack = ({ owner, addresses: held, ports: heldPorts }: Taken) => {
    for (const address of held) {
      rangesOf(address)?.release(address, owner)
      void objects?.release(address, owner)
    }
    for (const port of heldPorts) ports.release(port, owner)
  }
  /** The objects of the addresses that were taken just now. */
  const claim = async (service: Service, taken: Taken) => {
    for (const address of taken.addresses) {
      if (await objects?.claim(address, taken.owner)) continue
      const why = `failed to allocate IP ${address}: provided IP is already allocated`
      throw refuse(service, invalidField('spec.clusterIPs', service.spec.clusterIPs, why))
    }
  }
  const allocate = (service: Service, old: Service | undefined, dryRun: boolean): void | Promise<void> => {
    settleFamilies(service, families, old)
    const taken: Taken = { owner: ownerOf(service), addresses: [], ports: [] }
    try {
      allocateAddresses(service, taken, old)
      allocatePorts(service, taken, old ? heldPorts(old.spec) : [], dryRun)
      if (old && needsNodePorts(service.spec)) refuseTwice(service.spec)
    } catch (error) {
      giveBack(taken)
      throw error
    }
    if (dryRun) return giveBack(taken)
    pending.set(service, taken)
    if (!objects || !taken.addresses.length) return
    return claim(service, taken).catch(error => {
      pending.delete(service)
      giveBack(taken)
      throw error
    })
  }

  return {
    close,
    hooks: {
      beforeCreate: (object, { dryRun = false }) => allocate(object as Service, undefined, dryRun),
      beforeUpdate(object, old, { dryRun = false, subresource = '' }) {
        if (subresource !== '') return
        carryOver(object as Service, old as Service)
        return allocate(object as Service, old as Service, dryRun)
      },
      onFailure(object) {
        const taken = pending.get(object)
        pending.delete(object)
        if (taken) giveBack(taken)
      },
    },
  }
}
