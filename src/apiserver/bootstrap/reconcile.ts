/**
 * Brings the objects of a fresh cluster into the store: what is missing is made; roles and bindings that may be
 * updated gain what they lack, lose what earlier versions of ours gave too much, and keep what was added (Kubernetes
 * documentation, "RBAC: auto-reconciliation").
 */
import type { Kind } from '../../api/machinery/kind.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { StatusError } from '../../api/machinery/status-error.ts'
import { equalJson } from '../../lib/json.ts'
import type { UserInfo } from '../authentication/authenticator.ts'
import { MASTERS } from '../authorization/authorizers.ts'
import { type Binding, missingPermissions, type Role, type Subject } from '../authorization/rbac/rules.ts'
import type { Registry } from '../registry/registry.ts'
import { type BootstrapOptions, bootstrapObjects, withdrawnFrom, withdrawnObjects } from './objects.ts'

export const BOOTSTRAP_USER: UserInfo = { name: 'system:apiserver', groups: [MASTERS, 'system:authenticated'] }

const AUTOUPDATE = 'rbac.authorization.kubernetes.io/autoupdate'

const mayUpdate = (object: KubeObject) => object.metadata?.annotations?.[AUTOUPDATE] !== 'false'

const subjectKey = ({ kind, name, namespace = '' }: Subject) => `${kind}/${namespace}/${name}`

/** Whether all of `wanted` stands in `present`. */
const includes = (
  present: Readonly<Record<string, string>> | undefined,
  wanted: Readonly<Record<string, string>> = {},
) => Object.entries(wanted).every(([key, value]) => present?.[key] === value)

/** A list without what is withdrawn and with what it lacks; undefined where it is right. */
function mended<T>(current: readonly T[], withdrawn: readonly T[], missing: readonly T[]): T[] | undefined {
  const kept = current.filter(each => !withdrawn.some(gone => equalJson(gone, each)))
  return missing.length > 0 || kept.length < current.length ? [...kept, ...missing] : undefined
}

/** What has to be done to `current` to be as `wanted`, as a change to make in place; undefined when nothing. */
export function repair(current: KubeObject, wanted: KubeObject): ((object: KubeObject) => void) | undefined {
  if (!mayUpdate(current)) return undefined
  const changes: ((object: KubeObject) => void)[] = []
  const set = (fields: object) => changes.push(object => void Object.assign(object, fields))
  const { labels, annotations } = wanted.metadata ?? {}
  if (!includes(current.metadata?.labels, labels) || !includes(current.metadata?.annotations, annotations))
    changes.push(({ metadata = {} }) => {
      metadata.labels = { ...metadata.labels, ...labels }
      metadata.annotations = { ...metadata.annotations, ...annotations }
    })
  const gone = withdrawnFrom(wanted)
  const { rules: has = [] } = current as Role
  const { rules: needs = [], aggregationRule } = wanted as Role
  // The rules of an aggregating role are gathered elsewhere.
  const rules = aggregationRule ? undefined : mended(has, gone.rules ?? [], missingPermissions(has, needs))
  if (rules) set({ rules })
  const { subjects: names = [] } = current as Binding
  const known = new Set(names.map(subjectKey))
  const absent = ((wanted as Binding).subjects ?? []).filter(subject => !known.has(subjectKey(subject)))
  const subjects = mended(names, gone.subjects ?? [], absent)
  if (subjects) set({ subjects })
  if (!changes.length) return undefined
  return object => {
    for (const change of changes) change(object)
  }
}

/** A binding cannot be made one of another role: it has to be made anew. */
const isOfAnotherRole = (current: KubeObject, wanted: KubeObject) =>
  mayUpdate(current) && !equalJson((current as Binding).roleRef, (wanted as Binding).roleRef)

type Networks = KubeObject & { spec?: { cidrs?: string[] } }

/** A cluster may gain a network of another family, as long as its first one stays (KEP-1880). */
function secondFamily(current: Networks, wanted: Networks): ((object: KubeObject) => void) | undefined {
  const [before = [], now = []] = [current.spec?.cidrs, wanted.spec?.cidrs]
  if (before.length !== 1 || now.length !== 2 || before[0] !== now[0]) return undefined
  return object => {
    ;(object as Networks).spec = { cidrs: now }
  }
}

const isRbac = ({ group }: Kind) => group === 'rbac.authorization.k8s.io'
const context = { user: BOOTSTRAP_USER, fieldManager: 'kube-apiserver' }

/** Takes away what an earlier version has made. */
async function withdraw(registry: Registry, { apiVersion = '', kind: kindName = '', metadata }: KubeObject) {
  const kind = registry.kindOf(apiVersion, kindName)
  const ref = { namespace: metadata?.namespace ?? '', name: metadata?.name ?? '' }
  const current = kind && registry.reader(kind).get(ref.namespace, ref.name)
  if (kind && current && mayUpdate(current.value)) await registry.delete(kind, ref, {}, context)
}

async function ensure(registry: Registry, wanted: KubeObject): Promise<void> {
  const kind = registry.kindOf(wanted.apiVersion!, wanted.kind!)
  // A server may be started with fewer kinds.
  if (!kind) return
  const { name = '', namespace = '' } = wanted.metadata ?? {}
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
  if (isRbac(kind) && isOfAnotherRole(current.value, wanted)) {
    await registry.delete(kind, { namespace, name }, {}, context)
    await registry.create(kind, namespace, wanted, context)
    return
  }
  const change =
    kind.kind === 'ServiceCIDR'
      ? secondFamily(current.value, wanted)
      : isRbac(kind)
        ? repair(current.value, wanted)
        : undefined
  if (change) await registry.update(kind, { namespace, name }, change, context)
}

/**
 * Makes and repairs the objects, and takes away what earlier versions gave too much. At a first start all commits are
 * under way together; later it only compares.
 */
export async function bootstrap(registry: Registry, options?: BootstrapOptions): Promise<void> {
  const all = bootstrapObjects(options)
  const first = all.filter(object => object.kind === 'Namespace')
  await Promise.all(first.map(object => ensure(registry, object)))
  await Promise.all(all.filter(object => object.kind !== 'Namespace').map(object => ensure(registry, object)))
  await Promise.all(withdrawnObjects().map(object => withdraw(registry, object)))
}
