/** pods/binding, and bindings: the scheduler's way of giving a pod its node. */
import { required } from '../../api/machinery/field-error.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { badRequest, conflict, success, unclassified } from '../../api/machinery/status-error.ts'
import { rfc3339 } from '../../api/machinery/time.ts'
import type { Clock } from '../../lib/clock.ts'
import { objectBody } from '../handlers/object-body.ts'
import type { AdmissionChain } from '../registry/admission-chain.ts'
import { settleNamespace } from '../registry/metadata.ts'
import type { Registry, WriteContext } from '../registry/registry.ts'
import { checkStructure } from '../registry/structure.ts'
import type { Handler } from '../request.ts'
import { admitCreation } from './admit.ts'
import { answer, requireKind, writeContext } from './request-parts.ts'

interface Binding extends KubeObject {
  target?: { kind?: string; name?: string; apiVersion?: string }
}

export interface Condition {
  type: string
  status: string
  lastProbeTime?: string | null
  lastTransitionTime?: string
  observedGeneration?: number
  reason?: string
  message?: string
}

export interface BindablePod extends KubeObject {
  spec: { nodeName?: string; schedulingGates?: unknown[] }
  status?: { conditions?: Condition[] }
}

/** Sets a condition; its transition time changes with its status only. */
export function setCondition(conditions: readonly Condition[], next: Condition): Condition[] {
  const old = conditions.find(each => each.type === next.type)
  const kept =
    old?.status === next.status && old.lastTransitionTime ? { lastTransitionTime: old.lastTransitionTime } : {}
  const merged = { ...next, ...kept }
  return old ? conditions.map(each => (each === old ? merged : each)) : [...conditions, merged]
}

const PODS_BINDING = { group: '', plural: 'pods/binding' }

/** Binds a pod, in place. Throws Conflict where it cannot be bound (any more). */
export function bind(pod: BindablePod, binding: Binding, now: number): void {
  const { name = '', deletionTimestamp } = pod.metadata ?? {}
  const refuse = (message: string) => conflict(PODS_BINDING, name, message)
  const { uid, annotations, labels } = binding.metadata ?? {}
  if (uid && uid !== pod.metadata?.uid)
    throw refuse(`Precondition failed: UID in precondition: ${uid}, UID in object meta: ${pod.metadata?.uid}`)
  if (deletionTimestamp) throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`)
  if (pod.spec.nodeName) throw refuse(`pod ${name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`)
  if (pod.spec.schedulingGates?.length) throw refuse(`pod ${name} has non-empty .spec.schedulingGates`)
  pod.spec.nodeName = binding.target!.name!
  const metadata = pod.metadata!
  if (annotations) metadata.annotations = { ...metadata.annotations, ...annotations }
  if (labels) metadata.labels = { ...metadata.labels, ...labels }
  const scheduled: Condition = {
    type: 'PodScheduled',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: rfc3339(now),
  }
  pod.status = { ...pod.status, conditions: setCondition(pod.status?.conditions ?? [], scheduled) }
}

/** As upstream says it: 500, without a reason. */
function check(binding: Binding): void {
  const target = binding.target ?? {}
  const errors = []
  if (target.kind && target.kind !== 'Node')
    errors.push({
      reason: 'FieldValueNotSupported' as const,
      field: 'target.kind',
      message: `Unsupported value: ${JSON.stringify(target.kind)}: supported values: "Node", "<empty>"`,
    })
  if (!target.name) errors.push(required('target.name'))
  const said = errors.map(({ field, message }) => `${field}: ${message}`)
  if (said.length) throw unclassified(said.length > 1 ? `[${said.join(', ')}]` : said[0]!)
}

/** The handler, for both `pods/NAME/binding` and `bindings` (where the body names the pod). */
export function bindingHandler(registry: Registry, clock: Clock, admission: AdmissionChain): Handler {
  const pods = requireKind(registry, 'v1/pods')
  const bindings = requireKind(registry, 'v1/bindings')
  return async request => {
    const { object, duplicates } = await objectBody(request, bindings, true)
    const binding = object as Binding
    const context: WriteContext = { ...writeContext(request, 'binding'), duplicates }
    checkStructure(bindings, binding, context)
    const { namespace } = request.info
    binding.metadata ??= {}
    settleNamespace(bindings, binding.metadata, namespace)
    const name = request.info.name || binding.metadata.name || ''
    if (!name) throw badRequest('Name parameter required.')
    if (request.info.name && binding.metadata.name && binding.metadata.name !== name)
      throw badRequest('name in URL does not match name in Binding object')
    check(binding)
    const { subresource } = request.info
    const of = { kind: subresource ? pods : bindings, subresource, objectKind: bindings, name }
    await admitCreation(admission, request, context, of, binding)
    const { resourceVersion } = binding.metadata ?? {}
    await registry.update(
      pods,
      { namespace, name },
      pod => {
        bind(pod as BindablePod, binding, clock.now())
        if (resourceVersion) pod.metadata!.resourceVersion = resourceVersion
      },
      { ...context, admitted: true },
    )
    return answer({ ...success(), code: 201 }, 201)
  }
}
