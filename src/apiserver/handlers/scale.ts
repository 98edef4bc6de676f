/** The scale subresource: autoscaling/v1 Scale in front of any kind that says where its numbers are. */
import { type Scale, Scale as ScaleKind } from '../../api/kinds/autoscaling/scale.ts'
import { applyPatch, conflictError } from '../../api/machinery/apply/apply.ts'
import { trackUpdate } from '../../api/machinery/apply/managed-fields.ts'
import { Encoded } from '../../api/machinery/encoded.ts'
import { invalid as invalidValue } from '../../api/machinery/field-error.ts'
import type { Kind, ScaleSubresource } from '../../api/machinery/kind.ts'
import {
  type LabelSelector,
  selectorFromLabelSelector,
  selectorFromLabels,
} from '../../api/machinery/label-selector.ts'
import type { KubeObject, ObjectMeta } from '../../api/machinery/object.ts'
import { internalError, invalid, methodNotAllowed } from '../../api/machinery/status-error.ts'
import { cloneJson } from '../../lib/json.ts'
import { isTrue } from '../http/request-info.ts'
import { settleNamespace } from '../registry/metadata.ts'
import type { WriteContext } from '../registry/registry.ts'
import { checkPatched, checkStructure } from '../registry/structure.ts'
import type { Answer, ServerRequest } from '../request.ts'
import { requireManager } from './apply.ts'
import type { HandlerDeps } from './deps.ts'
import { refOf } from './get.ts'
import { checkKind, objectBody } from './object-body.ts'
import { APPLY, type PatchBody, patchBody, patched } from './patch-body.ts'
import { toObjectFields, toScaleFields } from './scale-fields.ts'
import { checkName } from './update.ts'
import { writeContext } from './write-options.ts'

const SCHEMA = 'io.k8s.api.autoscaling.v1.Scale'

const steps = (path: string) => path.split('.').filter(step => step !== '')

/** The value at a dotted path. */
function at(object: unknown, path: string | undefined): unknown {
  if (path === undefined) return undefined
  let value = object
  for (const step of steps(path)) value = (value as Record<string, unknown> | undefined)?.[step]
  return value
}

/** Sets the value at a dotted path, in place. */
function put(object: unknown, path: string, value: unknown) {
  const names = steps(path)
  let target = object as Record<string, unknown>
  for (const step of names.slice(0, -1)) target = (target[step] ??= {}) as Record<string, unknown>
  target[names.at(-1)!] = value
}

function selectorText(kind: Kind, value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value !== 'object' || value === null) return undefined
  // A ReplicationController's selector is a plain map.
  if (kind.key === 'v1/replicationcontrollers') return selectorFromLabels(value as Record<string, string>).toString()
  return selectorFromLabelSelector(value as LabelSelector).toString()
}

/** The Scale of an object. */
export function scaleOf(kind: Kind, paths: ScaleSubresource, object: KubeObject): Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata ?? {}
  const replicas = at(object, paths.specReplicas) as number | undefined
  const selector = selectorText(kind, at(object, paths.selector))
  return {
    kind: ScaleKind.kind,
    apiVersion: ScaleKind.apiVersion,
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp } as ObjectMeta,
    spec: replicas ? { replicas } : {},
    status: { replicas: (at(object, paths.statusReplicas) as number | undefined) ?? 0, ...(selector && { selector }) },
  }
}

/** The new number, checked. */
function replicasOf(kind: Kind, scale: Scale, name: string): number {
  const replicas = scale.spec?.replicas ?? 0
  // The rules of a custom kind say it in their own words.
  if (replicas < 0 && !kind.custom) {
    throw invalid(ScaleKind, name, [invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0')])
  }
  return replicas
}

/** A custom resource may be without what its definition says that there is. */
function requireReplicas(paths: ScaleSubresource, object: KubeObject, method: string) {
  if (method !== 'GET' || at(object, paths.specReplicas) !== undefined) return
  throw internalError(`the spec replicas field ${JSON.stringify(paths.specReplicas)} does not exist`)
}

type Body = { readonly object: KubeObject; readonly duplicates: readonly string[] } | PatchBody

/** The Scale that a request asks for, given the one that is, with its managed fields. */
function askedScale(body: Body, current: Scale, context: WriteContext, request: ServerRequest, now: number): Scale {
  const { apiVersion } = ScaleKind
  const { fieldManager: manager = '' } = context
  const track = { schema: SCHEMA, apiVersion, manager, subresource: 'scale', now }
  if ('type' in body && body.type === APPLY) {
    requireManager(request)
    const applied = cloneJson(checkKind(body.value, ScaleKind))
    const force = isTrue(request.query.get('force'))
    const { object, conflicts } = applyPatch({ ...track, live: current, applied, force })
    if (conflicts) throw conflictError(conflicts)
    checkPatched(ScaleKind, object, context)
    return object as Scale
  }
  const next = cloneJson(
    'type' in body ? patched(body.type, cloneJson(current), cloneJson(body.value), SCHEMA) : body.object,
  )
  if ('type' in body) checkPatched(ScaleKind, checkKind(next, ScaleKind), context)
  else checkStructure(ScaleKind, next, { ...context, duplicates: body.duplicates })
  next.metadata = { ...next.metadata, managedFields: trackUpdate({ ...track, live: current, next }) }
  return next as Scale
}

/** Answers requests to the scale subresource. */
export async function scale(deps: HandlerDeps, request: ServerRequest, kind: Kind, method: string): Promise<Answer> {
  const { name, namespace } = request.info
  const ref = refOf(kind, namespace, name)
  const paths = kind.scale!
  const answer = (stored: Encoded): Answer => ({
    status: 200,
    type: 'object',
    object: new Encoded(Buffer.from(JSON.stringify(scaleOf(kind, paths, stored.value))), stored.revision),
    kind: ScaleKind,
  })
  await deps.registry.prepare(kind, ref)
  if (kind.custom) requireReplicas(paths, deps.registry.get(kind, ref).value, method)
  if (method === 'GET') return answer(deps.registry.get(kind, ref))
  if (method !== 'PUT' && method !== 'PATCH') throw methodNotAllowed()

  const context: WriteContext = {
    ...writeContext(request, method === 'PUT' ? 'UpdateOptions' : 'PatchOptions', 'scale'),
    applied: true,
    admittedAs: {
      kind: ScaleKind,
      show: object => scaleOf(kind, paths, object),
      put: (shown, object) => put(object, paths.specReplicas, replicasOf(kind, shown as Scale, name)),
    },
  }
  const body =
    method === 'PUT'
      ? await objectBody(request, ScaleKind, context.fieldValidation !== 'Ignore')
      : await patchBody(request, false)
  const written = await deps.registry.update(
    kind,
    ref,
    stored => {
      const path = steps(paths.specReplicas)
      const current = scaleOf(kind, paths, stored)
      current.metadata!.managedFields = toScaleFields(stored.metadata?.managedFields, path)
      const asked = askedScale(body, current, context, request, deps.clock.now())
      checkName(asked, name)
      settleNamespace(kind, (asked.metadata ??= {}), namespace)
      put(stored, paths.specReplicas, replicasOf(kind, asked, name))
      const { resourceVersion, uid, managedFields } = asked.metadata
      const owners = toObjectFields(stored.metadata?.managedFields, managedFields, path, kind.apiVersion)
      const metadata: ObjectMeta = { ...stored.metadata, managedFields: owners, ...(uid && { uid }) }
      if (resourceVersion) metadata.resourceVersion = resourceVersion
      stored.metadata = metadata
    },
    context,
  )
  return answer(written)
}
