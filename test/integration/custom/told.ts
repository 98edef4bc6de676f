/** What is compared of answers: what clients act upon, in an order that does not depend on Go's maps. */
import type { Loose } from '../api/start.ts'
import type { Step } from './testdata/resources.ts'

export interface Told {
  readonly code: number
  readonly reason?: string
  /** Of errors without causes. */
  readonly message?: string
  /** `field: message`, sorted. */
  readonly causes?: readonly string[]
  readonly warnings?: readonly string[]
  /** What was stored, without what differs from run to run. */
  readonly object?: Loose
}

/** Values of Go's internal types have other names than JSON's: only the sentence is told. */
const INTERNAL =
  /^(Invalid value: )\[?\{.*\}\]?(: (?:must have exactly one|must contain unique|only \[|compilation failed|messageExpression |cel expression ).*)$/s

/** The patched object, whose fields stand in another order. */
const PATCHED = /^(Invalid value: )"\{.*\}"(: (?:strict decoding error|json): .*)$/s

const cause = ({ field, message }: Loose) => `${field}: ${message.replace(INTERNAL, '$1…$2').replace(PATCHED, '$1…$2')}`

const MADE_UP = new Set([
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'deletionTimestamp',
  'continue',
  'time',
  'lastTransitionTime',
  'hash',
])

/** A value without what the server makes up, its keys in order; owners of fields in the order of their names. */
export function stable(value: Loose): Loose {
  if (Array.isArray(value)) return value.map(stable)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries<Loose>(value)
    .filter(([key]) => !MADE_UP.has(key))
    .map(([key, inner]) => [key, key === 'managedFields' ? owners(inner) : stable(inner)] as const)
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}

function owners(entries: Loose): Loose {
  const key = ({ manager, operation, subresource = '', apiVersion }: Loose) =>
    [manager, operation, subresource, apiVersion].join()
  return (stable(entries) as Loose[]).sort((a, b) => (key(a) < key(b) ? -1 : 1))
}

/** Columns that every kind has: their description is not ours. */
const isOwnColumn = ({ name, format, type }: Loose) =>
  (name === 'Name' && format === 'name') || (name === 'Age' && type === 'date')

/** A table without the sentences about columns that no definition asks for. */
function undescribed(body: Loose): Loose {
  if (!Array.isArray(body?.columnDefinitions)) return body
  const columns = body.columnDefinitions.map((each: Loose) => (isOwnColumn(each) ? { ...each, description: '' } : each))
  return { ...body, columnDefinitions: columns }
}

/** Rows of tables without ages. */
const WITHOUT_TIMES = /\b\d+(?:s|m|m\d+s)\b/g

/** What an answer says. */
export function told(code: number, body: Loose, warnings: readonly string[] = []): Told {
  const failed = body?.kind === 'Status' && body.status === 'Failure'
  const causes = body?.details?.causes?.map(cause).sort()
  return {
    code,
    ...(failed && body.reason && { reason: body.reason }),
    ...(failed && !causes && { message: body.message.replace(/(?<=: )\d+(?=,|$)/g, '…') }),
    ...(failed && causes && { causes }),
    ...(warnings.length && { warnings: [...warnings].sort() }),
    ...(!failed && { object: JSON.parse(JSON.stringify(stable(undescribed(body))).replace(WITHOUT_TIMES, '…')) }),
  }
}

/** The query of a step: who writes and how unknown fields are told of is said, as clients differ in that. */
export function withDefaults(step: Step): Record<string, string> {
  const writes = step.method !== 'GET' && step.method !== 'DELETE'
  return { ...(writes && { fieldManager: 'test', fieldValidation: 'Warn' }), ...step.query }
}
