/** Finds programs of the system, whatever PATH this process was started with. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const FOLDERS = ['/usr/bin', '/bin', '/usr/sbin', '/sbin']

/** The file of a program; undefined where the machine has none. */
export const systemProgram = (name: string): string | undefined =>
  FOLDERS.map(folder => join(folder, name)).find(file => existsSync(file))
