/**
 * What Go knows of the fields of built-in kinds, and the OpenAPI document does not say. Written by hand; the data beside
 * it is generated (`scripts/generate-go-fields.ts`).
 */
import { packages } from './go-data.ts'

export interface GoFields {
  /** What JSON shows for fields that were never set; `{}` is an object with the zeros of its own. */
  readonly zeros?: Readonly<Record<string, unknown>>
  /** Optional scalars that keep a zero that was said. */
  readonly pointers?: readonly string[]
  /** What error messages call the types of fields, where the schema does not tell. */
  readonly types?: Readonly<Record<string, string>>
  /** The structs, with dots, that fields stand in and JSON does not show: `VolumeSource`. */
  readonly embedded?: Readonly<Record<string, string>>
}

const NONE: GoFields = Object.freeze({})
const parsed = new Map<string, Readonly<Record<string, GoFields>>>()

/** Of a definition, e.g. `io.k8s.api.core.v1.Pod`. */
export function goFields(name: string): GoFields {
  const dot = name.lastIndexOf('.')
  const home = name.slice(0, dot)
  let definitions = parsed.get(home)
  if (!definitions) {
    definitions = Object.hasOwn(packages, home) ? JSON.parse(packages[home]!) : {}
    parsed.set(home, definitions!)
  }
  const short = name.slice(dot + 1)
  return Object.hasOwn(definitions!, short) ? definitions![short]! : NONE
}
