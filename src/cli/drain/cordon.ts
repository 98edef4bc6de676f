/** Marking nodes so that they take no new pods. */
import type { Node } from '../../api/generated/types/core-v1.ts'
import type { Transport } from '../../client/transport.ts'
import { request } from '../api.ts'

/** Resolves with what was done, as kubectl says it. */
export async function setUnschedulable(transport: Transport, name: string, unschedulable: boolean): Promise<string> {
  const path = `/api/v1/nodes/${encodeURIComponent(name)}`
  const node = await request<Node>(transport, { method: 'GET', path })
  const done = unschedulable ? 'cordoned' : 'uncordoned'
  if ((node.spec?.unschedulable ?? false) === unschedulable) return `node/${name} already ${done}`
  await request(transport, {
    method: 'PATCH',
    path,
    contentType: 'application/merge-patch+json',
    body: { spec: { unschedulable: unschedulable ? true : null } },
  })
  return `node/${name} ${done}`
}
