/**
 * The service proxy in the kernel: keeps what stands in the table `ip tutti` in memory, and turns a change of services
 * into the difference of elements. It never reads the table back: who changes it by hand makes the next change fail,
 * after which everything is built anew (`sync.ts`).
 */
import type { Logger } from '../../../lib/log.ts'
import type { Nft } from '../../tools/nft.ts'
import type { ServiceChanges, ServiceProxy } from '../proxy.ts'
import type { ServicePort } from '../service-ports.ts'
import { chainName, type Draw, drawsOf, type Element, elementsOf } from './elements.ts'
import { changeCommands, type RulesetOptions, wholeTable } from './ruleset.ts'

type Elements = ReadonlyMap<string, Element>

const idOf = ({ map, key }: Element) => `${map} ${key}`

/** Makes the proxy over a table that nobody else writes. */
export function createNftablesProxy(
  options: RulesetOptions,
  deps: { readonly nft: Nft; readonly logger: Logger },
): ServiceProxy {
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

  /** Draws whose chains do not stand yet. */
  function newDraws(services: ServiceChanges, known: ReadonlySet<string>): Draw[] {
    const draws = new Map<string, Draw>()
    for (const ports of services.values())
      for (const draw of ports.flatMap(drawsOf)) {
        const name = chainName('', draw)
        if (!known.has(name)) draws.set(name, draw)
      }
    return [...draws.values()]
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
      const draws = newDraws(services, new Set())
      const all = [...elements.values()].flatMap(own => [...own.values()])
      try {
        await deps.nft.load(wholeTable(options, all, draws, false))
      } catch (error) {
        // A table of another version of the program has maps of other types: it goes, and affinity with it.
        deps.logger.info({ error }, 'network: the standing rules cannot be taken over')
        await deps.nft.load(wholeTable(options, all, draws, true))
      }
      standing = elements
      owners = claims
      chains = new Set(draws.map(draw => chainName('', draw)))
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
      const draws = newDraws(changes, chains)
      const commands = changeCommands(draws, removed, added)
      if (commands) await deps.nft.change(commands)
      for (const [service, elements] of next) {
        if (elements.size) standing.set(service, elements)
        else standing.delete(service)
      }
      for (const draw of draws) chains.add(chainName('', draw))
    },

    localAddress: () => undefined,
    close: async () => {},
  }
}
