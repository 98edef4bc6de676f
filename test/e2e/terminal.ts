/** A program under a real terminal, as a person sits at it: typed text, a window that changes its size, an exit code. */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { execute } from './cluster.ts'
import { until } from './load.ts'

/** Why there are no terminals on this machine; undefined when there are. */
export const terminalsMissing =
  ['/usr/bin/script', '/bin/stty'].every(existsSync) && existsSync('/proc')
    ? undefined
    : 'a terminal is made with script and stty of Debian, under /proc'

export interface Terminal {
  /** Types; `\r` is the return key, `\x03` is Ctrl-C. */
  type(text: string): void
  /** Waits until the screen has shown this since the last call; resolves with all that came since then. */
  shows(pattern: RegExp): Promise<string>
  /** Changes the window's size; the program gets SIGWINCH. */
  resize(rows: number, columns: number): Promise<void>
  /** The exit code. */
  readonly ended: Promise<number>
  kill(): void
}

/** The terminal of the process that `script` started. */
function terminalBelow(pid: number): string | undefined {
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    try {
      const parent = Number(readFileSync(`/proc/${entry}/stat`, 'utf8').split(') ')[1]?.split(' ')[1])
      const target = parent === pid ? readlinkSync(`/proc/${entry}/fd/0`) : ''
      if (target.startsWith('/dev/pts/')) return target
    } catch {
      // It ended meanwhile.
    }
  }
  return undefined
}

/** Starts a program in a terminal of 24 rows and 80 columns. */
export async function openTerminal(words: readonly string[], env: NodeJS.ProcessEnv): Promise<Terminal> {
  const quoted = words.map(word => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')
  const child = spawn('script', ['-qfec', `stty rows 24 cols 80; exec ${quoted}`, '/dev/null'], {
    env: { ...env, SHELL: '/bin/sh', TERM: 'xterm' },
  })
  let screen = ''
  child.stdout.setEncoding('utf8').on('data', chunk => {
    screen += chunk
  })
  child.stdin.on('error', () => {})
  const ended = new Promise<number>(resolve => child.on('exit', code => resolve(code ?? -1)))
  return {
    type: text => void child.stdin.write(text),
    async shows(pattern) {
      try {
        await until(`${pattern} on the screen`, async () => pattern.test(screen))
      } catch (error) {
        throw new Error(`${(error as Error).message}; it shows ${JSON.stringify(screen)}`)
      }
      const seen = screen
      screen = ''
      return seen
    },
    async resize(rows, columns) {
      const path = await until('the terminal', async () => terminalBelow(child.pid!))
      await execute('stty', ['-F', path, 'rows', String(rows), 'cols', String(columns)])
    },
    ended,
    kill: () => child.kill('SIGKILL'),
  }
}
