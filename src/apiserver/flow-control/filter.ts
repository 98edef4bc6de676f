/**
 * API Priority and Fairness (KEP-1040): every request belongs to a flow and a priority level; a level has its share of
 * the server's seats, and flows that want more than there is wait in turns. Replaces a plain limit of requests in
 * flight. Calls inside the process pass by it: the cluster's own parts must get on.
 */
import { StatusError } from '../../api/machinery/status-error.ts'
import type { Clock, Timer } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import type { Count, Family } from '../../lib/metrics.ts'
import type { Registry } from '../registry/registry.ts'
import type { Answer, Filter, ServerRequest } from '../request.ts'
import { type Classified, followConfiguration } from './configuration.ts'
import { flowMetrics } from './metrics.ts'
import { createSeats, type Refusal, type Release } from './seats.ts'
import { statusWriter } from './status.ts'
import { type Held, widthOf } from './width.ts'

export interface FlowControl {
  readonly filter: Filter
  readonly families: readonly Family[]
  /** Requests that are being answered: reads, and writes. */
  current(): { readonly readOnly: number; readonly mutating: number }
  close(): void
}

export interface FlowControlDeps {
  readonly registry: Registry
  readonly clock: Clock
  readonly logger: Logger
  /** Whether schemas are told in their status if their level exists. Default true. */
  readonly judgeSchemas?: boolean
  /** What a list of the request's resource reads; undefined where that is not known. */
  held(request: ServerRequest): Held | undefined
}

const READS = new Set(['get', 'list', 'watch'])
/** Streams last, and cost little while they wait. */
const LONG = new Set(['exec', 'attach', 'portforward', 'log', 'proxy'])

const RETRY_AFTER = '1'
const WRITE_PATIENCE = 15_000

/** In plain text, as upstream. */
const refusal = (): Answer => ({
  status: 429,
  type: 'bytes',
  contentType: 'text/plain; charset=utf-8',
  bytes: Buffer.from('Too many requests, please try again later.\n'),
  headers: { 'retry-after': RETRY_AFTER, 'x-content-type-options': 'nosniff' },
})

/** Makes it; it follows the FlowSchemas and PriorityLevelConfigurations of the registry. */
export function createFlowControl({
  registry,
  clock,
  logger,
  judgeSchemas = true,
  held,
}: FlowControlDeps): FlowControl {
  const configuration = followConfiguration(registry, judgeSchemas ? statusWriter(registry, clock, logger) : () => {})
  const seats = createSeats(clock, configuration.levels)
  const metrics = flowMetrics(configuration.levels)
  const current = { readOnly: 0, mutating: 0 }

  async function queued(
    request: ServerRequest,
    { flow, level }: Classified,
    width: number,
  ): Promise<Release | Refusal> {
    const began = clock.elapsed()
    const count = metrics.queued.at(level.name, flow.name)
    count.value++
    const result = await seats.wait(level, flow, flow.distinguisher(request), width, request.signal)
    count.value--
    const execute = String(typeof result !== 'string')
    metrics.waits.at(level.name, flow.name, execute).observe((clock.elapsed() - began) / 1000)
    return result
  }

  /** The numbers of a flow, looked up once. */
  const counts = new WeakMap<Classified, { readonly executing: Count; readonly dispatched: Count }>()
  function countsOf(found: Classified) {
    let known = counts.get(found)
    if (known) return known
    const labels = [found.level.name, found.flow.name] as const
    known = { executing: metrics.executing.at(...labels), dispatched: metrics.dispatched.at(...labels) }
    counts.set(found, known)
    return known
  }

  /** The answer of a request that has its seats, which are given back when it was given. */
  async function execute(
    next: (request: ServerRequest) => Promise<Answer>,
    request: ServerRequest,
    found: Classified,
    release: Release,
  ): Promise<Answer> {
    const kind = READS.has(request.info.verb) ? 'readOnly' : 'mutating'
    const { executing, dispatched } = countsOf(found)
    executing.value++
    dispatched.value++
    current[kind]++
    let timer: Timer | undefined
    let over = false
    const done = () => {
      if (over) return
      over = true
      timer?.cancel()
      executing.value--
      current[kind]--
      release()
    }
    try {
      const answer = await next(request)
      // A list is most work while it is written.
      if (answer.type === 'list') {
        request.written = done
        // Who reads slowly must not keep seats from others.
        timer = clock.after(WRITE_PATIENCE, done)
      } else done()
      return answer
    } catch (error) {
      done()
      throw error
    }
  }

  const filter: Filter = next => async request => {
    if (request.local || request.upgrade || LONG.has(request.info.subresource)) return next(request)
    const found = configuration.classify(request)
    const { flow, level } = found
    request.flow = found
    const width = level.exempt ? 1 : widthOf(request, held)
    const taken = seats.take(level, width) ?? (await queued(request, found, width))
    if (typeof taken === 'string') {
      metrics.rejected.at(level.name, flow.name, taken).value++
      if (taken === 'cancelled') throw gone()
      return refusal()
    }
    return execute(next, request, found, taken)
  }
  return { filter, families: metrics.families, current: () => current, close: configuration.close }
}

/** Nobody reads it. */
const gone = () =>
  new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'the client has gone',
    code: 499,
  })
