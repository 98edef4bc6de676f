/**
 * Keeps what this node has in the kernel's network. Who holds a table says how it is built anew, and when another program
 * changed it (a table deleted by hand, `nft flush ruleset`, a firewall that starts), that is done at once. Chains of
 * others that drop what is forwarded are opened for pods again, too. Likewise links, addresses and routes: who made them
 * looks whether they are there when something of the kind is gone.
 */
import type { Clock, Timer } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import type { Nft } from '../tools/nft.ts'
import { type Heard, watchKernel } from './watch.ts'

export interface Guard {
  /** `restore` is called when `table` (`ip tutti`) may not be any more what its holder made it. */
  hold(table: string, restore: () => void): void
  /** `restore` puts back what is missing, and resolves with its names, when links or ways (addresses, routes) went. */
  look(what: 'links' | 'ways', restore: () => Promise<readonly string[]>): void
}

export interface GuardDeps {
  readonly nft: Pick<Nft, 'follow' | 'isOwn'>
  /** Opens other programs' chains. */
  openFirewalls(): Promise<void>
  /** Tells the cluster that tables were changed, or what else was gone and is there again. */
  told(changes: { readonly tables: readonly string[] } | { readonly missing: readonly string[] }): void
  readonly clock: Clock
  readonly logger: Logger
}

export interface StartedGuard extends Guard {
  /** Begins to watch; resolves when nothing is missed any more. Ends with `signal`. */
  start(deps: GuardDeps, signal: AbortSignal): Promise<void>
}

type Looker = () => Promise<readonly string[]>

/** Between two times that things are built anew, ms: who fights with another program shall not do nothing else. */
const REST_MS = 1000
/** What one command changes is heard of in pieces, ms. */
const WHOLE_MS = 20

/** Makes a guard; holders may come before it starts and after. */
export function createGuard(): StartedGuard {
  const holders = new Map<string, (() => void)[]>()
  const lookers = { links: [] as Looker[], ways: [] as Looker[] }

  return {
    hold(table, restore) {
      holders.set(table, [...(holders.get(table) ?? []), restore])
    },
    look: (what, restore) => void lookers[what].push(restore),

    async start({ nft, openFirewalls, told, clock, logger }, signal) {
      const touched = new Set<string>()
      const gone = new Set<'links' | 'ways'>()
      let foreign = false
      let timer: Timer | undefined
      let restedAt = clock.elapsed()

      function restore() {
        timer = undefined
        if (signal.aborted) return
        restedAt = clock.elapsed() + REST_MS
        const tables = [...touched].sort()
        touched.clear()
        if (tables.length) {
          logger.warn({ tables }, 'network: another program changed these tables, they are built anew')
          told({ tables })
        }
        for (const table of tables) for (const each of holders.get(table) ?? []) each()
        for (const what of gone) for (const each of lookers[what]) void look(each)
        gone.clear()
        if (foreign) openFirewalls().catch(error => logger.warn({ err: error }, 'network: firewalls'))
        foreign = false
      }

      async function look(looker: Looker) {
        try {
          const missing = await looker()
          if (missing.length === 0) return
          logger.warn({ missing }, 'network: another program took these away, they are there again')
          told({ missing })
        } catch (error) {
          logger.warn({ err: error }, 'network: what another program took away could not be put back')
        }
      }

      signal.addEventListener('abort', () => timer?.cancel(), { once: true })
      function heard(what: Heard | undefined) {
        if (typeof what === 'object' && nft.isOwn(what.pid)) return
        if (!what) {
          for (const table of holders.keys()) touched.add(table)
          gone.add('links').add('ways')
          foreign = true
        } else if (typeof what === 'string') gone.add(what)
        else if (holders.has(what.table)) touched.add(what.table)
        else foreign = true
        timer ??= clock.after(Math.max(restedAt - clock.elapsed(), WHOLE_MS), restore)
      }

      await watchKernel(
        {
          clock,
          quiet: nft.follow,
          heard,
          deaf: why =>
            logger.warn(
              { why },
              'network: nobody hears of it when another program changes tables, links and routes (needs perl)',
            ),
        },
        signal,
      )
    },
  }
}
