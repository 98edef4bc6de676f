/**
 * How the groups and versions of this server stand among those of others: what their APIServices say. As upstream has
 * them; where two servers have a resource of the same name, the group of higher priority gets `kubectl get NAME`.
 */

export interface Priority {
  readonly group: number
  readonly version: number
}

const group = (priority: number, versions: Readonly<Record<string, number>> = { v1: 15 }) => ({ priority, versions })

const BUILT_IN: Readonly<Record<string, ReturnType<typeof group>>> = {
  '': group(18000, { v1: 1 }),
  apps: group(17800),
  'events.k8s.io': group(17750),
  'authentication.k8s.io': group(17700),
  'authorization.k8s.io': group(17600),
  autoscaling: group(17500, { v1: 15, v2: 30 }),
  batch: group(17400),
  'certificates.k8s.io': group(17300),
  'networking.k8s.io': group(17200),
  policy: group(17100),
  'rbac.authorization.k8s.io': group(17000),
  'storage.k8s.io': group(16800),
  'admissionregistration.k8s.io': group(16700),
  'apiextensions.k8s.io': group(16700),
  'scheduling.k8s.io': group(16600),
  'coordination.k8s.io': group(16500),
  'node.k8s.io': group(16300),
  'discovery.k8s.io': group(16200),
  'resource.k8s.io': group(16200, { v1: 21 }),
  'flowcontrol.apiserver.k8s.io': group(16100, { v1: 21 }),
  'internal.apiserver.k8s.io': group(16000, {}),
  'storagemigration.k8s.io': group(15800, {}),
  // As metrics-server registers it.
  'metrics.k8s.io': group(100, { v1beta1: 100 }),
}

/** Of the versions that have none of their own: betas and alphas. */
const OTHER_VERSION = 9

/** Custom resources stand behind everything built in. */
export const CUSTOM: Priority = { group: 1000, version: 100 }

/** The priority of a built-in group and version; undefined for those of custom resources. */
export function builtInPriority(name: string, version: string): Priority | undefined {
  const found = BUILT_IN[name]
  return found && { group: found.priority, version: found.versions[version] ?? OTHER_VERSION }
}
