/**
 * Conversion of custom resources by a webhook (API doc: apiextensions/v1 ConversionReview). Whatever it answers, an
 * object keeps its name, its place and its identity: of the metadata only labels and annotations are the webhook's.
 */
import type { AskConverter } from '../../api/custom/conversion.ts'
import type { CustomResourceDefinition } from '../../api/generated/types/apiextensions-v1.ts'
import { GO_TYPE_META, goQuoted, jsonType } from '../../api/machinery/go-text.ts'
import { validateAnnotations, validateLabels } from '../../api/machinery/names.ts'
import type { KubeObject, ObjectMeta } from '../../api/machinery/object.ts'
import { unexplained } from '../../api/machinery/status-error.ts'
import { cloneJson } from '../../lib/json.ts'
import { type WebhookAddress, WebhookCallError, type WebhookCaller, type WebhookEndpoint } from '../webhooks/call.ts'

const TIMEOUT = 30_000
const VERSIONS = ['v1', 'v1beta1']
const GROUP = 'apiextensions.k8s.io'
/** Objects of one request: few enough that its answer is not too long to be read. */
const BATCH_BYTES = 4 * 1024 * 1024
const BATCH = 500
const MAX_ANSWER = 64 * 1024 * 1024

type Json = Record<string, unknown>

const isValue = (value: unknown) => value !== undefined && value !== null
const isMap = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const text = (value: unknown) => (typeof value === 'string' ? value : '')

/** The type of a JSON value as Go prints it with %T. */
function goType(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  if (Array.isArray(value)) return '[]interface {}'
  if (typeof value === 'object') return 'map[string]interface {}'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64'
  return 'string'
}

const goKind = (apiVersion: unknown, kind: unknown) =>
  `${text(apiVersion).includes('/') ? '' : '/'}${text(apiVersion)}, Kind=${text(kind)}`

/** The converted objects of an answer. Throws an Error whose sentence says what is wrong with it. */
function readReview(document: unknown, uid: string, version: string): readonly unknown[] {
  if (!isMap(document))
    throw new Error(
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${jsonType(document)} into Go value of type ${GO_TYPE_META}`,
    )
  const { response } = document
  const other = VERSIONS.find(each => each !== version)
  if (document.kind === 'ConversionReview' && document.apiVersion === `${GROUP}/${other}`)
    throw new Error(`converting (${other}.ConversionReview) to (${version}.ConversionReview): unknown conversion`)
  if (isValue(response) && !isMap(response))
    throw new Error(
      `json: cannot unmarshal ${jsonType(response)} into Go struct field ConversionReview.response of type ${version}.ConversionResponse`,
    )
  const { convertedObjects } = response ?? {}
  if (isValue(convertedObjects) && !Array.isArray(convertedObjects))
    throw new Error(
      `json: cannot unmarshal ${jsonType(convertedObjects)} into Go struct field ConversionResponse.response.convertedObjects of type []runtime.RawExtension`,
    )
  if (version === 'v1') {
    const [got, expected] = [goKind(document.apiVersion, document.kind), `${GROUP}/v1, Kind=ConversionReview`]
    if (got !== expected) throw new Error(`expected webhook response of ${expected}, got ${got}`)
  }
  if (!response) throw new Error('no response provided')
  if (version === 'v1' && text(response.uid) !== uid)
    throw new Error(`expected response.uid=${goQuoted(uid)}, got ${goQuoted(text(response.uid))}`)
  const { status, message } = isMap(response.result) ? response.result : {}
  if (status !== 'Success')
    throw new Error(text(message) || `response.result.status was '${text(status)}', not 'Success'`)
  return convertedObjects ?? []
}

type MapField = 'labels' | 'annotations'

/** Labels or annotations of a converted object. */
function readMap(field: MapField, value: unknown, original: ObjectMeta): Record<string, string> | undefined {
  if (value === undefined || value === null) return undefined
  if (!isMap(value)) throw new Error(`invalid metadata.${field} of type ${goType(value)} in converted object`)
  for (const [key, each] of Object.entries(value)) {
    if (typeof each !== 'string')
      throw new Error(`metadata.${field}[${key}] must be a string, but is ${goType(each)} in converted object`)
  }
  const map = value as Record<string, string>
  const before = original[field] ?? {}
  const isSame =
    Object.keys(map).length === Object.keys(before).length && Object.keys(map).every(key => map[key] === before[key])
  if (isSame) return map
  const errors =
    field === 'labels' ? validateLabels(map, 'metadata.labels') : validateAnnotations(map, 'metadata.annotation')
  if (errors.length) {
    const told = errors.map(each => `${each.field}: ${each.message}`)
    throw new Error(told.length > 1 ? `[${told.join(', ')}]` : told[0])
  }
  return map
}

/** The metadata that a converted object has, in place of what it came with. */
function restored(original: KubeObject, converted: Json): ObjectMeta {
  const { metadata } = converted
  if (metadata === undefined) throw new Error('missing metadata in converted object')
  if (!isMap(metadata)) throw new Error(`invalid metadata of type ${goType(metadata)} in converted object`)
  const { labels: _, annotations: __, ...rest } = original.metadata ?? {}
  const [labels, annotations] = (['labels', 'annotations'] as const).map(field =>
    readMap(field, metadata[field], original.metadata ?? {}),
  )
  return { ...cloneJson(rest), ...(labels && { labels }), ...(annotations && { annotations }) }
}

function checkSame(original: KubeObject, converted: Json): void {
  const fields = [
    ['name', 'name'],
    ['namespace', 'namespace'],
    ['uid', 'UID'],
  ] as const
  const metadata = isMap(converted.metadata) ? converted.metadata : {}
  for (const [field, told] of fields) {
    const [before, after] = [original.metadata?.[field] ?? '', text(metadata[field])]
    if (before !== after) throw new Error(`must have the same ${told}: ${before} != ${after}`)
  }
}

/** Takes one object of an answer for what it is, or throws. `told` begins the sentence. */
function accept(original: KubeObject, converted: unknown, apiVersion: string, told: string): KubeObject {
  const bad = (what: string, why: string) => new Error(`${told} returned invalid ${what}: ${why}`)
  if (!isValue(converted)) throw new Error('unexpected end of JSON input')
  if (!isMap(converted))
    throw new Error(`json: cannot unmarshal ${jsonType(converted)} into Go value of type map[string]interface {}`)
  const [version, kind] = [text(converted.apiVersion), text(converted.kind)]
  if (!kind) throw new Error(`Object 'Kind' is missing in '${JSON.stringify(converted)}'`)
  if (version !== apiVersion)
    throw bad('object at index 0', `invalid groupVersion (expected ${apiVersion}, received ${version})`)
  if (kind !== original.kind)
    throw bad('object at index 0', `invalid kind (expected ${original.kind}, received ${kind})`)
  try {
    checkSame(original, converted)
  } catch (error) {
    throw bad('object', (error as Error).message)
  }
  try {
    return { ...converted, metadata: restored(original, converted) } as KubeObject
  } catch (error) {
    throw bad('metadata', (error as Error).message)
  }
}

/** Cuts objects into requests. */
function batches(objects: readonly KubeObject[]): KubeObject[][] {
  if (objects.length === 1) return [[...objects]]
  const result: KubeObject[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const each of objects) {
    const size = JSON.stringify(each).length
    if (bytes + size > BATCH_BYTES || result.at(-1)!.length === BATCH) {
      result.push([])
      bytes = 0
    }
    result.at(-1)!.push(each)
    bytes += size
  }
  return result
}

export interface ConversionDeps {
  readonly webhooks: WebhookCaller
  uuid(): string
}

/** The converter of a definition; undefined for one whose versions differ by name only. */
export function webhookConversion(
  { spec: { conversion } }: CustomResourceDefinition,
  { webhooks, uuid }: ConversionDeps,
): AskConverter | undefined {
  const { webhook } = conversion ?? {}
  if (conversion?.strategy !== 'Webhook' || !webhook) return undefined
  const { caBundle = '', ...address } = webhook.clientConfig ?? {}
  const version = webhook.conversionReviewVersions.find(each => VERSIONS.includes(each))
  let endpoint: WebhookEndpoint | undefined

  async function convert(objects: readonly KubeObject[], apiVersion: string): Promise<KubeObject[]> {
    const [first] = objects
    const told = `conversion webhook for ${goKind(first?.apiVersion, first?.kind)}`
    const uid = uuid()
    let converted: readonly unknown[]
    try {
      if (!version) throw new WebhookCallError('no supported conversion review versions')
      endpoint ??= webhooks.endpoint({ ...(address as WebhookAddress), ...(caBundle.trim() && { caBundle }) })
      const request = { uid, desiredAPIVersion: apiVersion, objects }
      const body = { kind: 'ConversionReview', apiVersion: `${GROUP}/${version}`, request }
      const answer = await endpoint.post(body, { timeoutMs: TIMEOUT, maxBytes: MAX_ANSWER })
      converted = readReview(answer, uid, version)
    } catch (error) {
      throw new Error(`${told} failed: ${(error as Error).message}`, { cause: error })
    }
    if (converted.length !== objects.length)
      throw new Error(`${told} returned ${converted.length} objects, expected ${objects.length}`)
    return objects.map((each, at) => accept(each, converted[at], apiVersion, told))
  }

  return async (objects, apiVersion) => {
    const result: KubeObject[] = []
    try {
      for (const batch of batches(objects)) result.push(...(await convert(batch, apiVersion)))
    } catch (error) {
      throw Object.assign(unexplained((error as Error).message), { cause: error })
    }
    return result
  }
}
