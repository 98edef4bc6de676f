/** Which form of an answer the client wants: the Accept header, as Kubernetes reads it. */

/** How the answer is encoded, and what it is turned into. */
export interface MediaChoice {
  readonly format: 'json' | 'yaml' | 'protobuf'
  /** The `as` of `application/json;as=Table;g=meta.k8s.io;v=v1`. */
  readonly as?: 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList'
  /** The `v` beside `as`. */
  readonly version?: string
  /** Indent JSON: `application/json;pretty=1`. */
  readonly pretty?: boolean
}

/** One clause of an Accept header. */
export interface MediaClause {
  /** As sent, e.g. `application` and `json`. */
  readonly type: string
  readonly subtype: string
  readonly params: Readonly<Record<string, string>>
  /** From `q`; 1 when absent. */
  readonly quality: number
}

/** What an endpoint can make of its answer. */
export interface Offer {
  /** Objects have a wire message. Their metadata has one in any case. */
  readonly protobuf: boolean
  /** Objects can be shown as a Table or by their metadata alone. */
  readonly transforms: boolean
}

export const JSON_TYPE = 'application/json'
export const YAML_TYPE = 'application/yaml'
export const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf'

/** Media types of objects, in the order in which the server likes them. */
export const ACCEPTED = [JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE] as const
/** Those in which events can be streamed. */
export const ACCEPTED_STREAMS = [`${JSON_TYPE};stream=watch`, `${PROTOBUF_TYPE};stream=watch`] as const

const FORMATS: readonly { readonly subtype: string; readonly format: MediaChoice['format'] }[] = [
  { subtype: 'json', format: 'json' },
  { subtype: 'yaml', format: 'yaml' },
  { subtype: 'vnd.kubernetes.protobuf', format: 'protobuf' },
]
const JSON_CHOICE: MediaChoice = { format: 'json' }
/** A client that asks for this many forms wants something else. */
const MAX_CLAUSES = 64

function parseClause(text: string): MediaClause | undefined {
  const [range = '', ...rest] = text.split(';')
  const [type = '', subtype = '', more] = range.split('/').map(part => part.trim())
  if (more || !type || (!subtype && type !== '*')) return undefined
  const params: Record<string, string> = {}
  let quality = 1
  for (const part of rest) {
    const [name = '', value = '', excess] = part.split('=')
    if (!value || excess !== undefined) continue
    if (name.trim() === 'q') quality = Number.parseFloat(value) || 0
    else params[name.trim()] = value.trim()
  }
  return { type, subtype: subtype || '*', params, quality }
}

const before = (a: MediaClause, b: MediaClause) =>
  a.quality > b.quality || (a.type !== '*' && b.type === '*') || (a.subtype !== '*' && b.subtype === '*')

/**
 * The clauses in the order of the client's preference. By insertion, as Go sorts so few: the comparison is no order
 * (any exact type comes before `*`, whatever their qualities), so the way of sorting counts.
 */
export function parseAccept(header: string): MediaClause[] {
  const sorted: MediaClause[] = []
  for (const text of header.split(',', MAX_CLAUSES)) {
    const clause = parseClause(text)
    if (!clause) continue
    let at = sorted.length
    while (at > 0 && before(clause, sorted[at - 1]!)) at--
    sorted.splice(at, 0, clause)
  }
  return sorted
}

/** Whether the range of a clause includes a media type. */
export const includes = ({ type, subtype }: MediaClause, wanted: string): boolean => {
  const [kind, form] = wanted.split('/')
  return (type === '*' && subtype === '*') || (type === kind && (subtype === '*' || subtype === form))
}

/** What a clause means in this format; undefined where the endpoint cannot do that. */
function choiceOf(format: MediaChoice['format'], { params }: MediaClause, offer: Offer): MediaChoice | undefined {
  const { as, g, v, stream, sv, pretty } = params
  if (stream && (format === 'yaml' || stream !== 'watch')) return undefined
  if (sv && (!offer.transforms || sv !== 'v1')) return undefined
  const own = { format, ...(pretty === '1' && { pretty: true }) }
  if (as === undefined && g === undefined && v === undefined) {
    return format === 'protobuf' && !offer.protobuf ? undefined : own
  }
  if (!offer.transforms || g !== 'meta.k8s.io' || (v !== 'v1' && v !== 'v1beta1')) return undefined
  if (as === 'Table') return format === 'protobuf' ? undefined : { ...own, as, version: v }
  return as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList' ? { ...own, as, version: v } : undefined
}

function choose(header: string, offer: Offer): MediaChoice | undefined {
  for (const clause of parseAccept(header)) {
    for (const { subtype, format } of FORMATS) {
      if (!includes(clause, `application/${subtype}`)) continue
      const choice = choiceOf(format, clause, offer)
      if (choice) return choice
    }
  }
  return undefined
}

const chosen = new Map<string, MediaChoice | undefined>()
const CHOSEN_LIMIT = 256
/** Headers longer than this are not remembered. */
const REMEMBERED_LENGTH = 512

const EVERYTHING: Offer = { protobuf: true, transforms: true }

/** What to answer with; undefined where nothing that the client accepts can be made (406). */
export function negotiate(accept: string | undefined, offer: Offer = EVERYTHING): MediaChoice | undefined {
  if (!accept || accept === JSON_TYPE || accept === '*/*') return JSON_CHOICE
  const key = `${offer.protobuf ? 'p' : ''}${offer.transforms ? 't' : ''} ${accept}`
  if (chosen.has(key)) return chosen.get(key)
  const choice = choose(accept, offer)
  if (accept.length <= REMEMBERED_LENGTH) {
    if (chosen.size >= CHOSEN_LIMIT) chosen.clear()
    chosen.set(key, choice)
  }
  return choice
}
