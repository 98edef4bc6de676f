/** Programs of the system that run beside this one. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { programOutput } from '../../lib/program-output.ts'

export interface Running {
  /** Closes its input, by which it ends. */
  end(): void
  /** Resolves when it has ended as it was told to; rejects with what it said where it ended by itself. */
  readonly ended: Promise<void>
}

export interface Programs {
  /** Runs one to its end; what it printed. Rejects where it fails. */
  run(program: string, args: readonly string[]): Promise<string>
  /** Starts one that ends when its input does, and so with us at the latest; told of each line that it prints. */
  start(program: string, args: readonly string[], line: (text: string) => void): Running
}

/** It must not keep the machine waiting, ms. */
const RUN_MS = 10_000
/** What is kept of its complaints, characters. */
const KEPT = 1000

/** Those that are found by `env`. */
export const programsOf = (env: NodeJS.ProcessEnv): Programs => ({
  run: (program, args) => programOutput(program, args, { env, timeoutMs: RUN_MS }),
  start(program, args, line) {
    // A session of its own: what a terminal sends to us is not meant for it.
    const child = spawn(program, args, { stdio: 'pipe', detached: true, env })
    let ending = false
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-KEPT)
    })
    child.stdin.on('error', () => {})
    createInterface({ input: child.stdout }).on('line', line)
    const ended = new Promise<void>((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', () => child.stdin.end())
      child.once('exit', (code, signal) =>
        ending ? resolve() : reject(new Error(`${program} ended (${signal ?? code}): ${said.trim()}`)),
      )
    })
    // Whoever does not wait for it has no use for how it ended.
    ended.catch(() => {})
    return {
      end() {
        ending = true
        child.stdin.end()
      },
      ended,
    }
  },
})
