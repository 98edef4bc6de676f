/**
 * Large YAML in a thread of its own: the parser takes seconds for what a body may hold, and everybody else would wait.
 * JSON and protobuf, which clients send, never come here.
 */
import { Worker } from 'node:worker_threads'
import type { ParsedJson } from '../../api/machinery/json-strict.ts'
import { badRequest } from '../../api/machinery/status-error.ts'

/** Smaller documents are parsed on the spot: a thread costs more. */
export const THREAD_FROM = 32 << 10
/** As long as one document may take, in ms, and as much as it may hold, in MB. */
const LIMIT = 15_000
const MEMORY = 512

/** What the thread says. */
export type YamlAnswer = ParsedJson | { readonly problem: string }

const entry = () =>
  import.meta.filename.endsWith('.ts')
    ? new URL('./yaml-thread-entry.ts', import.meta.url)
    : new URL('./yaml-worker.js', import.meta.url)

const late = () =>
  badRequest(`error converting YAML to JSON: yaml: the document takes more than ${LIMIT / 1000} s to read`)

function parse(text: string): Promise<ParsedJson> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(entry(), {
      workerData: text,
      execArgv: [],
      name: 'yaml',
      resourceLimits: { maxOldGenerationSizeMb: MEMORY },
    })
    const timer = setTimeout(() => {
      reject(late())
      void worker.terminate()
    }, LIMIT)
    worker.once('message', (answer: YamlAnswer) => {
      if ('problem' in answer) reject(badRequest(answer.problem))
      else resolve(answer)
    })
    worker.once('error', error =>
      reject(badRequest(`error converting YAML to JSON: yaml: ${(error as Error).message}`)),
    )
    worker.once('exit', () => {
      clearTimeout(timer)
      reject(badRequest('error converting YAML to JSON: yaml: the parser ended early'))
    })
  })
}

let last: Promise<unknown> = Promise.resolve()

/** Parses a document, one at a time. Rejects with StatusError BadRequest. */
export function parseInThread(text: string): Promise<ParsedJson> {
  const mine = last.then(() => parse(text))
  last = mine.catch(() => {})
  return mine
}
