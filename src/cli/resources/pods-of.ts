/** The pods behind a name: a pod itself, or what a deployment, service, job or replica set selects. */
import type { Pod } from '../../api/kinds/core/pod.ts'
import { selectorFromLabelSelector, selectorFromLabels } from '../../api/machinery/label-selector.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import type { Transport } from '../../client/transport.ts'
import { getList, pathOf, request } from '../api.ts'
import { UserError } from '../context.ts'
import { findResource, findTargets } from './find-kind.ts'

/** The text of the selector by which an object chooses pods; undefined where it chooses none. */
export function podSelectorOf(object: KubeObject): string | undefined {
  const spec = (object as { spec?: { selector?: unknown } }).spec
  if (!spec?.selector) return undefined
  if (object.kind === 'Service') return selectorFromLabels(spec.selector as Record<string, string>).toString()
  return selectorFromLabelSelector(spec.selector as Parameters<typeof selectorFromLabelSelector>[0]).toString()
}

/** The pods of `target` (`web`, `pod/web`, `deploy/web`, `svc/web`, …). Throws `UserError` where there are none. */
export async function podsOf(transport: Transport, namespace: string, target: string): Promise<readonly Pod[]> {
  const pods = await findResource(transport, 'pods')
  const [found] = target.includes('/') ? await findTargets(transport, [target]) : [{ kind: pods, names: [target] }]
  const name = found!.names[0]!
  const object = await request<KubeObject>(transport, { method: 'GET', path: pathOf(found!.kind, namespace, name) })
  if (found!.kind.plural === 'pods') return [object as Pod]
  const selector = podSelectorOf(object)
  if (!selector) throw new UserError(`${target} selects no pods`)
  const all = await getList<Pod>(transport, pathOf(pods, namespace), { labelSelector: selector })
  if (all.length === 0) throw new UserError(`${target} has no pods`, `What holds it up: tutti why ${target}`)
  return all
}
