/** Starting the program in the background, and hearing from it until it is ready. */
import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Launcher } from '../cli/context.ts'
import { UserError } from '../cli/context.ts'
import type { Instance } from '../cli/instance.ts'
import { makeFolder, unusable } from './data-dir.ts'

/** What the starting program says on descriptor 3, a JSON line each. */
export type StartMessage =
  | { readonly phase: string }
  | { readonly ready: Instance }
  | { readonly failed: { readonly message: string; readonly hint?: string } }

/** Node's own arguments, kept for child processes of the same program. */
export const nodeArguments = () => [
  '--disable-warning=ExperimentalWarning',
  join(import.meta.dirname, import.meta.filename.endsWith('.ts') ? 'start.mjs' : 'tutti.js'),
]

async function* linesOf(stream: Readable): AsyncGenerator<StartMessage> {
  let rest = ''
  for await (const chunk of stream.setEncoding('utf8')) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield JSON.parse(line) as StartMessage
  }
}

function openLog(dataDir: string, file: string): number {
  try {
    makeFolder(dataDir)
    return openSync(file, 'a', 0o600)
  } catch (cause) {
    throw unusable(dataDir, cause)
  }
}

export const launcher: Launcher = {
  command: [process.execPath, ...nodeArguments()],
  async start(options, onProgress, signal) {
    const logFile = join(options.dataDir, 'tutti.log')
    const log = openLog(options.dataDir, logFile)
    // cwd `/`: the program must not hold a folder of the user's.
    const child = spawn(process.execPath, [...nodeArguments(), 'daemon', JSON.stringify(options)], {
      detached: true,
      cwd: '/',
      stdio: ['ignore', log, log, 'pipe'],
    })
    closeSync(log)
    const interrupt = () => child.kill('SIGTERM')
    signal.addEventListener('abort', interrupt, { once: true })
    const ended = new Promise<number | null>(resolve => child.once('exit', resolve))
    const messages = child.stdio[3] as Readable
    for await (const message of linesOf(messages)) {
      if (signal.aborted) break
      if ('phase' in message) onProgress(message.phase)
      else if ('failed' in message) throw new UserError(message.failed.message, message.failed.hint)
      else {
        signal.removeEventListener('abort', interrupt)
        messages.destroy()
        child.unref()
        return message.ready
      }
    }
    const code = await ended
    if (signal.aborted) throw new UserError('interrupted before Tutti was up')
    throw new UserError(`the program ended with code ${code} before it was ready`, `Its log: ${logFile}`)
  },
  async runInForeground(options, onReady, signal) {
    // The same program as in the background, in a group of its own: Ctrl-C reaches it once, through us.
    const child = spawn(process.execPath, [...nodeArguments(), 'daemon', JSON.stringify(options)], {
      detached: true,
      cwd: '/',
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    })
    const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
    const stop = () => child.kill('SIGTERM')
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    for await (const message of linesOf(child.stdio[3] as Readable)) {
      if ('failed' in message) throw new UserError(message.failed.message, message.failed.hint)
      if ('ready' in message) onReady(message.ready)
    }
    await ended
  },
  async clear(dataDir) {
    const { removeRemainsOf } = await import('./remains.ts')
    await removeRemainsOf(dataDir)
  },
}
