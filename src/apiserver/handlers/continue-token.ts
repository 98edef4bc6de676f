/** Tokens of `continue`: where a list goes on and at which revision, in upstream's form. */
import { jsonProblem } from '../../api/machinery/json-strict.ts'
import { badRequest } from '../../api/machinery/status-error.ts'
import type { ListCursor } from '../registry/watch-cache.ts'

export interface ContinueToken {
  /** -1: go on at the newest revision, without consistency. */
  readonly revision: number
  readonly after: ListCursor
}

const FORM = 'meta.k8s.io/v1'

function parseToken(text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new Error(jsonProblem(text, error as Error))
  }
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

/** The token's text. */
export function encodeContinue({ revision, after }: ContinueToken): string {
  const start = `${after.namespace ? `${after.namespace}/` : ''}${after.name}\0`
  return Buffer.from(JSON.stringify({ v: FORM, rv: revision, start })).toString('base64url')
}

/** Reads a token. Throws BadRequest for what is none. */
export function decodeContinue(text: string): ContinueToken {
  const bad = text.search(/[^A-Za-z0-9_-]/)
  if (bad >= 0 || text.length % 4 === 1) {
    const at = bad >= 0 ? bad : text.length - 1
    throw badRequest(`invalid continue token: continue key is not valid: illegal base64 data at input byte ${at}`)
  }
  try {
    const { v, rv, start } = parseToken(Buffer.from(text, 'base64url').toString())
    if (v !== FORM) throw new Error(`server does not recognize this encoded version ${typeof v === 'string' ? v : ''}`)
    if (typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv === 0)
      throw new Error('incorrect encoded start resourceVersion (version meta.k8s.io/v1)')
    if (typeof start !== 'string' || start === '') throw new Error('encoded start key empty (version meta.k8s.io/v1)')
    const key = start.replace(/\0$/, '')
    const slash = key.indexOf('/')
    return {
      revision: rv,
      after: { namespace: slash < 0 ? '' : key.slice(0, slash), name: key.slice(slash + 1) },
    }
  } catch (cause) {
    throw badRequest(
      `invalid continue token: continue key is not valid: ${cause instanceof Error ? cause.message : cause}`,
    )
  }
}
