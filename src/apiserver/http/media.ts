/** Which form of an answer the client wants: the Accept header, as Kubernetes reads it. */

/** How the answer is encoded, and what it is turned into. */
export interface MediaChoice {
  readonly format: 'json' | 'yaml'
  /** The `as` of `application/json;as=Table;g=meta.k8s.io;v=v1`. */
  readonly as?: 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList'
  /** The `v` beside `as`. */
  readonly version?: string
  /** Indent JSON: `application/json;pretty=1`. */
  readonly pretty?: boolean
}

/** One clause of an Accept header. */
export interface MediaClause {
  /** Lower case, e.g. `application/json`. */
  readonly type: string
  readonly params: Readonly<Record<string, string>>
}

export const ACCEPTED = ['application/json', 'application/yaml'] as const

const JSON_CHOICE: MediaChoice = { format: 'json' }
const TRANSFORMS = new Set(['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'])

/** The clauses in the order of the client's preference. */
export function parseAccept(header: string): MediaClause[] {
  const clauses = header.split(',').map(text => {
    const [type = '', ...rest] = text.split(';')
    const params: Record<string, string> = {}
    for (const part of rest) {
      const at = part.indexOf('=')
      if (at > 0) params[part.slice(0, at).trim().toLowerCase()] = part.slice(at + 1).trim()
    }
    return { type: type.trim().toLowerCase(), params }
  })
  const quality = (clause: MediaClause) => (clause.params.q === undefined ? 1 : Number(clause.params.q) || 0)
  return clauses.filter(clause => clause.type && quality(clause) > 0).sort((a, b) => quality(b) - quality(a))
}

function choose(header: string): MediaChoice | undefined {
  for (const { type, params } of parseAccept(header)) {
    const json = type === 'application/json' || type === 'application/*' || type === '*/*'
    const yaml = type === 'application/yaml' || type === 'application/x-yaml' || type === 'text/yaml'
    if (!json && !yaml) continue
    const format = yaml ? 'yaml' : 'json'
    if (params.as) {
      const known = params.g === 'meta.k8s.io' && (params.v === 'v1' || params.v === 'v1beta1')
      if (!known || !TRANSFORMS.has(params.as)) continue
      return { format, as: params.as as NonNullable<MediaChoice['as']>, version: params.v! }
    }
    return params.pretty === '1' ? { format, pretty: true } : yaml ? { format } : JSON_CHOICE
  }
  return undefined
}

const chosen = new Map<string, MediaChoice | undefined>()
const CHOSEN_LIMIT = 256

/** What to answer with; undefined where nothing that the client accepts can be made (406). */
export function negotiate(accept: string | undefined): MediaChoice | undefined {
  if (!accept || accept === 'application/json' || accept === '*/*') return JSON_CHOICE
  if (chosen.has(accept)) return chosen.get(accept)
  const choice = choose(accept)
  if (chosen.size < CHOSEN_LIMIT) chosen.set(accept, choice)
  return choice
}
