/** All cases of the differential test, made from the schemas, the good objects and a seed. */
import { kindOf, type Scene } from './ask.ts'
import { bases } from './bases/all.ts'
import type { Base, Json } from './bases/base.ts'
import { statuses } from './bases/status.ts'
import { applies } from './generate/applies.ts'
import { components } from './generate/components.ts'
import { type Progress, wrongCreates } from './generate/creates.ts'
import { patches } from './generate/patches.ts'
import { rare } from './generate/rare.ts'
import { deletes, reads } from './generate/reads.ts'
import { rules } from './generate/rules.ts'
import { scales } from './generate/scales.ts'
import { statusWrites } from './generate/statuses.ts'
import { changes, replacements } from './generate/updates.ts'
import { wire } from './generate/wire.ts'
import { written } from './generate/written.ts'

/** The seed of the recorded answers. */
export const SEED = 1

/** Patches and bodies that have nothing to do with the kind are all tried with these, and some with the others. */
const PLAIN = new Set(['ConfigMap', 'Deployment', 'ClusterRole'])
/** Kinds whose names are not free. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  IPAddress: ['192.168.1.1', '192.168.1.2', '192.168.1.3'],
  CustomResourceDefinition: ['firsts.example.com', 'seconds.example.com', 'thirds.example.com'],
  APIService: ['v1.example.com', 'v2.example.com', 'v3.example.com'],
}

function ofKind(progress: Progress, own: readonly Base[]): Scene[] {
  const minimal = own[0]!
  const full = own.find(({ name }) => name === 'full') ?? minimal
  const kind = kindOf(minimal.object)
  const status = statuses[`${kind.apiVersion} ${kind.kind}`]
  const creates = [
    ...own.map(base => wrongCreates(progress, base)),
    wire(progress, minimal.object, PLAIN.has(kind.kind)),
  ]
  if (kind.virtual) return creates
  return [
    ...creates,
    ...own.map(base => changes(progress, base)),
    replacements(minimal),
    patches(progress, full, PLAIN.has(kind.kind)),
    ...applies(minimal.object, full.object),
    ...(status ? [statusWrites(progress, minimal, status)] : []),
    ...(kind.scale ? [scales(full.object)] : []),
    reads(minimal.object, NAMES[kind.kind] ?? ['a', 'b', 'c']),
    ...deletes(minimal.object),
  ]
}

/** Bases by kind, in the order in which kinds are listed. */
function byKind(): Base[][] {
  const groups = new Map<string, Base[]>()
  for (const base of bases) {
    const { apiVersion, kind } = base.object as Json
    const key = `${apiVersion} ${kind}`
    groups.set(key, [...(groups.get(key) ?? []), base])
  }
  return [...groups.values()]
}

/** Every scene. The same seed gives the same ones; `wide` leaves none out for the sake of time. */
export function scenes(seed = SEED, wide = false): Scene[] {
  const progress: Progress = { seed, wide, tried: new Set() }
  return [...byKind().flatMap(own => ofKind(progress, own)), ...components(), ...written(), ...rare(), ...rules()]
}
