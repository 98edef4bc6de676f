/** The document that goes to an admission webhook, and what comes back (API doc: admission/v1 AdmissionReview). */

import { GO_TYPE_META, jsonType } from '../../../api/machinery/go-text.ts'
import type { StatusLike } from '../../../api/machinery/status-error.ts'
import { namespaceOf } from '../matching/rules.ts'
import type { AdmissionAttributes } from '../plugin.ts'
import type { Invocation } from './match-hook.ts'

const VERSIONS = ['v1', 'v1beta1']

/** The versions of AdmissionReview that both sides know, or an Error. */
export function reviewVersion(versions: readonly string[]): string {
  const found = versions.find(each => VERSIONS.includes(each))
  if (!found)
    throw new Error(
      'could not create admission objects: webhook does not accept known AdmissionReview versions (v1, v1beta1)',
    )
  return found
}

const OPTIONS = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions', DELETE: 'DeleteOptions', CONNECT: '' } as const

/** A patch is a create or an update to admission. */
function optionsOf({ operation, options }: AdmissionAttributes): object | null {
  if (operation === 'CONNECT') return null
  const { force: _, ...rest } = options as { force?: unknown }
  return { ...rest, kind: OPTIONS[operation], apiVersion: 'meta.k8s.io/v1' }
}

function kindsOf(request: AdmissionAttributes, { as }: Invocation) {
  const { kind, objectKind } = request
  const type = (each: { group: string; version: string; kind: string }) => ({
    group: each.group,
    version: each.version,
    kind: each.kind,
  })
  const resource = (each: { group: string; version: string; plural: string }) => ({
    group: each.group,
    version: each.version,
    resource: each.plural,
  })
  const own = objectKind.kind === kind.kind && objectKind.group === kind.group
  return {
    kind: type(own ? as : objectKind),
    resource: resource(as),
    requestKind: type(objectKind),
    requestResource: resource(kind),
  }
}

/** The request. `uid` is what the answer must repeat. */
export function reviewOf(uid: string, version: string, request: AdmissionAttributes, invocation: Invocation): object {
  const { kind, resource, requestKind, requestResource } = kindsOf(request, invocation)
  const { subresource, name, operation, user, dryRun } = request
  const namespace = namespaceOf(request)
  return {
    kind: 'AdmissionReview',
    apiVersion: `admission.k8s.io/${version}`,
    request: {
      uid,
      kind,
      resource,
      ...(subresource && { subResource: subresource }),
      requestKind,
      requestResource,
      ...(subresource && { requestSubResource: subresource }),
      ...(name && { name }),
      ...(namespace && { namespace }),
      operation,
      userInfo: {
        username: user.name,
        ...(user.uid && { uid: user.uid }),
        groups: user.groups,
        ...(user.extra && Object.keys(user.extra).length && { extra: user.extra }),
      },
      object: invocation.object ?? null,
      oldObject: invocation.old ?? null,
      dryRun,
      options: optionsOf(request),
    },
  }
}

export interface ReviewAnswer {
  readonly allowed: boolean
  readonly status: StatusLike | undefined
  readonly warnings: readonly string[]
  readonly auditAnnotations: Readonly<Record<string, string>>
  /** JSON Patch, decoded. */
  readonly patch: unknown
}

interface WireResponse {
  uid?: unknown
  allowed?: unknown
  status?: StatusLike
  patch?: unknown
  patchType?: unknown
  warnings?: unknown
  auditAnnotations?: unknown
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter(each => typeof each === 'string') : []

const stringMap = (value: unknown): Record<string, string> =>
  isMap(value)
    ? Object.fromEntries(
        Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
      )
    : {}

const goType = (apiVersion: unknown, kind: unknown) => {
  const text = typeof apiVersion === 'string' ? apiVersion : ''
  return `${text.includes('/') ? text : `/${text}`}, Kind=${typeof kind === 'string' ? kind : ''}`
}

function checkPatchFields(response: WireResponse, mutating: boolean): void {
  const patch = typeof response.patch === 'string' && response.patch !== ''
  const typed = response.patchType !== undefined && response.patchType !== null
  if (!mutating) {
    if (patch) throw new Error('validating webhook may not return response.patch')
    if (typed) throw new Error('validating webhook may not return response.patchType')
    return
  }
  if (patch && !typed) throw new Error('webhook returned response.patch but not response.patchType')
  if (!patch && typed) throw new Error('webhook returned response.patchType but not response.patch')
  if (typed && response.patchType === '') throw new Error('webhook returned invalid response.patchType of ""')
}

function decodePatch(response: WireResponse, version: string): unknown {
  const { patch, patchType } = response
  if (typeof patch !== 'string' || patch === '') return undefined
  if (version === 'v1' && patchType !== 'JSONPatch')
    throw new Error(`unsupported patch type ${JSON.stringify(patchType)}`)
  const bad = 'received undecodable patch in webhook response: '
  let decoded: unknown
  try {
    decoded = JSON.parse(Buffer.from(patch, 'base64').toString())
  } catch (error) {
    throw new Error(bad + (error as Error).message, { cause: error })
  }
  if (decoded !== null && !Array.isArray(decoded))
    throw new Error(`${bad}json: cannot unmarshal ${jsonType(decoded)} into Go value of type jsonpatch.Patch`)
  return decoded ?? []
}

/** The document as one of the version that was sent. */
function decodeReview(document: unknown, version: string): Record<string, unknown> {
  const bad = (why: string) => new Error(`failed to call webhook: ${why}`)
  if (!isMap(document))
    throw bad(
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${jsonType(document)} into Go value of type ${GO_TYPE_META}`,
    )
  const other = VERSIONS.find(each => each !== version)
  if (document.kind === 'AdmissionReview' && document.apiVersion === `admission.k8s.io/${other}`)
    throw bad(`converting (${other}.AdmissionReview) to (${version}.AdmissionReview): unknown conversion`)
  const { allowed } = isMap(document.response) ? document.response : {}
  if (allowed !== undefined && allowed !== null && typeof allowed !== 'boolean')
    throw bad(
      `json: cannot unmarshal ${jsonType(allowed)} into Go struct field AdmissionResponse.response.allowed of type bool`,
    )
  return document
}

/** Reads an answer. Throws an Error whose sentence says what is wrong with it. */
export function readReview(document: unknown, uid: string, version: string, mutating: boolean): ReviewAnswer {
  const bad = (why: string) => new Error(`received invalid webhook response: ${why}`)
  const review = decodeReview(document, version)
  const response = review.response as WireResponse | undefined
  if (!isMap(response)) throw bad('webhook response was absent')
  if (version === 'v1') {
    if ((response.uid ?? '') !== uid)
      throw bad(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`)
    const got = goType(review.apiVersion, review.kind)
    const expected = 'admission.k8s.io/v1, Kind=AdmissionReview'
    if (got !== expected) throw bad(`expected webhook response of ${expected}, got ${got}`)
    try {
      checkPatchFields(response, mutating)
    } catch (error) {
      throw bad((error as Error).message)
    }
  }
  return {
    allowed: response.allowed === true,
    status: isMap(response.status) ? response.status : undefined,
    warnings: strings(response.warnings),
    auditAnnotations: stringMap(response.auditAnnotations),
    patch: mutating ? decodePatch(response, version) : undefined,
  }
}
