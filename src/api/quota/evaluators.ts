/** The evaluator of each kind that a quota can count (KEP-1286 lists of names; kubernetes.io "Resource Quotas"). */
import { claimEvaluator } from './claims.ts'
import { countName, type Evaluator } from './evaluator.ts'
import { podEvaluator } from './pods.ts'
import { serviceEvaluator } from './services.ts'

/** Kinds whose number has a second, older name. */
const ALIASES: Readonly<Record<string, string>> = {
  '/configmaps': 'configmaps',
  '/resourcequotas': 'resourcequotas',
  '/replicationcontrollers': 'replicationcontrollers',
  '/secrets': 'secrets',
}

/** Kinds that are never counted: those that are not kept, and Events. */
const IGNORED = new Set([
  '/bindings',
  '/componentstatuses',
  '/events',
  'events.k8s.io/events',
  'authentication.k8s.io/tokenreviews',
  'authentication.k8s.io/selfsubjectreviews',
  'authorization.k8s.io/subjectaccessreviews',
  'authorization.k8s.io/selfsubjectaccessreviews',
  'authorization.k8s.io/localsubjectaccessreviews',
  'authorization.k8s.io/selfsubjectrulesreviews',
])

const OWN: ReadonlyMap<string, Evaluator> = new Map([
  ['/pods', podEvaluator],
  ['/services', serviceEvaluator],
  ['/persistentvolumeclaims', claimEvaluator],
])

/** Counts objects, whatever they are. */
function counter(group: string, plural: string): Evaluator {
  const names = [countName(group, plural)]
  const alias = ALIASES[`${group}/${plural}`]
  if (alias) names.push(alias)
  return {
    charges: ({ operation, subresource }) => subresource === '' && operation === 'CREATE',
    matching: wanted => wanted.filter(name => names.includes(name)),
    usage: () => Object.fromEntries(names.map(name => [name, '1'])),
    inScope: () => false,
  }
}

/** How objects of a kind are counted; undefined for those that never are. */
export function evaluatorOf({ group, plural }: { group: string; plural: string }): Evaluator | undefined {
  const key = `${group}/${plural}`
  if (IGNORED.has(key)) return undefined
  return OWN.get(key) ?? counter(group, plural)
}
