/**
 * Keeps what this node has in nftables: who holds a table says how it is built anew, and when another program changed
 * it (a table deleted by hand, `nft flush ruleset`, a firewall that starts), that is done at once. Chains of others that
 * drop what is forwarded are opened for pods again, too.
 */
import type { Clock, Timer } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import type { Nft } from '../tools/nft.ts'
import { watchTables } from './watch.ts'

export interface Guard {
  /** `restore` is called when `table` (`ip tutti`) may not be any more what its holder made it. */
  hold(table: string, restore: () => void): void
}

export interface GuardDeps {
  readonly nft: Pick<Nft, 'follow' | 'isOwn'>
  /** Opens other programs' chains. */
  openFirewalls(): Promise<void>
  /** Tells the cluster that tables were changed. */
  told(tables: readonly string[]): void
  readonly clock: Clock
  readonly logger: Logger
}

export interface StartedGuard extends Guard {
  /** Begins to watch; resolves when nothing is missed any more. Ends with `signal`. */
  start(deps: GuardDeps, signal: AbortSignal): Promise<void>
}

/** Between two times that things are built anew, ms: who fights with another program shall not do nothing else. */
const REST_MS = 1000
/** What one command changes is heard of in pieces, ms. */
const WHOLE_MS = 20

/** Makes a guard; holders may come before it starts and after. */
export function createGuard(): StartedGuard {
  const holders = new Map<string, (() => void)[]>()

  return {
    hold(table, restore) {
      holders.set(table, [...(holders.get(table) ?? []), restore])
    },

    async start({ nft, openFirewalls, told, clock, logger }, signal) {
      const touched = new Set<string>()
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
          told(tables)
        }
        for (const table of tables) for (const each of holders.get(table) ?? []) each()
        if (foreign) openFirewalls().catch(error => logger.warn({ err: error }, 'network: firewalls'))
        foreign = false
      }

      signal.addEventListener('abort', () => timer?.cancel(), { once: true })
      await watchTables(
        {
          clock,
          quiet: nft.follow,
          heard(change) {
            if (change && nft.isOwn(change.pid)) return
            if (!change) for (const table of holders.keys()) touched.add(table)
            else if (holders.has(change.table)) touched.add(change.table)
            if (!change || !holders.has(change.table)) foreign = true
            timer ??= clock.after(Math.max(restedAt - clock.elapsed(), WHOLE_MS), restore)
          },
          deaf: why =>
            logger.warn({ why }, 'network: nobody hears of it when another program changes the tables (needs perl)'),
        },
        signal,
      )
    },
  }
}
