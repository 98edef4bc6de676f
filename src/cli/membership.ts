/** Whether a data directory is that of a node which joined a cluster on another machine. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const membershipFile = (dataDir: string) => join(dataDir, 'membership.json')

/** This machine is a node of a cluster on another one. */
export const isMember = (dataDir: string): boolean => existsSync(membershipFile(dataDir))

/** The name of that node; undefined where there is none, or its file cannot be read. */
export function memberName(dataDir: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(membershipFile(dataDir), 'utf8')) as { nodeName?: string }).nodeName
  } catch {
    return undefined
  }
}
