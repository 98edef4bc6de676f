/** Which wire message an apiVersion and kind stand for. */
import { messageOf } from './messages.ts'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'

/** The packages of the groups that have messages. A group with another name has none, whatever its kinds are called. */
const PACKAGES: Readonly<Record<string, string>> = {
  '': 'io.k8s.api.core',
  'admission.k8s.io': 'io.k8s.api.admission',
  'admissionregistration.k8s.io': 'io.k8s.api.admissionregistration',
  'apidiscovery.k8s.io': 'io.k8s.api.apidiscovery',
  'apiextensions.k8s.io': 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions',
  'apiregistration.k8s.io': 'io.k8s.kube-aggregator.pkg.apis.apiregistration',
  apps: 'io.k8s.api.apps',
  'authentication.k8s.io': 'io.k8s.api.authentication',
  'authorization.k8s.io': 'io.k8s.api.authorization',
  autoscaling: 'io.k8s.api.autoscaling',
  batch: 'io.k8s.api.batch',
  'certificates.k8s.io': 'io.k8s.api.certificates',
  'coordination.k8s.io': 'io.k8s.api.coordination',
  'discovery.k8s.io': 'io.k8s.api.discovery',
  'events.k8s.io': 'io.k8s.api.events',
  'flowcontrol.apiserver.k8s.io': 'io.k8s.api.flowcontrol',
  'internal.apiserver.k8s.io': 'io.k8s.api.apiserverinternal',
  'metrics.k8s.io': 'io.k8s.metrics.pkg.apis.metrics',
  'networking.k8s.io': 'io.k8s.api.networking',
  'node.k8s.io': 'io.k8s.api.node',
  policy: 'io.k8s.api.policy',
  'rbac.authorization.k8s.io': 'io.k8s.api.rbac',
  'resource.k8s.io': 'io.k8s.api.resource',
  'scheduling.k8s.io': 'io.k8s.api.scheduling',
  'storage.k8s.io': 'io.k8s.api.storage',
}

/** Kinds that stand in every group and version. */
const EVERYWHERE: ReadonlySet<string> = new Set([
  'CreateOptions',
  'DeleteOptions',
  'GetOptions',
  'ListOptions',
  'PatchOptions',
  'UpdateOptions',
  'WatchEvent',
])

/** The message's name, e.g. `io.k8s.api.core.v1.Pod`; undefined for kinds that have none. */
export function messageName(apiVersion: string, kind: string): string | undefined {
  const slash = apiVersion.indexOf('/')
  const group = slash < 0 ? '' : apiVersion.slice(0, slash)
  if (Object.hasOwn(PACKAGES, group)) {
    const own = `${PACKAGES[group]}.${apiVersion.slice(slash + 1)}.${kind}`
    if (messageOf(own)) return own
  }
  const meta = EVERYWHERE.has(kind) || group === 'meta.k8s.io' || apiVersion === 'v1' || apiVersion === ''
  return meta && messageOf(`${META}.${kind}`) ? `${META}.${kind}` : undefined
}
