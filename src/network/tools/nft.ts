/** nftables: changes through a standing `nft -i`, whole rulesets through `nft -f`. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './command.ts'
import { SessionEndedError, startSession } from './session.ts'

export interface Nft {
  /** Carries out commands (one a line) as one transaction: all of them or none. Throws an Error with nft's words. */
  change(commands: string): Promise<void>
  /** Loads a ruleset as one transaction; a big one in a process of its own, so that changes need not wait for it. */
  load(ruleset: string): Promise<void>
  /** Of the session's process, where one stands. */
  pid(): number | undefined
  /** Whether a process is the session's, or was lately started for a change. */
  isOwn(pid: number): boolean
  close(): void
}

const CHANGES = 'changes.nft'
const RULESET = 'ruleset.nft'
/** Characters of a ruleset that a session takes in a few milliseconds. */
const SMALL = 200_000
/** How many processes are remembered: what they did is heard of a moment after they end. */
const REMEMBERED = 16

/**
 * Starts nft's session. `directory` holds the files by which commands are handed over: nft reads a file whole, so that
 * its lines are one transaction (typed lines would be one each, and nft cannot read a Node pipe as a file). An nft that
 * was built without its command line is started for each change instead.
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
  let interactive: 'unknown' | 'yes' | 'no' = 'unknown'
  let last: Promise<unknown> = Promise.resolve()
  const own: number[] = []
  const remember = (pid: number | undefined) => {
    if (pid === undefined || own.includes(pid)) return
    own.push(pid)
    if (own.length > REMEMBERED) own.shift()
  }

  async function runFile(name: string): Promise<void> {
    await run('nft', ['-f', join(directory, name)], undefined, remember)
  }

  async function readFile(name: string): Promise<void> {
    if (interactive === 'no') return runFile(name)
    try {
      await session.run(`include "./${name}"`)
      interactive = 'yes'
    } catch (error) {
      if (interactive === 'yes' || !(error instanceof SessionEndedError)) throw error
      interactive = 'no'
      await readFile(name)
    }
  }

  /** There is one file of changes: the next one is written when the last one was read. */
  function hand(name: string, text: string): Promise<void> {
    const next = last.then(() => {
      writeFileSync(join(directory, name), `${text.trim()}\n`)
      return readFile(name)
    })
    last = next.catch(() => {})
    return next
  }

  return {
    change: commands => hand(CHANGES, commands),
    async load(ruleset) {
      if (ruleset.length < SMALL) return hand(RULESET, ruleset)
      writeFileSync(join(directory, RULESET), ruleset)
      await runFile(RULESET)
    },
    pid: session.pid,
    isOwn(pid) {
      remember(session.pid())
      return own.includes(pid)
    },
    close: () => session.close(),
  }
}
