/**
 * Brings the objects of a fresh cluster into the store: what is missing is made; roles and bindings that may be
 * updated gain what they lack, and keep what was added (Kubernetes documentation, "RBAC: auto-reconciliation").
 */
import type { KubeObject } from '../../api/machinery/object.ts'
import { StatusError } from '../../api/machinery/status-error.ts'
import type { UserInfo } from '../authentication/authenticator.ts'
import { MASTERS } from '../authorization/authorizers.ts'
import { type Binding, missingPermissions, type Role, type Subject } from '../authorization/rbac/rules.ts'
import type { Registry } from '../registry/registry.ts'
import { type BootstrapOptions, bootstrapObjects } from './objects.ts'

export const BOOTSTRAP_USER: UserInfo = { name: 'system:apiserver', groups: [MASTERS, 'system:authenticated'] }

const AUTOUPDATE = 'rbac.authorization.kubernetes.io/autoupdate'

const mayUpdate = (object: KubeObject) => object.metadata?.annotations?.[AUTOUPDATE] !== 'false'

const subjectKey = ({ kind, name, namespace = '' }: Subject) => `${kind}/${namespace}/${name}`

/** Whether all of `wanted` stands in `present`. */
const includes = (
  present: Readonly<Record<string, string>> | undefined,
  wanted: Readonly<Record<string, string>> = {},
) => Object.entries(wanted).every(([key, value]) => present?.[key] === value)

/** What `current` lacks of `wanted`, as a change to make in place; undefined when nothing. */
export function repair(current: KubeObject, wanted: KubeObject): ((object: KubeObject) => void) | undefined {
  if (!mayUpdate(current)) return undefined
  const changes: ((object: KubeObject) => void)[] = []
  const { labels, annotations } = wanted.metadata ?? {}
  if (!includes(current.metadata?.labels, labels) || !includes(current.metadata?.annotations, annotations))
    changes.push(({ metadata = {} }) => {
      metadata.labels = { ...metadata.labels, ...labels }
      metadata.annotations = { ...metadata.annotations, ...annotations }
    })
  const { rules = [], aggregationRule } = wanted as Role
  // The rules of an aggregating role are gathered elsewhere.
  const missing = aggregationRule ? [] : missingPermissions((current as Role).rules ?? [], rules)
  if (missing.length)
    changes.push(object => {
      ;(object as Role).rules = [...((object as Role).rules ?? []), ...missing]
    })
  const known = new Set(((current as Binding).subjects ?? []).map(subjectKey))
  const absent = ((wanted as Binding).subjects ?? []).filter(subject => !known.has(subjectKey(subject)))
  if (absent.length)
    changes.push(object => {
      ;(object as Binding).subjects = [...((object as Binding).subjects ?? []), ...absent]
    })
  if (!changes.length) return undefined
  return object => {
    for (const change of changes) change(object)
  }
}

type Networks = KubeObject & { spec?: { cidrs?: string[] } }

/** A cluster may gain a network of another family, as long as its first one stays (KEP-1880). */
function secondFamily(current: Networks, wanted: Networks): ((object: KubeObject) => void) | undefined {
  const [before = [], now = []] = [current.spec?.cidrs, wanted.spec?.cidrs]
  if (before.length !== 1 || now.length !== 2 || before[0] !== now[0]) return undefined
  return object => {
    ;(object as Networks).spec = { cidrs: now }
  }
}

async function ensure(registry: Registry, wanted: KubeObject): Promise<void> {
  const kind = registry.kindOf(wanted.apiVersion!, wanted.kind!)
  // A server may be started with fewer kinds.
  if (!kind) return
  const { name = '', namespace = '' } = wanted.metadata ?? {}
  const context = { user: BOOTSTRAP_USER, fieldManager: 'kube-apiserver' }
  const current = registry.reader(kind).get(namespace, name)
  if (!current) {
    try {
      await registry.create(kind, namespace, wanted, context)
    } catch (error) {
      // Another server on the same store was faster.
      if (!(error instanceof StatusError && error.reason === 'AlreadyExists')) throw error
    }
    return
  }
  const change =
    kind.kind === 'ServiceCIDR'
      ? secondFamily(current.value, wanted)
      : kind.group === 'rbac.authorization.k8s.io'
        ? repair(current.value, wanted)
        : undefined
  if (change) await registry.update(kind, { namespace, name }, change, context)
}

/** Makes and repairs the objects. At a first start all commits are under way together; later it only compares. */
export async function bootstrap(registry: Registry, options?: BootstrapOptions): Promise<void> {
  const all = bootstrapObjects(options)
  const first = all.filter(object => object.kind === 'Namespace')
  await Promise.all(first.map(object => ensure(registry, object)))
  await Promise.all(all.filter(object => object.kind !== 'Namespace').map(object => ensure(registry, object)))
}
