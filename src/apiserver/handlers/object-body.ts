import { findKindOf } from '../../api/kinds/all.ts'
import { invalid as invalidValue } from '../../api/machinery/field-error.ts'
import { GO_TYPE_META, jsonType } from '../../api/machinery/go-text.ts'
import { type Kind, unregistered } from '../../api/machinery/kind.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { badRequest, invalid } from '../../api/machinery/status-error.ts'
import { decodeError } from '../../api/machinery/structural.ts'
import type { ServerRequest } from '../request.ts'
import { BODY_TYPES, decodeBody } from './decode-body.ts'

type Expected = Pick<Kind, 'apiVersion' | 'kind' | 'version'> & Partial<Pick<Kind, 'custom' | 'group'>>

/** The start of a body, as errors repeat it. */
const SHOWN = 30

/** As for other kinds, where there is no Go type to decode into: a custom resource must say its kind. */
function checkCustom(value: unknown, kind: Expected): KubeObject {
  const text = JSON.stringify(value) ?? ''
  const short = text.length > SHOWN ? `${text.slice(0, SHOWN)} ...` : text
  const refuse = (problem: string, shown: string) =>
    badRequest(`the object provided is unrecognized (must be of type ${kind.kind}): ${problem} (${shown})`)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const problem = `couldn't get version/kind; json parse error: json: cannot unmarshal ${jsonType(value)} into Go value of type ${GO_TYPE_META}`
    throw refuse(
      problem,
      Buffer.from(text)
        .toString('hex')
        .slice(0, 2 * SHOWN),
    )
  }
  const object = value as KubeObject
  const { apiVersion = '', kind: name = '', metadata } = object
  if (!name) throw refuse(`Object 'Kind' is missing in '${text}'`, short)
  if (apiVersion !== kind.apiVersion) {
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${kind.apiVersion})`,
    )
  }
  if (name !== kind.kind) {
    const of = { group: kind.group ?? '', kind: kind.kind }
    throw invalid(of, metadata?.name ?? '', [invalidValue('kind', name, `must be ${kind.kind}`)])
  }
  if (metadata === null) delete object.metadata
  else if (metadata !== undefined && (typeof metadata !== 'object' || Array.isArray(metadata))) {
    const type = typeof metadata === 'number' ? `number ${metadata}` : jsonType(metadata)
    throw decodeError(kind, `json: cannot unmarshal ${type} into Go value of type v1.ObjectMeta`)
  }
  return object
}

/** What upstream's decoders say of an object of another kind: of none that they know, or of one that is not this. */
function otherKind(apiVersion: string, name: string, wanted: Expected) {
  const group = wanted.group?.split('.')[0] ?? ''
  const home = group === '' || group === 'events' ? 'core' : group
  const version = apiVersion.slice(apiVersion.indexOf('/') + 1)
  const why = findKindOf(apiVersion, name)
    ? `converting (${version}.${name}) to (${home}.${wanted.kind}): unknown conversion`
    : unregistered(apiVersion, name)
  return badRequest(`${name} in version ${JSON.stringify(version)} cannot be handled as a ${wanted.kind}: ${why}`)
}

/** Refuses a value that is not an object of this kind. An absent apiVersion or kind is that of the path; null is {}. */
export function checkKind(value: unknown, kind: Expected): KubeObject {
  if (kind.custom) return checkCustom(value, kind)
  if (value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw badRequest(
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${jsonType(value)} into Go value of type ${GO_TYPE_META}`,
    )
  }
  const object = value as KubeObject
  const { apiVersion, kind: name, metadata } = object
  if ((apiVersion && apiVersion !== kind.apiVersion) || (name && name !== kind.kind)) {
    throw otherKind(apiVersion || kind.apiVersion, name || kind.kind, kind)
  }
  if (metadata !== undefined && metadata !== null && (typeof metadata !== 'object' || Array.isArray(metadata))) {
    throw badRequest(
      `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: json: cannot unmarshal ${jsonType(metadata)} into Go struct field ${kind.kind}.metadata of type v1.ObjectMeta`,
    )
  }
  if (metadata === null) delete object.metadata
  return object
}

/** The object in the body of a create or update, ours to change, and the paths of fields that it repeats. */
export async function objectBody(
  request: ServerRequest,
  kind: Expected,
  findDuplicates = false,
): Promise<{ object: KubeObject; duplicates: readonly string[] }> {
  const decoded = await decodeBody(request, findDuplicates, BODY_TYPES, kind)
  if (!decoded) {
    const version = JSON.stringify(kind.version)
    throw badRequest(`${kind.kind} in version ${version} cannot be handled as a ${kind.kind}: EOF`)
  }
  return { object: checkKind(decoded.value, kind), duplicates: decoded.duplicates }
}
