/**
 * The service proxy in the kernel: keeps what stands in the table `tutti` of one family in memory, and turns a change of
 * services into the difference of elements. It never reads the table back: when another program changes it, the guard
 * says so, or the next change fails; then everything is built anew (`sync.ts`).
 */
import type { Logger } from '../../../lib/log.ts'
import type { Guard } from '../../guard/guard.ts'
import type { Conntrack } from '../../tools/conntrack.ts'
import type { Nft } from '../../tools/nft.ts'
import type { ServiceChanges, ServiceProxy } from '../proxy.ts'
import type { ServicePort } from '../service-ports.ts'
import { drawsOf, type Element, elementsOf } from './elements.ts'
import { type Chain, chainsOf, changeCommands, type RulesetOptions, tableOf, wholeTable } from './ruleset.ts'
import { lostFlows, staleFlows } from './stale-flows.ts'

type Elements = ReadonlyMap<string, Element>

const idOf = ({ map, key }: Element) => `${map} ${key}`

export interface NftablesProxyDeps {
  readonly nft: Nft
  readonly logger: Logger
  readonly guard?: Guard
  /** Absent where UDP flows cannot be forgotten. */
  readonly conntrack?: Conntrack
}

/** Elements that any transaction has room for. */
const PART = 1000

/** Makes the proxy over a table that nobody else writes. */
export function createNftablesProxy(options: RulesetOptions, deps: NftablesProxyDeps): ServiceProxy {
  const { family } = options
  /** Elements by service, and which service an element belongs to: two services may claim one address. */
  let standing = new Map<string, Elements>()
  let owners = new Map<string, string>()
  let chains = new Set<string>()

  function wanted(service: string, ports: readonly ServicePort[], claimed: ReadonlyMap<string, string>): Elements {
    const elements = new Map<string, Element>()
    for (const port of ports) {
      const all = elementsOf(port)
      const rival = all.map(element => claimed.get(idOf(element))).find(owner => owner && owner !== service)
      if (rival) deps.logger.warn({ service: port.id, rival }, 'network: another service has this address and port')
      else for (const element of all) elements.set(idOf(element), element)
    }
    return elements
  }

  const chainsFor = (services: ServiceChanges, known: ReadonlySet<string>) =>
    chainsOf([...services.values()].flat().flatMap(drawsOf), family).filter(({ name }) => !known.has(name))

  /** After a start: endpoints may have gone while nobody looked. Nothing waits for it. */
  async function forgetLost(elements: readonly Element[]): Promise<void> {
    const remembered = (await deps.conntrack?.flows()) ?? []
    await deps.conntrack?.forget(lostFlows(remembered, elements))
  }

  /** The whole table: at once where that is possible. */
  async function load(elements: readonly Element[], made: readonly Chain[], fresh: boolean): Promise<void> {
    try {
      await deps.nft.load(wholeTable(options, elements, made, fresh))
    } catch (error) {
      // Who is not the machine's root has little room for one transaction.
      if (!/Message too long/.test((error as Error).message)) throw error
      await deps.nft.load(wholeTable(options, [], made, fresh))
      for (let at = 0; at < elements.length; at += PART)
        await deps.nft.change(changeCommands(family, [], [], elements.slice(at, at + PART)))
    }
  }

  return {
    async reset(services) {
      const elements = new Map<string, Elements>()
      const claims = new Map<string, string>()
      for (const [service, ports] of services) {
        const own = wanted(service, ports, claims)
        for (const id of own.keys()) claims.set(id, service)
        if (own.size) elements.set(service, own)
      }
      const made = chainsFor(services, new Set())
      const all = [...elements.values()].flatMap(own => [...own.values()])
      try {
        await load(all, made, false)
      } catch (error) {
        // A table of another version of the program has maps of other types: it goes, and affinity with it.
        deps.logger.info({ err: error }, 'network: the standing rules cannot be taken over')
        await load(all, made, true)
      }
      const before = standing
      standing = elements
      owners = claims
      chains = new Set(made.map(({ name }) => name))
      if (before.size > 0) {
        for (const [service, old] of before) await deps.conntrack?.forget(staleFlows(old, elements.get(service)))
      } else void forgetLost(all)
    },

    async apply(changes) {
      const removed: Element[] = []
      const added: Element[] = []
      const next = new Map<string, Elements>()
      // What the changed services hold is free for each other: an address may move within one change.
      for (const service of changes.keys()) for (const id of standing.get(service)?.keys() ?? []) owners.delete(id)
      for (const [service, ports] of changes) {
        const before = standing.get(service)
        const after = wanted(service, ports, owners)
        for (const [id, element] of before ?? []) if (after.get(id)?.value !== element.value) removed.push(element)
        for (const [id, element] of after) {
          owners.set(id, service)
          if (before?.get(id)?.value !== element.value) added.push(element)
        }
        next.set(service, after)
      }
      const made = chainsFor(changes, chains)
      const commands = changeCommands(family, made, removed, added)
      if (commands) await deps.nft.change(commands)
      const stale = [...next].flatMap(([service, after]) => staleFlows(standing.get(service), after))
      for (const [service, elements] of next) {
        if (elements.size) standing.set(service, elements)
        else standing.delete(service)
      }
      for (const { name } of made) chains.add(name)
      await deps.conntrack?.forget(stale)
    },

    localAddress: () => undefined,
    onLoss: lost => deps.guard?.hold(tableOf(family), lost),
    close: async () => {},
  }
}
