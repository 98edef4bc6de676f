/**
 * The line of commits between decision and disk.
 *
 * A commit is decided at once, against the state that all commits before it leave behind, and takes its place in the
 * line. The writer gets everything that stands there as one batch (group commit).
 *
 * Invariants:
 * - Acknowledgement and publication happen in the order of the line, so in the order of revisions.
 * - A durable commit is acknowledged when its batch is on the disk; a relaxed one as soon as everything before it is.
 *   So what is acknowledged but not yet written is always the head of the line.
 * - When a batch fails, the commits that are not acknowledged are refused and their revisions are given out again;
 *   nobody has seen them. The acknowledged ones stay and are written before anything else.
 * - A refusal (a conflict) with a commit that is not yet acknowledged waits for that one: its answer shows what has
 *   happened, not what may.
 */
import type { Clock, Timer } from '../../lib/clock.ts'
import type { StoreError } from '../store.ts'
import { BATCH_LIMIT, type Batch, type Row, rowSize } from './batch.ts'

/** A commit in the line. A conflict has no rows. */
export interface InLine {
  readonly rows: readonly Row[]
  readonly relaxed: boolean
  /** Makes it visible and resolves its promise. */
  acknowledge(): void
  refuse(error: StoreError): void
  /** It is on the disk. */
  written(): void
}

export interface CommitLine {
  push(entry: InLine): void
  /** Resolves when everything is written; rejects when that fails. Nothing may be pushed afterwards. */
  drain(): Promise<void>
  /** The writer is gone: refuses everything. */
  abort(error: StoreError): void
}

interface Deps {
  readonly clock: Clock
  /** Calls back when what is at hand in this turn has been done. */
  soon(then: () => void): void
  /** `lone`: see `Writer.write`. */
  write(batch: Batch, done: (error: StoreError | undefined) => void, lone: boolean): void
  /** Rows that a batch should delete, at most `limit`, and since when the past is known without them. */
  takeForgotten(limit: number): { ids: readonly number[]; compacted: number }
  /** They were not deleted after all. */
  returnForgotten(ids: readonly number[]): void
  /** Called around the acknowledgement of several commits, so that their events go out together. */
  together(acknowledge: () => void): void
  /** Everything that was not acknowledged has been refused: the decided state is the acknowledged one again. */
  onRefused(): void
}

/** Bytes of one batch, unless a single commit has more. */
const BATCH_BYTES = 8 * 2 ** 20
const FORGET_PER_BATCH = 512
/** Acknowledged bytes that may wait for the disk; beyond that relaxed commits wait like durable ones. */
const RELAXED_BYTES = 32 * 2 ** 20
/** How often what was acknowledged before a disk went full is tried again, in ms. */
const RETRY = 1000

/** Bytes that one commit may have. */
export const COMMIT_LIMIT = BATCH_LIMIT - 2 ** 20

const sizeOf = (entry: InLine) => entry.rows.reduce((sum, row) => sum + rowSize(row), 0)

/** Makes an empty one. */
export function createCommitLine(deps: Deps): CommitLine {
  let line: InLine[] = []
  /** How many at the head are acknowledged, and how many are with the writer. */
  let acknowledged = 0
  let sent = 0
  let busy = false
  /** It goes to the writer at the end of this turn. */
  let due = false
  /** The batch before held one commit, and nobody else came while it was written. */
  let quiet = false
  /** Bytes of the acknowledged ones. */
  let owed = 0
  /** The last batch failed: nothing is acknowledged before it is written. */
  let stuck = false
  let retry: Timer | undefined
  let drained: { resolve(): void; reject(error: StoreError): void } | undefined

  function nextBatch(): InLine[] {
    let bytes = 0
    let count = 0
    for (const entry of line) {
      bytes += sizeOf(entry)
      if (count > 0 && bytes > BATCH_BYTES) break
      count++
    }
    return line.slice(0, count)
  }

  /** A lone commit goes at once. Where several clients write, others that came with it are about to write too. */
  function sendSoon() {
    if (quiet) return send()
    if (due || busy) return
    due = true
    deps.soon(() => {
      due = false
      send()
    })
  }

  function send() {
    if (busy || line.length === 0) return
    const batch = nextBatch()
    const rows = batch.flatMap(entry => entry.rows)
    if (rows.length === 0) return
    sent = batch.length
    busy = true
    const { ids, compacted } = deps.takeForgotten(Math.max(FORGET_PER_BATCH, 2 * rows.length))
    const durable = stuck || drained !== undefined || batch.some(entry => !entry.relaxed)
    const lone = quiet && durable && batch.length === 1
    deps.write({ rows, forget: ids, compacted, durable }, error => ended(error, ids), lone)
  }

  function ended(error: StoreError | undefined, forgotten: readonly number[]) {
    busy = false
    if (error) {
      deps.returnForgotten(forgotten)
      return failed(error)
    }
    stuck = false
    const done = line.slice(0, sent)
    const before = acknowledged
    line = line.slice(sent)
    quiet = sent === 1 && line.length === 0
    sent = 0
    acknowledged = Math.max(0, before - done.length)
    for (const entry of done.slice(0, before)) owed -= sizeOf(entry)
    // The disk works on the next batch while the answers to this one go out.
    send()
    deps.together(() => {
      for (const entry of done.slice(before)) entry.acknowledge()
      acknowledgeRelaxed()
    })
    for (const entry of done) entry.written()
    if (line.length === 0) drained?.resolve()
  }

  function failed(error: StoreError) {
    sent = 0
    stuck = acknowledged > 0
    const refused = line.slice(acknowledged)
    line = line.slice(0, acknowledged)
    for (const entry of refused) entry.refuse(error)
    deps.onRefused()
    if (drained) return drained.reject(error)
    retry?.cancel()
    if (stuck) retry = deps.clock.after(RETRY, send)
  }

  /** Acknowledges what needs no disk, up to the first that does. */
  function acknowledgeRelaxed() {
    while (!stuck && owed < RELAXED_BYTES && acknowledged < line.length) {
      const next = line[acknowledged]!
      if (!next.relaxed) break
      acknowledged++
      owed += sizeOf(next)
      next.acknowledge()
    }
    if (busy) return
    // Conflicts at the head have nothing to write.
    while (acknowledged > 0 && line[0]!.rows.length === 0) {
      line.shift()
      acknowledged--
    }
  }

  return {
    push(entry) {
      line.push(entry)
      acknowledgeRelaxed()
      sendSoon()
    },
    drain() {
      retry?.cancel()
      return new Promise((resolve, reject) => {
        if (line.length === 0) return resolve()
        drained = { resolve, reject }
        send()
      })
    },
    abort(error) {
      retry?.cancel()
      busy = true
      const refused = line.slice(acknowledged)
      line = []
      acknowledged = 0
      for (const entry of refused) entry.refuse(error)
      drained?.reject(error)
    },
  }
}
