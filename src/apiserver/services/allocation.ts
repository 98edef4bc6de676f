/**
 * Addresses and node ports of Services (API doc: core/v1 ServiceSpec). What is held follows from the services that
 * the cache shows, so a restart needs no records of its own; between a request and its commit it is held in advance.
 */
import { type FieldError, invalid as invalidField } from '../../api/machinery/field-error.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { internalError, invalid, unclassified } from '../../api/machinery/status-error.ts'
import { formatIpv4, parseIpv4 } from '../../lib/ipv4.ts'
import type { KindHooks, KindReader } from '../registry/registry.ts'
import { addressRanges } from './address-ranges.ts'
import { carryOver } from './carry-over.ts'
import { settleFamilies } from './families.ts'
import type { IpAddresses } from './ip-addresses.ts'
import { createPool, type Pool, staticSize } from './pool.ts'
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
  /** Network of cluster IPs. Default 10.96.0.0/16; its first address is that of the service `kubernetes`. */
  readonly cidr?: string
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
  readonly addresses: number[]
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
  const cidr = deps.cidr ?? '10.96.0.0/16'
  const { objects } = deps
  const [firstPort, lastPort] = deps.nodePorts ?? [30_000, 32_767]
  const addresses = addressRanges({ cidr, random: deps.random, ...(deps.cidrs && { cidrs: deps.cidrs }) })
  const ports = createPool(
    { first: firstPort, last: lastPort, staticSize: staticSize(lastPort - firstPort + 1, 128, 32) },
    deps.random,
  )
  const pending = new WeakMap<KubeObject, Taken>()

  const numbers = (spec: ServiceSpec) =>
    heldAddresses(spec)
      .map(parseIpv4)
      .filter(number => number !== undefined)
  const hold = (service: Service) => {
    const owner = ownerOf(service)
    for (const number of numbers(service.spec)) addresses.take(number, owner)
    for (const port of heldPorts(service.spec)) ports.take(port, owner)
  }
  const free = (previous: Service, current: Service | undefined) => {
    const owner = ownerOf(previous)
    const [keptAddresses, keptPorts] = current ? [numbers(current.spec), heldPorts(current.spec)] : [[], []]
    for (const number of numbers(previous.spec)) {
      if (keptAddresses.includes(number)) continue
      addresses.release(number, owner)
      void objects?.release(formatIpv4(number), owner)
    }
    for (const port of heldPorts(previous.spec)) if (!keptPorts.includes(port)) ports.release(port, owner)
  }
  /** Whether the service that an address is of has it. */
  const holds = (number: number, owner: string) => {
    const [namespace = '', name = ''] = owner.split('/')
    const service = deps.services.get(namespace, name)?.value as Service | undefined
    return service !== undefined && numbers(service.spec).includes(number)
  }
  for (const { value } of deps.services.list()) {
    const service = value as Service
    hold(service)
    // Those of before there were such objects.
    for (const number of numbers(service.spec)) void objects?.claim(formatIpv4(number), ownerOf(service))
  }
  const ends = [
    deps.services.onChange((previous, current) => {
      if (previous) free(previous.value as Service, current?.value as Service | undefined)
      if (current) hold(current.value as Service)
    }),
    objects?.follow({
      taken: (number, owner) => void addresses.take(number, owner),
      free(number, owner) {
        // A service keeps its address whoever removes the object.
        if (holds(number, owner)) void objects.claim(formatIpv4(number), owner)
        else addresses.release(number, owner)
      },
    }),
  ]
  const close = () => {
    for (const end of ends) end?.()
  }

  const take = (pool: Pool, number: number, owner: string, list: number[]): boolean => {
    const outcome = pool.take(number, owner)
    if (outcome === 'taken') list.push(number)
    return outcome !== 'refused'
  }

  const allocateAddress = (service: Service, taken: Taken, kept: readonly number[]) => {
    const { spec } = service
    if (isExternal(spec) || spec.clusterIP === HEADLESS) return
    if (!spec.clusterIP) {
      const number = addresses.takeNext(taken.owner)
      if (number === undefined)
        throw internalError(
          `failed to allocate a serviceIP for Service ${JSON.stringify(service.metadata?.name)}: range is full`,
        )
      taken.addresses.push(number)
      spec.clusterIP = formatIpv4(number)
      spec.clusterIPs = [spec.clusterIP]
      return
    }
    const number = parseIpv4(spec.clusterIP)
    // What is no address at all is for validation to say.
    if (number === undefined || kept.includes(number)) return
    const fail = (why: string) =>
      refuse(
        service,
        invalidField('spec.clusterIPs', spec.clusterIPs, `failed to allocate IP ${spec.clusterIP}: ${why}`),
      )
    if (!addresses.contains(number)) throw fail('the provided network does not match the current range')
    if (!take(addresses, number, taken.owner, taken.addresses)) throw fail('provided IP is already allocated')
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
    for (const number of held) {
      addresses.release(number, owner)
      void objects?.release(formatIpv4(number), owner)
    }
    for (const port of heldPorts) ports.release(port, owner)
  }
  /** The objects of the addresses that were taken just now. */
  const claim = async (service: Service, taken: Taken) => {
    for (const number of taken.addresses) {
      const address = formatIpv4(number)
      if (await objects?.claim(address, taken.owner)) continue
      const why = `failed to allocate IP ${address}: provided IP is already allocated`
      throw refuse(service, invalidField('spec.clusterIPs', service.spec.clusterIPs, why))
    }
  }
  const allocate = (service: Service, old: Service | undefined, dryRun: boolean): void | Promise<void> => {
    settleFamilies(service)
    const taken: Taken = { owner: ownerOf(service), addresses: [], ports: [] }
    try {
      allocateAddress(service, taken, old ? numbers(old.spec) : [])
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
