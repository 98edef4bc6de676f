/** Server-side apply (KEP-555): the merge is `api/machinery/apply`; here it meets the registry. */
import { applyPatch, conflictError } from '../../api/machinery/apply/apply.ts'
import { typedErrors } from '../../api/machinery/apply/typed-errors.ts'
import { required } from '../../api/machinery/field-error.ts'
import type { Kind } from '../../api/machinery/kind.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { compileSchema } from '../../api/machinery/schema-node.ts'
import { badRequest, conflict, invalid, StatusError } from '../../api/machinery/status-error.ts'
import { checkStructure } from '../../api/machinery/structural.ts'
import { cloneJson } from '../../lib/json.ts'
import { isTrue } from '../http/request-info.ts'
import type { ObjectRef, WriteContext } from '../registry/registry.ts'
import { resetFields } from '../registry/reset-fields.ts'
import type { Answer, ServerRequest } from '../request.ts'
import type { HandlerDeps } from './deps.ts'
import { refOf } from './get.ts'
import { checkKind } from './object-body.ts'
import { checkName } from './update.ts'

/** As upstream says it: 500, without a reason. */
function untyped(kind: Kind, object: KubeObject, problem: string): StatusError {
  const { namespace, name = '' } = object.metadata ?? {}
  const where = namespace ? `${namespace}/${name}` : `/${name}`
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `failed to create typed patch object (${where}; ${kind.group}/${kind.version}, Kind=${kind.kind}): ${problem}`,
    code: 500,
  })
}

const told = (problems: readonly string[]) =>
  problems.length === 1 ? problems[0]! : `errors:\n  ${problems.join('\n  ')}`

/** What a manager applies must be known field by field, or ownership would mean nothing. */
function checkIntent(kind: Kind, intent: KubeObject) {
  if (kind.custom) {
    const problems = typedErrors(compileSchema(kind.schema), intent)
    if (problems.length) throw untyped(kind, intent, told(problems))
    return
  }
  const { errors, unknown } = checkStructure(intent, kind.schema, { partial: true })
  const [error] = errors
  if (error) throw untyped(kind, intent, `.${error.field}: ${error.message}`)
  if (unknown.length) {
    const problems = unknown.map(field => `.${field}: field not declared in schema`)
    throw untyped(kind, intent, told(problems))
  }
}

/** Keys that the intent repeats are told of once it is known that it could be applied. */
function tellRepeated({ fieldValidation, duplicates = [], warn }: WriteContext) {
  if (!duplicates.length) return
  if (fieldValidation === 'Warn') for (const line of duplicates) warn?.(line)
  if (fieldValidation !== 'Strict') return
  const lines = duplicates.join('\n  ')
  throw badRequest(`error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  ${lines}`)
}

/** Who applies says who it is. Throws 422. */
export function requireManager({ query, local }: ServerRequest): void {
  if (query.get('fieldManager') || local) return
  const error = required('fieldManager', 'is required for apply patch')
  throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [error])
}

/** Answers an apply patch: creates the object where it does not exist. */
export async function apply(
  deps: HandlerDeps,
  request: ServerRequest,
  kind: Kind,
  value: unknown,
  context: WriteContext,
): Promise<Answer> {
  const { info, query } = request
  requireManager(request)
  const said = value as KubeObject | null
  if (typeof said === 'object' && said !== null && (!said.kind || !said.apiVersion)) {
    const { apiVersion = '', kind: name = '' } = said
    throw badRequest(`invalid object type: ${apiVersion.includes('/') ? '' : '/'}${apiVersion}, Kind=${name}`)
  }
  const intent = checkKind(value, kind)
  intent.metadata ??= {}
  intent.metadata.name ??= info.name
  checkName(intent, info.name)
  checkIntent(kind, intent)
  const ref = refOf(kind, info.namespace, info.name)
  if (kind.namespaced) intent.metadata.namespace ??= info.namespace
  const subresource = context.subresource ?? ''

  const merge = (live: KubeObject | undefined): KubeObject => {
    const { object, conflicts } = applyPatch({
      live,
      applied: cloneJson(intent),
      schema: kind.schema,
      apiVersion: kind.apiVersion,
      manager: context.fieldManager ?? '',
      subresource,
      force: isTrue(query.get('force')),
      now: deps.clock.now(),
      ignored: resetFields(kind, subresource),
    })
    if (conflicts) throw conflictError(conflicts)
    tellRepeated(context)
    return object
  }
  const write: WriteContext = { ...context, applied: true, duplicates: [] }

  for (;;) {
    try {
      if (subresource || deps.registry.reader(kind).get(ref.namespace, ref.name)) {
        const object = await deps.registry.update(kind, ref, merge, write)
        return { status: 200, type: 'object', object }
      }
      if (intent.metadata.uid) {
        const why = `uid mismatch: the provided object specified uid ${intent.metadata.uid}, and no existing object was found`
        throw conflict(kind, info.name, why)
      }
      const object = await deps.registry.create(kind, info.namespace, cloneJson(merge(undefined)), write)
      return { status: 201, type: 'object', object }
    } catch (error) {
      if (!lostRace(error, deps, kind, ref)) throw error
    }
  }
}

/** Someone else created it between the look and the write. */
const lostRace = (error: unknown, { registry }: HandlerDeps, kind: Kind, ref: ObjectRef) =>
  error instanceof StatusError &&
  error.reason === 'AlreadyExists' &&
  registry.reader(kind).get(ref.namespace, ref.name) !== undefined
