/** Tokens of `continue`: where a list goes on and at which revision, in upstream's form. */
import { badRequest } from '../../api/machinery/status-error.ts'
import type { ListCursor } from '../registry/watch-cache.ts'

export interface ContinueToken {
  /** -1: go on at the newest revision, without consistency. */
  readonly revision: number
  readonly after: ListCursor
}

/** The token's text. */
export function encodeContinue({ revision, after }: ContinueToken): string {
  const start = `${after.namespace ? `${after.namespace}/` : ''}${after.name}\0`
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start })).toString('base64url')
}

/** Reads a token. Throws BadRequest for what is none. */
export function decodeContinue(text: string): ContinueToken {
  try {
    const { v, rv, start } = JSON.parse(Buffer.from(text, 'base64url').toString()) as Record<string, unknown>
    if (v !== 'meta.k8s.io/v1' || typeof rv !== 'number' || typeof start !== 'string') throw new Error('unknown form')
    const key = start.replace(/\0$/, '')
    const slash = key.indexOf('/')
    return {
      revision: rv,
      after: { namespace: slash < 0 ? '' : key.slice(0, slash), name: key.slice(slash + 1) },
    }
  } catch (cause) {
    throw badRequest(`continue key is not valid: ${cause instanceof Error ? cause.message : cause}`)
  }
}
