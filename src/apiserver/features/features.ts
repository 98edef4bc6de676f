/**
 * Which features of Kubernetes are on, as its feature gates say. A gate that would change nothing here is refused: who
 * sets one means that something becomes different.
 */
import { nearest } from '../../lib/nearest.ts'
import { GATES, STAGE_SWITCHES } from './gates.ts'

/** What can really be turned off here. */
export const SWITCHABLE = ['ConstrainedImpersonation', 'WatchList'] as const

export type Feature = (typeof SWITCHABLE)[number]

/** The features that are off though they are on by default. */
export type FeaturesOff = ReadonlySet<Feature>

const isSwitchable = (name: string): name is Feature => (SWITCHABLE as readonly string[]).includes(name)

function refusalOf(name: string, on: boolean): string | undefined {
  const quoted = JSON.stringify(name)
  if (STAGE_SWITCHES.has(name))
    return on ? `feature gate ${quoted} cannot be set to true: turn features on one by one` : undefined
  const gate = GATES.get(name)
  if (!gate) {
    const near = nearest(name, [...GATES.keys()])
    return `unknown feature gate ${quoted}${near ? `: is ${JSON.stringify(near)} meant?` : ''}`
  }
  if (gate.on === on) return undefined
  if (gate.locked) return `cannot set feature gate ${name} to ${on}, feature is locked to ${gate.on}`
  if (isSwitchable(name)) return undefined
  return gate.on
    ? `feature gate ${quoted} cannot be turned off here: what it stands for is always as it is by default`
    : `feature gate ${quoted} cannot be turned on: the feature is not built`
}

/** Reads what was asked for by name. Throws an Error that names the first gate that is unknown or cannot be set so. */
export function chooseFeatures(wanted: Readonly<Record<string, boolean>>): FeaturesOff {
  const off = new Set<Feature>()
  for (const [name, on] of Object.entries(wanted)) {
    const refusal = refusalOf(name, on)
    if (refusal) throw new Error(refusal)
    if (!on && isSwitchable(name)) off.add(name)
  }
  return off
}
