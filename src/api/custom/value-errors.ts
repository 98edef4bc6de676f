/**
 * What value validation finds, in the words of Kubernetes' OpenAPI validator
 * (k8s.io/kube-openapi `pkg/validation/errors`), and how that becomes field errors.
 */
import {
  type FieldError,
  invalid,
  notSupported,
  required,
  tooLong,
  tooMany,
  typeInvalid,
} from '../machinery/field-error.ts'
import { goQuoted } from '../machinery/go-text.ts'

/** One finding. `text` tells it apart from others. */
export interface ValueError {
  readonly text: string
  /** As a field error below a base path. */
  at(base: string): FieldError
}

/** What was found, and how much of the schema fitted: that decides which alternative is told about. */
export class Findings {
  readonly errors: ValueError[] = []
  matches = 0

  add(error: ValueError): void {
    if (!this.errors.some(each => each.text === error.text)) this.errors.push(error)
  }

  merge(other: Findings): void {
    for (const error of other.errors) this.add(error)
    this.matches += other.matches
  }
}

const fieldOf = (base: string, name: string) => {
  const path = name.startsWith('.') ? name.slice(1) : name
  return base && path ? `${base}.${path}` : base || path || '<nil>'
}

/** An error whose value and sentence stand in the field error as they are. */
export const wrong = (name: string, value: unknown, text: string): ValueError => ({
  text,
  at: base => invalid(fieldOf(base, name), value, text),
})

/** An error that is about no field. */
export const general = (text: string): ValueError => ({ text, at: base => invalid(base || '<nil>', '', text) })

export function wrongType(name: string, wanted: string, found: string): ValueError {
  const text = `${name} in body must be of type ${wanted}: ${goQuoted(found)}`
  return { text, at: base => typeInvalid(fieldOf(base, name), found, text) }
}

export function missing(name: string): ValueError {
  const text = `${name} in body is required`
  return { text, at: base => required(fieldOf(base, name)) }
}

export function notInEnum(name: string, value: unknown, values: readonly unknown[]): ValueError {
  const shown = values.map(each => (typeof each === 'string' ? each : JSON.stringify(each)))
  const text = `${name} in body should be one of [${shown.join(' ')}]`
  return { text, at: base => notSupported(fieldOf(base, name), value, shown) }
}

export function longText(name: string, max: number): ValueError {
  const text = `${name} in body should be at most ${max} chars long`
  return { text, at: base => tooLong(fieldOf(base, name), max) }
}

export function longList(name: string, max: number, actual: number): ValueError {
  const text = `${name} in body should have at most ${max} items`
  return { text, at: base => tooMany(fieldOf(base, name), actual, max) }
}

export function bigMap(name: string, max: number, actual: number): ValueError {
  const text = `${name} in body should have at most ${max} properties`
  return { text, at: base => tooMany(fieldOf(base, name), actual, max) }
}
