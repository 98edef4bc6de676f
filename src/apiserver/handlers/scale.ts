/** The scale subresource: autoscaling/v1 Scale in front of any kind that says where its numbers are. */
import { Encoded } from '../../api/machinery/encoded.ts'
import { invalid as invalidValue } from '../../api/machinery/field-error.ts'
import type { Kind, ScaleSubresource } from '../../api/machinery/kind.ts'
import {
  type LabelSelector,
  selectorFromLabelSelector,
  selectorFromLabels,
} from '../../api/machinery/label-selector.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { internalError, invalid, methodNotAllowed } from '../../api/machinery/status-error.ts'
import { checkStructure, decodeError } from '../../api/machinery/structural.ts'
import { cloneJson } from '../../lib/json.ts'
import type { WriteContext } from '../registry/registry.ts'
import type { Answer, ServerRequest } from '../request.ts'
import type { HandlerDeps } from './deps.ts'
import { refOf } from './get.ts'
import { checkKind, objectBody } from './object-body.ts'
import { type PatchBody, patchBody, patched } from './patch-body.ts'
import { checkName } from './update.ts'
import { writeContext } from './write-options.ts'

interface Scale extends KubeObject {
  spec?: { replicas?: number }
  status?: { replicas: number; selector?: string }
}

const SCHEMA = 'io.k8s.api.autoscaling.v1.Scale'
const SCALE = { group: 'autoscaling', version: 'v1', apiVersion: 'autoscaling/v1', kind: 'Scale' }

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
    kind: SCALE.kind,
    apiVersion: SCALE.apiVersion,
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp } as NonNullable<KubeObject['metadata']>,
    spec: replicas ? { replicas } : {},
    status: { replicas: (at(object, paths.statusReplicas) as number | undefined) ?? 0, ...(selector && { selector }) },
  }
}

/** The new number, checked. */
function replicasOf(kind: Kind, scale: Scale, name: string): number {
  const { errors } = checkStructure(scale, SCHEMA)
  if (errors[0]) throw decodeError(SCALE, errors[0].message)
  const replicas = scale.spec?.replicas ?? 0
  // The rules of a custom kind say it in their own words.
  if (replicas < 0 && !kind.custom) {
    throw invalid(SCALE, name, [invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0')])
  }
  return replicas
}

/** A custom resource may be without what its definition says that there is. */
function requireReplicas(paths: ScaleSubresource, object: KubeObject, method: string) {
  if (method !== 'GET' || at(object, paths.specReplicas) !== undefined) return
  throw internalError(`the spec replicas field ${JSON.stringify(paths.specReplicas)} does not exist`)
}

/** The Scale that a request asks for, given the one that is. */
function askedScale(body: { object: KubeObject } | PatchBody, current: Scale): Scale {
  if ('object' in body) return cloneJson(body.object)
  const type = body.type === 'application/apply-patch+yaml' ? 'application/merge-patch+json' : body.type
  return checkKind(patched(type, current, cloneJson(body.value), SCHEMA), SCALE)
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
  })
  await deps.registry.prepare(kind, ref)
  if (kind.custom) requireReplicas(paths, deps.registry.get(kind, ref).value, method)
  if (method === 'GET') return answer(deps.registry.get(kind, ref))
  if (method !== 'PUT' && method !== 'PATCH') throw methodNotAllowed()

  const context: WriteContext = {
    ...writeContext(request, method === 'PUT' ? 'UpdateOptions' : 'PatchOptions', 'scale'),
    admittedAs: {
      kind: SCALE,
      show: object => scaleOf(kind, paths, object),
      put: (shown, object) => put(object, paths.specReplicas, replicasOf(kind, shown as Scale, name)),
    },
  }
  const body = method === 'PUT' ? await objectBody(request, SCALE) : await patchBody(request, false)
  const written = await deps.registry.update(
    kind,
    ref,
    stored => {
      const asked = askedScale(body, scaleOf(kind, paths, stored))
      checkName(asked, name)
      put(stored, paths.specReplicas, replicasOf(kind, asked, name))
      const { resourceVersion, uid } = asked.metadata ?? {}
      stored.metadata = { ...stored.metadata, ...(uid && { uid }) }
      if (resourceVersion) stored.metadata.resourceVersion = resourceVersion
    },
    context,
  )
  return answer(written)
}
