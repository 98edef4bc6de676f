/** The pods of a folder of manifests, one a file, as they come, change and go: by events of the file system. */
import { type FSWatcher, mkdirSync, readdirSync, readFileSync, watch } from 'node:fs'
import { join } from 'node:path'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import { readManifest } from './manifest.ts'

/** Writers of files do so in steps; a folder is read when it has been quiet for so long (ms). */
const QUIET_MS = 50
/** Larger files are no manifests. */
const MAX_BYTES = 1 << 20

export interface FolderDeps {
  readonly directory: string
  readonly nodeName: string
  readonly clock: Clock
  readonly logger: Logger
  /** All pods of the folder, by file: called once at the start, and after each change. */
  changed(pods: ReadonlyMap<string, Pod>): void
}

/** Reads the folder and follows it until the signal. Resolves after the first reading. A file that is no pod is logged. */
export async function followFolder(deps: FolderDeps, signal: AbortSignal): Promise<void> {
  const { directory, clock, logger } = deps
  /** Files by name, with the text that their pod, or its lack, is of. */
  const known = new Map<string, { text: string; pod: Pod | undefined }>()
  let reading: Promise<void> | undefined
  let again = false

  async function readAll() {
    const files = readdirSync(directory).filter(name => !name.startsWith('.'))
    for (const name of known.keys()) if (!files.includes(name)) known.delete(name)
    for (const name of files.sort()) {
      const text = readText(join(directory, name))
      if (text === undefined) known.delete(name)
      else if (known.get(name)?.text !== text) known.set(name, { text, pod: await podOf(name, text) })
    }
    const pods = [...known].flatMap(([name, { pod }]) => (pod ? [[name, pod] as const] : []))
    deps.changed(new Map(pods))
  }
  async function podOf(name: string, text: string): Promise<Pod | undefined> {
    const file = join(directory, name)
    try {
      return await readManifest(text, { nodeName: deps.nodeName, file, now: clock.now() })
    } catch (error) {
      logger.error({ file, problem: (error as Error).message }, 'a manifest of a static pod cannot be used')
      return undefined
    }
  }
  async function read() {
    do {
      again = false
      await readAll().catch(error => logger.error({ err: error, directory }, 'static pods could not be read'))
    } while (again && !signal.aborted)
    reading = undefined
  }
  const look = () => {
    if (signal.aborted) return
    if (reading) again = true
    else reading = read()
  }

  mkdirSync(directory, { recursive: true })
  let timer: { cancel(): void } | undefined
  const watcher: FSWatcher = watch(directory, { persistent: false }, () => {
    timer?.cancel()
    timer = clock.after(QUIET_MS, look)
  })
  watcher.on('error', error => logger.error({ err: error, directory }, 'static pods are no longer followed'))
  signal.addEventListener(
    'abort',
    () => {
      timer?.cancel()
      watcher.close()
    },
    { once: true },
  )
  look()
  await reading
}

function readText(file: string): string | undefined {
  try {
    const text = readFileSync(file)
    return text.length > 0 && text.length <= MAX_BYTES ? text.toString() : undefined
  } catch {
    // A folder, or gone meanwhile.
    return undefined
  }
}
