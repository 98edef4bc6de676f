/** Finds programs of the system, whatever PATH this process was started with. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Where packages put programs and tools. */
const FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** A PATH with the folders where packages put tools at its end: the shells of ordinary users often lack some. */
export const completePath = (path: string): string =>
  [...new Set([...path.split(':').filter(Boolean), ...FOLDERS])].join(':')

/** Where the system's own packages put them, which what is carried into containers must be of. */
const SYSTEM_FOLDERS = ['/usr/bin', '/bin', '/usr/sbin', '/sbin']

/** The file of a program; undefined where the machine has none. */
export const systemProgram = (name: string): string | undefined =>
  SYSTEM_FOLDERS.map(folder => join(folder, name)).find(file => existsSync(file))
