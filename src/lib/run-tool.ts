/**
 * Runs programs of the system by a small shell that stands beside this process. To start a program, a process is copied
 * first, and its page tables with it: from a process of 100 MB that takes 5 to 20 ms, in which nothing else of it goes
 * on; from a shell it takes less than one, and is not our time. For programs that every pod needs; what runs rarely and
 * says much may be spawned as usual.
 *
 * The shell owns no state: it is started by the first call, again when it died, and ends with this process, by its pipe.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'

export interface ToolOptions {
  /** For its standard input, which is empty otherwise. Lines, the last with its end. */
  readonly input?: string
  /** The folder to run it in; that in which this process was at its first call otherwise. */
  readonly cwd?: string
}

interface Job {
  readonly program: string
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** What is kept of a program's words; the shell's answers are shorter than what a pipe takes at once. */
const KEPT = 3000
const INPUT_END = 'TUTTI_END_OF_INPUT'

/** Quotes words for /bin/sh. */
export const quote = (words: readonly string[]): string =>
  words.map(word => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')

interface Shell {
  readonly child: ChildProcessWithoutNullStreams
  /** What it was given and has not answered. */
  readonly jobs: Map<number, Job>
}

/** Makes a shell that runs tools; any number at once. */
export function createToolShell(): typeof runTool {
  let count = 0
  let current: Shell | undefined

  function open(): Shell {
    // A session of its own: what a terminal sends to this program is not meant for tools that it needs to end well.
    const child = spawn('/bin/sh', { detached: true, stdio: 'pipe', env: { ...process.env, LC_ALL: 'C' } })
    const shell: Shell = { child, jobs: new Map() }
    let rest = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const answers = (rest + text).split('\0')
      rest = answers.pop()!
      for (const answer of answers) settle(shell, answer)
    })
    const leave = () => {
      if (current === shell) current = undefined
    }
    // What it had begun goes on without it, and answers.
    child.on('exit', leave)
    const ended = (why: string) => {
      leave()
      for (const { program, reject } of shell.jobs.values()) reject(new Error(`${program}: its shell ended (${why})`))
    }
    child.on('error', error => ended(error.message))
    child.on('close', (code, signal) => ended(signal ?? `exit code ${code}`))
    child.stdin.on('error', () => {})
    child.unref()
    for (const stream of [child.stdin, child.stdout, child.stderr]) pipe(stream).unref()
    return shell
  }
  function settle({ child, jobs }: Shell, answer: string) {
    const [, id, code, said] = /^(\d+) (\d+) ([\s\S]*)$/.exec(answer) ?? []
    const job = jobs.get(Number(id))
    if (!job) return
    jobs.delete(Number(id))
    if (code === '0') job.resolve()
    else job.reject(new Error(`${job.program} failed: ${said!.trim() || `exit status ${code}`}`))
    if (jobs.size > 0) return
    // It takes note of the ends of its children, and keeps this process alive no longer.
    child.stdin.write('wait\n')
    pipe(child.stdout).unref()
  }

  return (program, args, { input, cwd } = {}) =>
    new Promise((resolve, reject) => {
      current ??= open()
      const id = ++count
      current.jobs.set(id, { program, resolve, reject })
      pipe(current.child.stdout).ref()
      const from = input === undefined ? '</dev/null' : `<<'${INPUT_END}'\n${input}${INPUT_END}\n`
      const there = cwd === undefined ? '' : `cd ${quote([cwd])} && `
      const run = `said=$(exec 2>&1; ${there}exec ${quote([program, ...args])} ${from})`
      current.child.stdin.write(`( ${run}; printf '%s %s %.${KEPT}s\\0' ${id} $? "$said" ) &\n`)
    })
}

/** A pipe of a child as what it is, which Node's types do not tell. */
const pipe = (stream: object) => stream as { ref(): void; unref(): void }

const shared = createToolShell()

/** Runs a program to its end; rejects with an `Error` that holds what it said where it fails. */
export function runTool(program: string, args: readonly string[], options?: ToolOptions): Promise<void> {
  return shared(program, args, options)
}
