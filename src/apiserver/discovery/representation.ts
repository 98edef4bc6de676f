/**
 * Discovery in the form that the client accepts. The documents are made and kept in JSON; YAML and protobuf are made of
 * them when somebody asks, once per document.
 */
import { notAcceptable } from '../../api/machinery/status-error.ts'
import {
  ACCEPTED,
  includes,
  JSON_TYPE,
  type MediaChoice,
  type MediaClause,
  PROTOBUF_TYPE,
  parseAccept,
  YAML_TYPE,
} from '../http/media.ts'
import type { Answer, ServerRequest } from '../request.ts'

type Format = MediaChoice['format']

export interface DiscoveryForm {
  readonly format: Format
  /** Everything in one document (KEP-3352). */
  readonly aggregated: boolean
}

const TYPES: readonly (readonly [type: string, format: Format])[] = [
  [JSON_TYPE, 'json'],
  [YAML_TYPE, 'yaml'],
  [PROTOBUF_TYPE, 'protobuf'],
]

/** What stands behind the media type of an aggregated document. */
export const AGGREGATED_PARAMETERS = ';g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

const isPlain = ({ params: { as, g, v } }: MediaClause) => as === undefined && g === undefined && v === undefined
const isAggregated = ({ params: { as, g, v } }: MediaClause) =>
  as === 'APIGroupDiscoveryList' && g === 'apidiscovery.k8s.io' && v === 'v2'

/**
 * The form that the client likes best; undefined where none can be made. Only `/api` and `/apis` (`isRoot`) have an
 * aggregated one.
 */
export function formOf(accept: string, isRoot: boolean): DiscoveryForm | undefined {
  if (!accept) return { format: 'json', aggregated: false }
  for (const clause of parseAccept(accept)) {
    const aggregated = isRoot && isAggregated(clause)
    if (!aggregated && !isPlain(clause)) continue
    for (const [type, format] of TYPES) if (includes(clause, type)) return { format, aggregated }
  }
  return undefined
}

export const isRoot = (path: string) => /^\/apis?\/*$/.test(path)

/** By the bytes of the JSON document. */
type Made = WeakMap<Uint8Array, Promise<Buffer>>

async function protobufFrom(json: Uint8Array): Promise<Buffer> {
  const { protobufOf } = await import('../../api/machinery/protobuf.ts')
  return protobufOf(JSON.parse(Buffer.from(json).toString()))
}
async function yamlFrom(json: Uint8Array): Promise<Buffer> {
  const { formatYaml } = await import('../../api/machinery/yaml.ts')
  return Buffer.from(formatYaml(JSON.parse(Buffer.from(json).toString())))
}

type Discover = (request: ServerRequest) => Answer | undefined

/**
 * `discover`, which answers in JSON, in every form. Gives undefined where that does. Throws StatusError NotAcceptable
 * for a path of discovery that the client wants in a form that there is not.
 */
export function represented(discover: Discover): (request: ServerRequest) => Answer | undefined | Promise<Answer> {
  const made: Record<Exclude<Format, 'json'>, Made> = { yaml: new WeakMap(), protobuf: new WeakMap() }

  async function turned(answer: Answer & { type: 'bytes' }, form: DiscoveryForm): Promise<Answer> {
    const { format } = form
    if (format === 'json') return answer
    const type = format === 'yaml' ? YAML_TYPE : PROTOBUF_TYPE
    const contentType = type + (form.aggregated ? AGGREGATED_PARAMETERS : '')
    if (answer.status === 304) return { ...answer, contentType }
    let bytes = made[format].get(answer.bytes)
    if (!bytes) made[format].set(answer.bytes, (bytes = (format === 'yaml' ? yamlFrom : protobufFrom)(answer.bytes)))
    return { ...answer, contentType, bytes: await bytes }
  }

  return request => {
    const form = formOf(String(request.headers.accept ?? ''), isRoot(request.path))
    if (form?.format === 'json') return discover(request)
    const accept = JSON_TYPE + (form?.aggregated ? AGGREGATED_PARAMETERS : '')
    const answer = discover(Object.create(request, { headers: { value: { ...request.headers, accept } } }))
    if (!answer) return undefined
    if (!form) throw notAcceptable(ACCEPTED)
    return answer.type === 'bytes' ? turned(answer, form) : answer
  }
}
