/**
 * The definitions of the Kubernetes OpenAPI document as structural schemas. Written by hand; the data beside it is
 * generated (`npm run generate`). A package's definitions are parsed when the first of them is asked for: all of
 * core/v1 takes about a millisecond.
 */
import type { Schema } from '../machinery/schema.ts'
import { packages } from './schema-data.ts'

const parsed = new Map<string, Readonly<Record<string, Schema>>>()

function definitionsOf(name: string): Readonly<Record<string, Schema>> | undefined {
  const known = parsed.get(name)
  if (known) return known
  const text = Object.hasOwn(packages, name) ? packages[name] : undefined
  if (text === undefined) return undefined
  const definitions = JSON.parse(text) as Record<string, Schema>
  parsed.set(name, definitions)
  return definitions
}

/** The definition of that name, e.g. `io.k8s.api.core.v1.Pod`; undefined if there is none. Shared: do not change. */
export function definition(name: string): Schema | undefined {
  const dot = name.lastIndexOf('.')
  const definitions = definitionsOf(name.slice(0, dot))
  const short = name.slice(dot + 1)
  return definitions && Object.hasOwn(definitions, short) ? definitions[short] : undefined
}

/** Every name that `definition` knows, sorted. */
export function definitionNames(): string[] {
  return Object.keys(packages)
    .flatMap(name => Object.keys(definitionsOf(name)!).map(short => `${name}.${short}`))
    .sort()
}
