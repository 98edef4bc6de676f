/** Deletes bootstrap tokens whose time is over, as kubeadm's clusters do. */
import { Secret } from '../../api/kinds/core/secret.ts'
import { parseTime } from '../../api/machinery/time.ts'
import { defineController } from '../../control/controller.ts'
import { after, type Plan } from '../../control/plan.ts'

const TYPE = 'bootstrap.kubernetes.io/token'
const NAMESPACE = 'kube-system'

/** When a token ends, ms since the epoch; undefined for what is no token or has no end that can be read. */
export function endOf({ type, data, metadata }: Secret): number | undefined {
  if (type !== TYPE || metadata?.namespace !== NAMESPACE) return undefined
  return parseTime(Buffer.from(data?.expiration ?? '', 'base64').toString('utf8'))
}

export const tokenCleaner = defineController<Secret>({
  name: 'token-cleaner-controller',
  queue: 'token_cleaner',
  for: Secret,
  reconcile(secret, _view, now): Plan {
    const end = endOf(secret)
    if (end === undefined || secret.metadata?.deletionTimestamp) return {}
    if (end > now) return { requeue: after(end - now) }
    return { writes: [{ type: 'delete', resource: Secret, object: secret }] }
  },
})
