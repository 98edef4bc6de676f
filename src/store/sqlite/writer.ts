/**
 * The main thread's end of the writer's thread: starts it, hands it one batch at a time and tells how each ended.
 */
import { Worker } from 'node:worker_threads'
import { StoreError } from '../store.ts'
import { type Answer, type Batch, createBatchMemory, createBatchSender } from './batch.ts'
import type { SqliteWorkerData } from './worker.ts'

export interface Writer {
  /**
   * Writes one batch; the one before must have ended. `done` is told why nothing of it was written, if so. With `lone`
   * nobody else is waiting to write: then the disk is waited for on the spot, if it is quick, and `done` is called
   * before this returns. Going through the event loop would cost a lone writer more than the disk does.
   */
  write(batch: Batch, done: (error: StoreError | undefined) => void, lone: boolean): void
  /** Closes the file and ends the thread. */
  close(): Promise<void>
}

/** How long a lone batch is waited for on the spot, ms: a little more than a fast disk takes. */
const PATIENCE_MS = 1
/** After a disk was slower than that, so many lone batches go the usual way. */
const PAUSE = 256

/**
 * Starts the thread and opens the file. Rejects with `StoreError` where the file is refused. `onCrash`: the thread
 * ended by itself.
 */
export async function startWriter(path: string, url: URL, onCrash: (error: StoreError) => void): Promise<Writer> {
  const memory = createBatchMemory()
  const workerData: SqliteWorkerData = { role: 'tutti-sqlite', path, memory }
  const worker = new Worker(url, { workerData, execArgv: [], name: 'store' })
  const sender = createBatchSender(memory)
  let waiting: ((error: StoreError | undefined) => void) | undefined
  let closing = false

  const exited = new Promise<void>(resolve => worker.once('exit', () => resolve()))
  const opened = new Promise<void>((resolve, reject) => {
    waiting = error => (error ? reject(error) : resolve())
  })
  /** Batches that were waited for on the spot and whose messages are still to come; messages keep their order. */
  let late = 0
  let pause = 0
  const settle = (error: StoreError | undefined) => {
    const done = waiting
    waiting = undefined
    done?.(error)
  }
  worker.on('message', (answer: Answer) => {
    if (late > 0 && typeof answer === 'number') {
      late--
      return
    }
    settle(typeof answer === 'number' ? undefined : new StoreError(answer.code as StoreError['code'], answer.message))
  })
  worker.on('error', error => {
    const crash = new StoreError(
      'failed',
      `the store's thread ended: ${error instanceof Error ? error.message : error}`,
      { cause: error },
    )
    closing = true
    onCrash(crash)
    settle(crash)
  })
  worker.on('exit', () => {
    if (closing) return
    const crash = new StoreError('failed', "the store's thread ended unexpectedly")
    onCrash(crash)
    settle(crash)
  })

  try {
    await opened
  } catch (error) {
    closing = true
    await exited
    throw error
  }
  return {
    write(batch, done, lone) {
      waiting = done
      const number = sender.send(batch)
      if (!lone || pause-- > 0) return
      pause = 0
      if (sender.awaitWritten(number, PATIENCE_MS)) {
        late++
        settle(undefined)
      } else pause = PAUSE
    },
    async close() {
      if (!closing) {
        closing = true
        sender.close()
      }
      await exited
    },
  }
}
