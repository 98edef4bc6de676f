/**
 * The thread that writes. It owns the file and its lock, sleeps while there is nothing to do, and writes each batch in
 * one transaction: all of it or none. Only this thread ever waits for the disk.
 */
import type { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { type Answer, type Batch, createBatchReceiver } from './batch.ts'
import { openStoreFile, toStoreError } from './file.ts'

/** What the engine hands to its thread. `role` lets one bundled file tell which part of it to run. */
export interface SqliteWorkerData {
  readonly role: 'tutti-sqlite'
  readonly path: string
  readonly memory: SharedArrayBuffer
}

/** True in a thread that was started to run `runSqliteWorker`. */
export const isSqliteWorker = () => (workerData as Partial<SqliteWorkerData> | null)?.role === 'tutti-sqlite'

function createWriter(database: DatabaseSync): (batch: Batch) => void {
  const begin = database.prepare('begin immediate')
  const commit = database.prepare('commit')
  const rollback = database.prepare('rollback')
  const insert = database.prepare('insert into log values (?, ?, ?, ?)')
  const forget = database.prepare('delete from log where id = ?')
  const compacted = database.prepare("update meta set value = ? where name = 'compacted'")
  // In WAL mode `normal` commits without waiting for the disk; the next `full` one waits for everything before it.
  let durable = true

  return batch => {
    if (batch.durable !== durable) {
      durable = batch.durable
      database.exec(`pragma synchronous = ${durable ? 'full' : 'normal'}`)
    }
    begin.run()
    try {
      for (const row of batch.rows) insert.run(row.id, row.key, row.created, row.value ?? null)
      for (const id of batch.forget) forget.run(id)
      if (batch.forget.length > 0) compacted.run(batch.compacted)
      commit.run()
    } catch (error) {
      // A fault such as a full disk may have rolled it back already.
      if (database.isTransaction) rollback.run()
      throw error
    }
  }
}

/** The body of the thread: runs until it is told to close. The first message is 0, or why the file was refused. */
export function runSqliteWorker(): void {
  const { path, memory } = workerData as SqliteWorkerData
  const answer = (message: Answer) => parentPort!.postMessage(message)
  const refuse = (error: unknown) => {
    const { code, message } = toStoreError(error, path)
    answer({ code, message })
  }
  try {
    const file = openStoreFile(path)
    const write = createWriter(file.database)
    const receiver = createBatchReceiver(memory)
    answer(0)
    for (let batch = receiver.receive(); batch; batch = receiver.receive()) {
      try {
        write(batch)
        receiver.written(batch.number)
        answer(batch.number)
      } catch (error) {
        refuse(error)
      }
    }
    file.close()
  } catch (error) {
    refuse(error)
  }
}
