/** nftables: changes through a standing `nft -i`, whole rulesets through `nft -f`. */
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { run } from './command.ts'
import { memoryFolder, removeMemoryFolder } from './memory-folder.ts'
import { SessionEndedError, startSession } from './session.ts'

export interface Nft {
  /** Carries out commands (one a line) as one transaction: all of them or none. Throws an Error with nft's words. */
  change(commands: string): Promise<void>
  /** Loads a ruleset as one transaction; a big one in a process of its own, so that changes need not wait for it. */
  load(ruleset: string): Promise<void>
  /** Calls `started` with the id of each process that changes tables, those of the last ones at once; returns its end. */
  follow(started: (pid: number) => void): () => void
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
 * Commands after which another process takes over. Where nft was built with libedit, it keeps every line that it was
 * given, and walks along them with each new one: after 8,000 changes a change took it 7 ms instead of 0.5.
 */
const RENEW_AFTER = 300

/**
 * Starts nft's session. Commands are handed over by files: nft reads a file whole, so that its lines are one transaction
 * (typed lines would be one each, and nft cannot read a Node pipe as a file). They are in memory where that is possible,
 * else in `directory`. An nft that was built without its command line is started for each change instead.
 */
export function startNft(directory: string): Nft {
  const place = memoryFolder(directory) ?? '.'
  const own: number[] = []
  const followers = new Set<(pid: number) => void>()
  const remember = (pid: number) => {
    own.push(pid)
    if (own.length > REMEMBERED) own.shift()
    for (const follower of followers) follower(pid)
  }
  const session = startSession({
    command: 'nft',
    args: ['-i'],
    cwd: directory,
    mark: 'describe tcp dport',
    marked: /^.*datatype inet_service.*\n(.*16 bits\n)?/m,
    failed: /Error:|Could not|internal:/,
    renewAfter: RENEW_AFTER,
    started: remember,
  })
  let interactive: 'unknown' | 'yes' | 'no' = 'unknown'
  let last: Promise<unknown> = Promise.resolve()

  async function runFile(name: string): Promise<void> {
    await run('nft', ['-f', resolve(directory, place, name)], undefined, remember)
  }

  async function readFile(name: string): Promise<void> {
    if (interactive === 'no') return runFile(name)
    try {
      await session.run(`include "${place}/${name}"`)
      interactive = 'yes'
    } catch (error) {
      if (interactive === 'yes' || !(error instanceof SessionEndedError)) throw error
      interactive = 'no'
      await readFile(name)
    }
  }

  function write(name: string, text: string) {
    const path = resolve(directory, place, name)
    try {
      writeFileSync(path, text)
    } catch (error) {
      // What lies in memory may go when its user leaves the machine.
      if (memoryFolder(directory) !== place) throw error
      writeFileSync(path, text)
    }
  }

  /** There is one file of changes: the next one is written when the last one was read. */
  function hand(name: string, text: string): Promise<void> {
    const next = last.then(() => {
      write(name, `${text.trim()}\n`)
      return readFile(name)
    })
    last = next.catch(() => {})
    return next
  }

  return {
    change: commands => hand(CHANGES, commands),
    async load(ruleset) {
      if (ruleset.length < SMALL) return hand(RULESET, ruleset)
      write(RULESET, ruleset)
      await runFile(RULESET)
    },
    follow(started) {
      followers.add(started)
      for (const pid of own) started(pid)
      return () => void followers.delete(started)
    },
    isOwn: pid => own.includes(pid),
    close() {
      session.close()
      removeMemoryFolder(directory)
    },
  }
}
