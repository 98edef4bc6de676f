/**
 * The running program, as it describes itself in DATA_DIR/instance.json when it is ready. It stays there for who takes
 * the cluster away later. One that has ended, or whose process is gone (or whose pid now belongs to another) is not one
 * that runs.
 */
import { join } from 'node:path'
import { readJsonFile } from '../lib/atomic-file.ts'
import { processStartTime } from '../lib/process-start.ts'
import type { UpOptions } from './context.ts'

export interface Instance {
  readonly pid: number
  /** Field 22 of /proc/PID/stat, or '' where there is no /proc: tells a pid that was given anew. */
  readonly startTime: string
  readonly version: string
  /** `https://127.0.0.1:6443`. */
  readonly server: string
  readonly nodeName: string
  /** `node`: the API server is on another machine. */
  readonly role?: 'node'
  /** RFC 3339. */
  readonly startedAt: string
  readonly network: { readonly mode: string; readonly notes: readonly string[] }
  readonly runtimes: readonly string[]
  /** How `up` was asked for them. */
  readonly asked?: Pick<UpOptions, 'runtime' | 'runtimeEndpoint'>
  /** What this machine cannot give, in sentences. */
  readonly notes: readonly string[]
  /** It was told to stop, and does. */
  readonly ending?: true
  /** It was stopped in order. */
  readonly ended?: true
}

export const instanceFile = (dataDir: string) => join(dataDir, 'instance.json')

/** What the last program on a data directory said of itself, whether it still runs, was stopped or killed. */
export const lastInstance = (dataDir: string): Instance | undefined => readJsonFile<Instance>(instanceFile(dataDir))

/** The instance of a data directory, if it runs. */
export function readInstance(dataDir: string): Instance | undefined {
  const instance = lastInstance(dataDir)
  if (!instance || instance.ended) return undefined
  const startTime = processStartTime(instance.pid)
  if (startTime === undefined || (startTime && instance.startTime && startTime !== instance.startTime)) return undefined
  return instance
}
