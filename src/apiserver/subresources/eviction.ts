/** pods/eviction: a delete that keeps to disruption budgets (API-initiated eviction). */

import { isReady } from '../../api/kinds/core/ready.ts'
import { type LabelSelector, selectorFromLabelSelector } from '../../api/machinery/label-selector.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { badRequest, forbidden, StatusError, success, tooManyRequests } from '../../api/machinery/status-error.ts'
import { rfc3339 } from '../../api/machinery/time.ts'
import type { Clock } from '../../lib/clock.ts'
import type { AdmissionChain } from '../registry/admission-chain.ts'
import type { DeleteOptions, Registry } from '../registry/registry.ts'
import type { Handler } from '../request.ts'
import { admitCreation } from './admit.ts'
import { type Condition, setCondition } from './binding.ts'
import { answer, bodyObject, requireKind, writeContext } from './request-parts.ts'

interface Eviction extends KubeObject {
  deleteOptions?: DeleteOptions
}

interface Pod extends KubeObject {
  status?: { phase?: string; conditions?: Condition[] }
}

interface Budget extends KubeObject {
  spec?: { selector?: LabelSelector; unhealthyPodEvictionPolicy?: string }
  status?: {
    observedGeneration?: number
    disruptionsAllowed?: number
    currentHealthy?: number
    desiredHealthy?: number
    disruptedPods?: Record<string, string>
  }
}

const EVICTION = { group: 'policy', version: 'v1', kind: 'Eviction' }
const BUDGETS = { group: 'policy', plural: 'poddisruptionbudgets' }
/** A budget that has so many evictions on their way takes no more. */
const MAX_DISRUPTED = 2000
const VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget."

const budgetError = (retryAfter: number, cause: string) =>
  tooManyRequests(retryAfter, VIOLATES, [{ reason: 'DisruptionBudget', message: cause }])

/** Pods that nobody would miss: budgets do not count them. */
const isUncounted = ({ metadata, status }: Pod) =>
  Boolean(metadata?.deletionTimestamp) || ['Succeeded', 'Failed', 'Pending'].includes(status?.phase ?? '')

/** A pod that is not ready may go without taking from its budget, as the budget's policy says. */
function isFree(pod: Pod, { spec, status = {} }: Budget): boolean {
  if (isReady(pod)) return false
  if (spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true
  const { currentHealthy = 0, desiredHealthy = 0 } = status
  return currentHealthy >= desiredHealthy && desiredHealthy > 0
}

/** Takes one disruption from a budget for a pod, in place. Throws when it has none to give. */
export function spend(budget: Budget, pod: string, now: number): void {
  const { name = '', generation = 0 } = budget.metadata ?? {}
  const status = (budget.status ??= {})
  const { disruptionsAllowed = 0, desiredHealthy = 0, currentHealthy = 0, disruptedPods = {} } = status
  if ((status.observedGeneration ?? 0) < generation)
    throw budgetError(10, `The disruption budget ${name} is still being processed by the server.`)
  if (disruptionsAllowed < 0) throw forbidden(BUDGETS, name, 'pdb disruptions allowed is negative')
  if (Object.keys(disruptedPods).length > MAX_DISRUPTED)
    throw forbidden(BUDGETS, name, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller')
  if (disruptionsAllowed === 0)
    throw budgetError(
      0,
      `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`,
    )
  status.disruptionsAllowed = disruptionsAllowed - 1
  status.disruptedPods = { ...disruptedPods, [pod]: rfc3339(now) }
}

/** The handler of `pods/NAME/eviction`. */
export function evictionHandler(registry: Registry, clock: Clock, admission: AdmissionChain): Handler {
  const pods = requireKind(registry, 'v1/pods')
  const budgets = requireKind(registry, 'policy/v1/poddisruptionbudgets')

  const budgetOf = (namespace: string, pod: Pod): Budget | undefined => {
    const found = registry
      .reader(budgets)
      .list(namespace)
      .map(each => each.value as Budget)
      .filter(each => selectorFromLabelSelector(each.spec?.selector).matches(pod.metadata?.labels))
    if (found.length < 2) return found[0]
    throw new StatusError({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      reason: 'InternalError',
      message: 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
      code: 500,
    })
  }

  return async request => {
    const eviction = await bodyObject<Eviction>(request, { apiVersion: 'policy/v1', kind: 'Eviction' })
    const { namespace, name } = request.info
    if (eviction.metadata?.name && eviction.metadata.name !== name)
      throw badRequest('name in URL does not match name in Eviction object')
    const asked = writeContext(request, '')
    const of = { kind: pods, subresource: 'eviction', objectKind: EVICTION, name }
    await admitCreation(admission, request, asked, of, eviction)
    const context = { ...asked, admitted: true }
    const ref = { namespace, name }
    const pod = registry.get(pods, ref).value as Pod
    const budget = isUncounted(pod) ? undefined : budgetOf(namespace, pod)
    if (budget && !isFree(pod, budget))
      await registry.update(
        budgets,
        { namespace, name: budget.metadata!.name! },
        object => spend(object as Budget, name, clock.now()),
        { ...context, subresource: 'status' },
      )
    await registry.update(
      pods,
      ref,
      object => {
        const target: Condition = {
          type: 'DisruptionTarget',
          status: 'True',
          reason: 'EvictionByEvictionAPI',
          message: 'Eviction API: evicting',
          lastProbeTime: null,
          lastTransitionTime: rfc3339(clock.now()),
        }
        const evicted = object as Pod
        evicted.status = { ...evicted.status, conditions: setCondition(evicted.status?.conditions ?? [], target) }
      },
      { ...context, subresource: 'status' },
    )
    const preconditions = { uid: pod.metadata?.uid ?? '', ...eviction.deleteOptions?.preconditions }
    await registry.delete(pods, ref, { ...eviction.deleteOptions, preconditions }, context)
    return answer({ ...success(), code: 201 }, 201)
  }
}
