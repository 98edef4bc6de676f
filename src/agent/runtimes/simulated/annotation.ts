/**
 * Scripts of single pods: the annotation `tutti.dev/simulate` says what becomes of its containers, e.g.
 * `{"main": {"exitAfterMs": 500, "exitCode": 1}}`. `*` stands for every container that is not named.
 */

import { quantityProblem } from '../../../api/machinery/quantity.ts'
import { type ContainerConfig, RuntimeError, type SandboxConfig } from '../runtime.ts'
import { scriptOfCommand } from './command.ts'
import { scriptOfImage } from './image.ts'
import type { ContainerScript, SimulationScript } from './script.ts'

export const SIMULATE = 'tutti.dev/simulate'

type Check = (value: unknown) => boolean
const milliseconds: Check = value => typeof value === 'number' && value >= 0
const quantity: Check = value => typeof value === 'string' && quantityProblem(value) === undefined
const orNever =
  (check: Check): Check =>
  value =>
    value === null || check(value)

/** Fields of a script that an annotation may set, and what they take. */
const FIELDS: Readonly<Record<string, { readonly check: Check; readonly takes: string }>> = {
  startMs: { check: milliseconds, takes: 'milliseconds' },
  exitAfterMs: { check: milliseconds, takes: 'milliseconds' },
  exitCode: { check: value => Number.isInteger(value) && (value as number) >= 0, takes: 'an exit code' },
  stopMs: { check: orNever(milliseconds), takes: 'milliseconds or null' },
  healthyMs: { check: orNever(milliseconds), takes: 'milliseconds or null' },
  cpu: { check: quantity, takes: 'a quantity' },
  memory: { check: quantity, takes: 'a quantity' },
  prints: {
    check: value => Array.isArray(value) && value.every(line => typeof line === 'string'),
    takes: 'a list of lines',
  },
}

const invalid = (why: string) => new RuntimeError('InvalidSimulation', `annotation ${SIMULATE}: ${why}`)

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function parse(text: string): Record<string, unknown> {
  try {
    const value = JSON.parse(text)
    if (isObject(value)) return value
  } catch {
    // Told below, as for every other value that is no object.
  }
  throw invalid('it must be a JSON object with a script for each container')
}

/** What the annotation says of one container; `{}` where it says nothing. Throws `RuntimeError` (InvalidSimulation). */
export function annotatedScript(container: string, annotations: Readonly<Record<string, string>>): ContainerScript {
  const text = annotations[SIMULATE]
  if (text === undefined) return {}
  const scripts = parse(text)
  const script = scripts[container] ?? scripts['*'] ?? {}
  if (!isObject(script)) throw invalid(`the script of container ${JSON.stringify(container)} must be an object`)
  for (const [name, value] of Object.entries(script)) {
    const field = FIELDS[name]
    if (!field) throw invalid(`unknown field ${JSON.stringify(name)}; known are ${Object.keys(FIELDS).join(', ')}`)
    if (!field.check(value)) throw invalid(`${name} takes ${field.takes}, not ${JSON.stringify(value)}`)
  }
  return script as ContainerScript
}

/** The script of a node whose pods say themselves how they live, by annotation or by a command that is plain. */
export const annotatedScripts: SimulationScript = {
  image: scriptOfImage,
  container({ name, command, args }: ContainerConfig, { annotations }: SandboxConfig) {
    return { ...scriptOfCommand(command, args), ...annotatedScript(name, annotations) }
  },
}
