/** Whether a data directory is that of a node which joined a cluster on another machine. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readJsonFile } from '../lib/atomic-file.ts'

export const membershipFile = (dataDir: string) => join(dataDir, 'membership.json')

/** This machine is a node of a cluster on another one. */
export const isMember = (dataDir: string): boolean => existsSync(membershipFile(dataDir))

/** The name of that node; undefined where there is none, or its file cannot be read. */
export const memberName = (dataDir: string): string | undefined =>
  readJsonFile<{ readonly nodeName?: string }>(membershipFile(dataDir))?.nodeName
