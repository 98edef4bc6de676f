/**
 * The main thread's end of the writer's thread: starts it, hands it one batch at a time and tells how each ended.
 */
import { Worker } from 'node:worker_threads'
import { StoreError } from '../store.ts'
import { type Answer, type Batch, createBatchMemory, createBatchSender } from './batch.ts'
import type { SqliteWorkerData } from './worker.ts'

export interface Writer {
  /** Writes one batch; the one before must have ended. `done` is told why nothing of it was written, if so. */
  write(batch: Batch, done: (error: StoreError | undefined) => void): void
  /** Closes the file and ends the thread. */
  close(): Promise<void>
}

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
  const settle = (error: StoreError | undefined) => {
    const done = waiting
    waiting = undefined
    done?.(error)
  }
  worker.on('message', (answer: Answer) => {
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
    write(batch, done) {
      waiting = done
      sender.send(batch)
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
