/** What a node keeps of the cluster that it joined: where it is, whom to trust, who the node is, its certificates. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type UpOptions, UserError } from '../../cli/context.ts'
import { membershipFile } from '../../cli/membership.ts'
import { readJsonFile, writeFileAtomic } from '../../lib/atomic-file.ts'
import type { KeyPair } from '../../lib/pki/certificate.ts'
import type { KeptOptions } from '../kept-options.ts'
import type { NetworkConfig } from './enroll.ts'

export interface Membership {
  /** `https://192.168.1.10:6443`. */
  readonly server: string
  /** PEM of the cluster's CA. */
  readonly authority: string
  readonly nodeName: string
  /** This machine's address, where it was said. */
  readonly address?: string
  readonly runtime?: 'auto' | 'containerd' | 'process'
  readonly runtimeEndpoint?: string
  /** Tells this machine from another that uses the same name. */
  readonly machine: string
}

/** What was kept. Throws a `UserError` where the file cannot be read. */
export function readMembership(dataDir: string): Membership {
  const file = membershipFile(dataDir)
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Membership
  } catch (cause) {
    throw new UserError(
      `${file} cannot be read: ${(cause as Error).message}`,
      'Join again: tutti delete, then tutti join with a new token.',
      { cause },
    )
  }
}

/** How its programs are started, as for a cluster's own node. */
export const upOptions = (
  dataDir: string,
  { runtime = 'auto', runtimeEndpoint }: Membership,
): UpOptions & KeptOptions => ({
  dataDir,
  port: 0,
  network: 'kernel',
  nodes: 1,
  runtime,
  ...(runtimeEndpoint && { runtimeEndpoint }),
})

/** Keeps it, with the node's first certificate before it: a membership without one is none. */
export function keepMembership(dataDir: string, membership: Membership, client: KeyPair): void {
  certificateFiles(dataDir, 'client').write(client)
  writeFileAtomic(membershipFile(dataDir), `${JSON.stringify(membership)}\n`)
}

/** A certificate and its key as files. */
export function certificateFiles(dataDir: string, name: 'client' | 'serving' | 'traffic') {
  const path = (ending: string) => join(dataDir, 'pki', `${name}.${ending}`)
  return {
    /** Undefined where there is none. */
    read(): KeyPair | undefined {
      try {
        return { certificate: readFileSync(path('crt'), 'utf8'), key: readFileSync(path('key'), 'utf8') }
      } catch {
        return undefined
      }
    },
    write(pair: KeyPair): void {
      // One file is renamed after the other: a pair that does not fit is like none, and made anew.
      writeFileAtomic(path('key'), pair.key)
      writeFileAtomic(path('crt'), pair.certificate)
    },
  }
}

/** What the cluster gave the node. */
export interface Place {
  readonly address: string
  readonly network: NetworkConfig
  /** One a family, with commas between: `10.244.3.0/24`. */
  readonly podCidr: string
}

const placeFile = (dataDir: string) => join(dataDir, 'place.json')

/** Keeps it for who takes the node off this machine when the cluster is gone. */
export const keepPlace = (dataDir: string, place: Place): void =>
  writeFileAtomic(placeFile(dataDir), `${JSON.stringify(place)}\n`)

/** The last one; undefined where there never was one. */
export const readPlace = (dataDir: string): Place | undefined => readJsonFile<Place>(placeFile(dataDir))
