/** nftables: changes through a standing `nft -i`, whole rulesets through `nft -f`. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './command.ts'
import { startSession } from './session.ts'

export interface Nft {
  /** Carries out commands (one a line) as one transaction: all of them or none. Throws an Error with nft's words. */
  change(commands: string): Promise<void>
  /** Loads a big ruleset as one transaction in a process of its own. */
  load(ruleset: string): Promise<void>
  close(): void
}

const CHANGES = 'changes.nft'

/**
 * Starts nft's session. `directory` holds the file by which changes are handed over: nft reads a file whole, so that
 * its lines are one transaction (typed lines would be one each, and nft cannot read a Node pipe as a file).
 */
export function startNft(directory: string): Nft {
  const session = startSession({
    command: 'nft',
    args: ['-i'],
    cwd: directory,
    mark: 'describe tcp dport',
    marked: /^.*datatype inet_service.*\n(.*16 bits\n)?/m,
    failed: /Error:|Could not|internal:/,
  })
  let loads = 0
  let last: Promise<unknown> = Promise.resolve()
  /** There is one file of changes: the next one is written when the last one was read. */
  function inOrder(work: () => Promise<void>): Promise<void> {
    const next = last.then(work)
    last = next.catch(() => {})
    return next
  }
  return {
    change(commands) {
      const line = commands.trim()
      if (!line.includes('\n') && line.length < 500) return session.run(line).then(() => {})
      return inOrder(async () => {
        writeFileSync(join(directory, CHANGES), `${line}\n`)
        await session.run(`include "./${CHANGES}"`)
      })
    },
    async load(ruleset) {
      const file = join(directory, `ruleset-${loads++ % 8}.nft`)
      writeFileSync(file, ruleset)
      await run('nft', ['-f', file])
    },
    close: () => session.close(),
  }
}
