/** Which wire message an apiVersion and kind stand for. */
import { messageOf } from './messages.ts'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'

/** Groups whose package is not `io.k8s.api.` and the group's first label. */
const PACKAGES: Readonly<Record<string, string>> = {
  '': 'io.k8s.api.core',
  'apiextensions.k8s.io': 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions',
  'apiregistration.k8s.io': 'io.k8s.kube-aggregator.pkg.apis.apiregistration',
  'internal.apiserver.k8s.io': 'io.k8s.api.apiserverinternal',
}

/** The message's name, e.g. `io.k8s.api.core.v1.Pod`; undefined for kinds that have none. Options are in every group. */
export function messageName(apiVersion: string, kind: string): string | undefined {
  const slash = apiVersion.indexOf('/')
  const group = slash < 0 ? '' : apiVersion.slice(0, slash)
  const own = `${PACKAGES[group] ?? `io.k8s.api.${group.split('.')[0]}`}.${apiVersion.slice(slash + 1)}.${kind}`
  if (messageOf(own)) return own
  const meta = `${META}.${kind}`
  return messageOf(meta) ? meta : undefined
}
