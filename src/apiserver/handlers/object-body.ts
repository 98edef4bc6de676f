import type { Kind } from '../../api/machinery/kind.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { badRequest } from '../../api/machinery/status-error.ts'
import type { ServerRequest } from '../request.ts'
import { BODY_TYPES, decodeBody } from './decode-body.ts'

/** How Go names the part of a document that says its type. */
export const GO_TYPE_META =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'

/** What Go's JSON decoder calls a value. */
export function typeName(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

/** Refuses a value that is not an object of this kind. An absent apiVersion or kind is that of the path; null is {}. */
export function checkKind(value: unknown, kind: Pick<Kind, 'apiVersion' | 'kind' | 'version'>): KubeObject {
  if (value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw badRequest(
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${typeName(value)} into Go value of type ${GO_TYPE_META}`,
    )
  }
  const object = value as KubeObject
  const { apiVersion, kind: name, metadata } = object
  if (apiVersion && apiVersion !== kind.apiVersion) {
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${kind.apiVersion})`,
    )
  }
  if (name && name !== kind.kind) {
    throw badRequest(
      `${name} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: the kind in the data (${name}) does not match the expected kind (${kind.kind})`,
    )
  }
  if (metadata !== undefined && metadata !== null && (typeof metadata !== 'object' || Array.isArray(metadata))) {
    throw badRequest(
      `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: json: cannot unmarshal ${typeName(metadata)} into Go struct field ${kind.kind}.metadata of type v1.ObjectMeta`,
    )
  }
  if (metadata === null) delete object.metadata
  return object
}

/** The object in the body of a create or update, ours to change, and the paths of fields that it repeats. */
export async function objectBody(
  request: ServerRequest,
  kind: Pick<Kind, 'apiVersion' | 'kind' | 'version'>,
  findDuplicates = false,
): Promise<{ object: KubeObject; duplicates: readonly string[] }> {
  const decoded = await decodeBody(request, findDuplicates, BODY_TYPES, kind)
  if (!decoded) {
    const version = JSON.stringify(kind.version)
    throw badRequest(`${kind.kind} in version ${version} cannot be handled as a ${kind.kind}: EOF`)
  }
  return { object: checkKind(decoded.value, kind), duplicates: decoded.duplicates }
}
