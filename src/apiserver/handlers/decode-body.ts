/** Bodies of requests: JSON and YAML, with the errors that clients of Go's decoder know. */
import { GO_TYPE_META, jsonType } from '../../api/machinery/go-text.ts'
import { type ParsedJson, parseJson } from '../../api/machinery/json-strict.ts'
import type { TypeMeta } from '../../api/machinery/protobuf.ts'
import { badRequest, StatusError, unsupportedMediaType } from '../../api/machinery/status-error.ts'
import { unrecognized } from '../../api/machinery/structural.ts'
import { lazy } from '../../lib/lazy.ts'
import type { ServerRequest } from '../request.ts'
import { parseInThread, THREAD_FROM } from './yaml-thread.ts'

/** Media types of objects that are understood. */
export const BODY_TYPES = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'] as const

const PROTOBUF = BODY_TYPES[2]
const protobuf = lazy(() => import('../../api/machinery/protobuf.ts'))

/** The media type without parameters, in lower case. */
export const mediaType = (contentType: string) => contentType.split(';', 1)[0]!.trim().toLowerCase()

function splitOnce(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark)
  return at < 0 ? ['', text] : [text.slice(0, at + mark.length), text.slice(at + mark.length)]
}

const NONE: readonly string[] = []

/** The value in a body; undefined without one. `accepted` is told to who sends something else; `expected` is
 * what the body is where it does not say so. */
export async function decodeBody(
  request: ServerRequest,
  findDuplicates = false,
  accepted: readonly string[] = BODY_TYPES,
  expected?: TypeMeta,
): Promise<ParsedJson | undefined> {
  const decoded = await decode(request, findDuplicates, accepted, expected)
  if (decoded) request.noteBody?.(decoded.value)
  return decoded
}

async function decode(
  request: ServerRequest,
  findDuplicates: boolean,
  accepted: readonly string[],
  expected: TypeMeta | undefined,
): Promise<ParsedJson | undefined> {
  const { body } = request
  if (body.type === 'none') return undefined
  if (body.type === 'value') return body.value === undefined ? undefined : { value: body.value, duplicates: NONE }
  const type = mediaType(body.contentType) || 'application/json'
  const yaml = type === 'application/yaml' || type === 'application/x-yaml'
  if (!yaml && type !== 'application/json' && type !== PROTOBUF && !accepted.includes(type))
    throw unsupportedMediaType(accepted)
  const bytes = await body.read()
  const unknown = (problem: string) => {
    const message = `couldn't get version/kind; json parse error: ${problem}`
    return expected?.kind ? unrecognized({ kind: expected.kind }, message, bytes) : badRequest(message)
  }
  if (bytes.length === 0) {
    if (expected && type !== PROTOBUF) throw unknown('unexpected end of JSON input')
    return undefined
  }
  if (type === PROTOBUF) {
    const { parseProtobuf } = protobuf.now ?? (await protobuf.load())
    try {
      return { value: parseProtobuf(bytes, expected), duplicates: NONE }
    } catch (error) {
      throw error instanceof StatusError ? error : badRequest((error as Error).message)
    }
  }
  const text = bytes.toString()
  if (yaml) return parseYamlBody(text)
  let parsed: ParsedJson
  try {
    parsed = parseJson(text, findDuplicates)
  } catch (error) {
    const [, problem] = splitOnce((error as Error).message, 'json parse error: ')
    throw problem ? unknown(problem) : error
  }
  const problem = typeProblem(parsed.value)
  if (problem) throw unknown(problem)
  return parsed
}

/** Why a value does not say what it is, in the words of Go's decoder; undefined where it does or says nothing. */
function typeProblem(value: unknown): string | undefined {
  if (value === null) return undefined
  if (typeof value !== 'object' || Array.isArray(value)) {
    return `json: cannot unmarshal ${jsonType(value)} into Go value of type ${GO_TYPE_META}`
  }
  for (const field of ['apiVersion', 'kind'] as const) {
    const said = (value as Record<string, unknown>)[field]
    if (said !== undefined && said !== null && typeof said !== 'string') {
      return `json: cannot unmarshal ${jsonType(said)} into Go struct field .${field} of type string`
    }
  }
  return undefined
}

/** Parses YAML; the parser is loaded when first needed. */
export async function parseYamlBody(text: string): Promise<ParsedJson> {
  if (text.length > THREAD_FROM) return parseInThread(text)
  const { parseYaml } = await import('../../api/machinery/yaml.ts')
  return parseYaml(text)
}
