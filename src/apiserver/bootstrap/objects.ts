/** The objects of a fresh cluster. */

import { SYSTEM_PRIORITIES } from '../../api/kinds/scheduling/system-priorities.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { formatCidr, parseCidrs } from '../../lib/ip-range.ts'
import { aggregatedRules } from '../authorization/rbac/aggregation.ts'
import type { Binding, Role } from '../authorization/rbac/rules.ts'
import { SERVICE_CIDR } from '../services/address-ranges.ts'
import { flowSchemas, priorityLevels } from './flow-control.generated.ts'
import { clusterRoleBindings, clusterRoles, roleBindings, roles } from './policy.generated.ts'
import { bindingFrom, parseRule, parseSubject, roleFrom } from './policy-source.ts'
import {
  tuttiClusterRoleBindings,
  tuttiClusterRoles,
  tuttiRoleBindings,
  tuttiRoles,
  withdrawnNames,
  withdrawnRules,
  withdrawnSubjects,
} from './tutti-policy.ts'

export interface BootstrapOptions {
  /** Networks of service addresses, one of a family, as in `10.96.0.0/16,fd00:10:96::/112`. Default 10.96.0.0/16. */
  readonly serviceCidr?: string
  /** The day from which on the use of legacy tokens is noted, `2026-01-02`. */
  readonly trackedSince?: string
}

const SYSTEM_NAMESPACES = ['kube-system', 'kube-public', 'kube-node-lease', 'default']

const namespaces = (): KubeObject[] =>
  SYSTEM_NAMESPACES.map(name => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name },
    spec: { finalizers: ['kubernetes'] },
  }))

const priorityClasses = (): KubeObject[] => {
  const priorityClass = (name: keyof typeof SYSTEM_PRIORITIES, description: string) => ({
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name },
    value: SYSTEM_PRIORITIES[name],
    preemptionPolicy: 'PreemptLowerPriority',
    description,
  })
  return [
    priorityClass(
      'system-cluster-critical',
      'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
    ),
    priorityClass(
      'system-node-critical',
      'Used for system critical pods that must not be moved from their current node.',
    ),
  ]
}

/** One for each way in which pods run; a handler of the same name is a node's to have. */
const runtimeClasses = (): KubeObject[] =>
  ['process', 'containers', 'simulated'].map(name => ({
    apiVersion: 'node.k8s.io/v1',
    kind: 'RuntimeClass',
    metadata: { name },
    handler: name,
  }))

const flowControl = (): KubeObject[] => {
  const apiVersion = 'flowcontrol.apiserver.k8s.io/v1'
  const annotations = { 'apf.kubernetes.io/autoupdate-spec': 'true' }
  const make = (kind: string, specs: Readonly<Record<string, object>>) =>
    Object.entries(specs).map(([name, spec]) => ({
      apiVersion,
      kind,
      metadata: { name, annotations: { ...annotations } },
      spec: structuredClone(spec),
    }))
  return [...make('PriorityLevelConfiguration', priorityLevels), ...make('FlowSchema', flowSchemas)]
}

/** Roles with their rules; those that aggregate have them gathered already. */
export function bootstrapRoles(): Role[] {
  const all = [
    ...Object.entries({ ...clusterRoles, ...tuttiClusterRoles }),
    ...Object.entries({ ...roles, ...tuttiRoles }),
  ].map(([key, source]) => roleFrom(key, source))
  const aggregating = all.filter(role => role.aggregationRule)
  const inCluster = all.filter(role => role.kind === 'ClusterRole')
  // admin gathers edit, and edit gathers view: as many rounds as there are such roles settle them.
  for (const _ of aggregating) for (const role of aggregating) role.rules = aggregatedRules(role, inCluster)
  return all
}

const bindings = (): KubeObject[] =>
  [
    ...Object.entries({ ...clusterRoleBindings, ...tuttiClusterRoleBindings }),
    ...Object.entries({ ...roleBindings, ...tuttiRoleBindings }),
  ].map(([key, source]) => bindingFrom(key, source))

/** What earlier versions gave with the object of this name, and is to be taken from it. */
export function withdrawnFrom({ kind, metadata = {} }: KubeObject): Pick<Role, 'rules'> & Pick<Binding, 'subjects'> {
  const key = metadata.namespace ? `${metadata.namespace}/${metadata.name}` : (metadata.name ?? '')
  return kind?.endsWith('Binding')
    ? { subjects: (withdrawnSubjects[key] ?? []).map(parseSubject) }
    : { rules: (withdrawnRules[key] ?? []).map(parseRule) }
}

/** Objects of earlier versions that are to go. */
export const withdrawnObjects = (): KubeObject[] =>
  withdrawnNames.flatMap(name => [roleFrom(name, {}), bindingFrom(name, { subjects: [] })])

/** Tells those who delete legacy tokens since when their use is noted (KEP-2799). */
const tokenTracking = (since: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: 'kube-system', name: 'kube-apiserver-legacy-service-account-token-tracking' },
  ...{ data: { since } },
})

/** In an order in which they can be made: namespaces first. New and the caller's own. */
export function bootstrapObjects({ serviceCidr = SERVICE_CIDR, trackedSince }: BootstrapOptions = {}): KubeObject[] {
  const serviceCidrObject: KubeObject = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'ServiceCIDR',
    metadata: { name: 'kubernetes', finalizers: ['networking.k8s.io/service-cidr-finalizer'] },
    ...{ spec: { cidrs: parseCidrs(serviceCidr).map(formatCidr) } },
  }
  return [
    ...namespaces(),
    ...bootstrapRoles(),
    ...bindings(),
    ...priorityClasses(),
    ...runtimeClasses(),
    ...flowControl(),
    serviceCidrObject,
    ...(trackedSince ? [tokenTracking(trackedSince)] : []),
  ]
}
