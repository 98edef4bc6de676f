/**
 * Process ids that all containers of a pod share (`shareProcessNamespace`): a namespace whose first process waits and
 * reaps, as in pods of container runtimes. It outlives this program, and is found again by a file in the pod's folder.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { architecture } from '../../../lib/architecture.ts'
import { readJsonFile } from '../../../lib/atomic-file.ts'
import { isNoExec } from '../../../lib/mounts.ts'
import { statFields } from '../../../lib/process-start.ts'
import { pauseProgram } from '../containerd/pause-image.ts'
import { RuntimeError } from '../runtime.ts'
import type { Platform } from './platform.ts'
import { alive, type ProcessRef, signal } from './proc.ts'
import { save } from './state.ts'

const stateFile = (folder: string) => join(folder, 'first-process.json')

/**
 * Tells its pid and start on this machine, then becomes the first process: /proc is still the machine's. `$2` is a folder
 * to execute it in, in memory, where that cannot be done in the pod's own, or ''.
 */
const SCRIPT = `
if [ -n "$2" ]; then /bin/mount -n -t tmpfs -o nosuid,nodev,size=64k pod-first "$2" && /bin/cp "$1" "$2" && set -- "$2/pause" || exit; fi
read -r line </proc/self/stat; echo "$line"; exec "$1" >/dev/null`

/** The first process of a sandbox whose folder this is; undefined where none runs. */
export function firstProcess(folder: string): number | undefined {
  const known = readJsonFile<ProcessRef>(stateFile(folder))
  return known && alive(known) ? known.pid : undefined
}

/** Starts it. Rejects with `RuntimeError` where there is no such program for this processor, or it does not start. */
export async function startFirstProcess(folder: string, { tools }: Pick<Platform, 'tools'>): Promise<void> {
  const program = pauseProgram(architecture())
  if (!program) {
    const why = `shareProcessNamespace is not supported by the process runtime on ${architecture()}`
    throw new RuntimeError('NotSupported', `${why}: remove it, or run the pod with a container runtime`)
  }
  // A try of which nothing else is known: this program died, or what came next failed.
  endFirstProcess(folder)
  const file = join(folder, 'pause')
  // Its file cannot be written to while it ends.
  rmSync(file, { force: true })
  writeFileSync(file, program, { mode: 0o755 })
  const elsewhere = isNoExec(folder) ? join(folder, 'first') : ''
  if (elsewhere) mkdirSync(elsewhere, { recursive: true })
  const spaces = ['-p', ...(elsewhere ? ['-m'] : []), '-f', '--kill-child']
  const child = spawn(tools.unshare!, [...spaces, '/bin/sh', '-c', SCRIPT, 'sh', file, elsewhere], {
    cwd: '/',
    detached: true,
    env: {},
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  child.unref()
  const line = await new Promise<string>((resolve, reject) => {
    const failed = (why: string) =>
      reject(new RuntimeError('CreatePodSandboxError', `cannot make the pod's process namespace: ${why}`))
    child.stdout.setEncoding('utf8').once('data', resolve)
    child.once('error', error => failed(error.message))
    child.once('exit', code => failed(`unshare ended with code ${code}`))
  })
  child.stdout.destroy()
  const ref: ProcessRef = { pid: Number.parseInt(line, 10), start: statFields(line)[19] ?? '' }
  save(stateFile(folder), ref)
}

/** Ends it, and with it whatever is left in the namespace. */
export function endFirstProcess(folder: string): void {
  const known = readJsonFile<ProcessRef>(stateFile(folder))
  if (known) signal(known, 'SIGKILL')
}
