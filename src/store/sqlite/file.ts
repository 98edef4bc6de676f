/**
 * The file of a store: how it is recognised, locked, made and what SQLite's faults mean. One table holds every revision
 * that is still of use; the newest row of a key is its state. Nothing but the primary key is indexed in the file: the
 * index by key is in memory, so that a write is an append.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { StoreError } from '../store.ts'

/** "Tutt", in the header field that SQLite has for it. */
const APPLICATION_ID = 0x54757474
const SCHEMA_VERSION = 1

/** A row's id is its revision times this, plus its place in the commit. 2^53 leaves room for 10^12 revisions. */
export const ROWS_PER_REVISION = 4096

const SCHEMA = `
  create table log (
    id       integer primary key,
    key      text    not null,
    created  integer not null,   -- revision at which the key came to be; 0: this row says that the key was deleted
    value    blob
  ) strict;
  create table meta (name text primary key, value integer not null) strict, without rowid;
  insert into meta values ('compacted', 0);
  pragma application_id = ${APPLICATION_ID};
  pragma user_version = ${SCHEMA_VERSION};
`

/** SQLite's result codes as we tell them apart (https://www.sqlite.org/rescode.html). */
const BUSY = 5
const CORRUPT = 11
const FULL = 13
const NOT_A_DATABASE = 26
/** The file could not grow: extended codes of SQLITE_IOERR for the shared memory's size and its mapping. */
const NO_ROOM = new Set([4874, 5386])

/** What an error of SQLite or the file system means to the store's user. */
export function toStoreError(error: unknown, path: string): StoreError {
  if (error instanceof StoreError) return error
  const { errcode = 0, code, message } = error as { errcode?: number; code?: string; message: string }
  const says = `${message} (${path})`
  if (errcode === FULL || NO_ROOM.has(errcode) || code === 'ENOSPC') {
    return new StoreError('full', `no room left for the store: ${says}`, { cause: error })
  }
  if (errcode % 256 === CORRUPT || errcode === NOT_A_DATABASE) {
    return new StoreError('corrupt', `the store's file is damaged: ${says}; restore it from a backup`, { cause: error })
  }
  return new StoreError('failed', `the store failed: ${says}`, { cause: error })
}

/** The first bytes of a file; fewer where it is shorter, none where there is no file. */
function head(path: string, length: number): Buffer {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0)
    throw error
  }
  try {
    const bytes = Buffer.alloc(length)
    return bytes.subarray(0, readSync(file, bytes, 0, length, 0))
  } finally {
    closeSync(file)
  }
}

/**
 * Refuses a file that is not a store's, without touching it (https://www.sqlite.org/fileformat.html#the_database_header).
 * An empty or missing one will become a store.
 */
function checkHeader(path: string): void {
  const bytes = head(path, 100)
  if (bytes.length === 0) return
  const refuse = (why: string) => new StoreError('foreign', `${path} is not a Tutti store: ${why}`)
  if (bytes.length < 100 || bytes.toString('latin1', 0, 16) !== 'SQLite format 3\0') {
    throw refuse('it is not an SQLite database')
  }
  const application = bytes.readUInt32BE(68)
  if (application !== APPLICATION_ID) {
    throw refuse(`its application id is 0x${application.toString(16)}, expected 0x${APPLICATION_ID.toString(16)}`)
  }
  const version = bytes.readUInt32BE(60)
  if (version > SCHEMA_VERSION) {
    throw new StoreError(
      'foreign',
      `${path} was written by a newer Tutti: its format is ${version}, this program reads up to ${SCHEMA_VERSION}`,
    )
  }
}

/**
 * Keeps other processes out for as long as the returned database is open: a lock of the operating system on a file
 * beside the store's, gone with the process however it ends. The holder's pid stands in it, for the message.
 */
function lock(path: string): DatabaseSync {
  const database = new DatabaseSync(`${path}.lock`)
  try {
    database.exec('pragma journal_mode = memory; pragma synchronous = off')
    database.exec(`begin exclusive; pragma user_version = ${process.pid}; commit; begin immediate`)
    return database
  } catch (error) {
    if (((error as { errcode?: number }).errcode ?? 0) % 256 !== BUSY) {
      database.close()
      throw error
    }
    const { user_version: pid } = database.prepare('pragma user_version').get() as { user_version: number }
    database.close()
    throw new StoreError('in-use', `${path} is in use by another process (pid ${pid}); stop it first`, { cause: error })
  }
}

export interface StoreFile {
  readonly database: DatabaseSync
  /** Gives the file and its lock back. */
  close(): void
}

/** Locks, checks, opens for writing and, where it is new, makes the file. Throws `StoreError`. */
export function openStoreFile(path: string): StoreFile {
  let held: DatabaseSync | undefined
  let database: DatabaseSync | undefined
  try {
    held = lock(path)
    checkHeader(path)
    database = new DatabaseSync(path)
    database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma journal_size_limit = 67108864')
    database.exec('pragma wal_autocheckpoint = 1000')
    const { user_version: version } = database.prepare('pragma user_version').get() as { user_version: number }
    if (version === 0) {
      database.exec(`begin; ${SCHEMA} commit`)
      // Into the file itself, where `checkHeader` will look for it.
      database.exec('pragma wal_checkpoint(truncate)')
    }
  } catch (error) {
    database?.close()
    held?.close()
    throw toStoreError(error, path)
  }
  const opened = database
  return {
    database: opened,
    close() {
      opened.close()
      held.close()
    },
  }
}
