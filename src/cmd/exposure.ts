/**
 * How other machines reach a cluster: as the last `tutti up --advertise-address` said. It is kept in the data directory,
 * since nodes that have joined go on needing it.
 */
import { join } from 'node:path'
import type { Exposure, UpOptions } from '../cli/context.ts'
import { readJsonFile, writeFileAtomic } from '../lib/atomic-file.ts'

const fileOf = (dataDir: string) => join(dataDir, 'exposure.json')

/** What was asked for now, else what was before; undefined: the cluster is this machine's own. */
export const exposureOf = ({ dataDir, exposure }: UpOptions): Exposure | undefined =>
  exposure ?? readJsonFile<Exposure>(fileOf(dataDir))

/** Keeps it for the next start. */
export const keepExposure = (dataDir: string, exposure: Exposure): void =>
  writeFileAtomic(fileOf(dataDir), `${JSON.stringify(exposure)}\n`)
