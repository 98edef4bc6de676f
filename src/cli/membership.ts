/** Whether a data directory is that of a node which joined a cluster on another machine. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

export const membershipFile = (dataDir: string) => join(dataDir, 'membership.json')

/** This machine is a node of a cluster on another one. */
export const isMember = (dataDir: string): boolean => existsSync(membershipFile(dataDir))
