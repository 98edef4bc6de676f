/** What is compared of answers: what clients act upon, in an order that does not depend on Go's maps. */
import type { Loose } from '../api/start.ts'

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
const INTERNAL = /^(Invalid value: )\[?\{.*\}\]?(: (?:must have exactly one|must contain unique|only \[).*)$/s

const cause = ({ field, message }: Loose) => `${field}: ${message.replace(INTERNAL, '$1…$2')}`

const UNSTABLE = new Set(['uid', 'resourceVersion', 'creationTimestamp', 'managedFields'])

/** An object without what the server makes up. */
export function stable(object: Loose): Loose {
  if (typeof object !== 'object' || object === null) return object
  const { metadata, ...rest } = object
  if (!metadata) return object
  const kept = Object.fromEntries(Object.entries(metadata).filter(([key]) => !UNSTABLE.has(key)))
  return { ...rest, metadata: kept }
}

/** What an answer says. */
export function told(code: number, body: Loose, warnings: readonly string[] = []): Told {
  const failed = body?.kind === 'Status' && body.status === 'Failure'
  const causes = body?.details?.causes?.map(cause).sort()
  return {
    code,
    ...(failed && { reason: body.reason }),
    ...(failed && !causes && { message: body.message }),
    ...(failed && causes && { causes }),
    ...(warnings.length && { warnings: [...warnings].sort() }),
    ...(!failed && { object: stable(body) }),
  }
}
