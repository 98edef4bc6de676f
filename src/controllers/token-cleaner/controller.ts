/** Deletes bootstrap tokens whose time is over, as kubeadm's clusters do. */
import { bootstrapToken } from '../../api/kinds/core/bootstrap-token.ts'
import { Secret } from '../../api/kinds/core/secret.ts'
import { defineController } from '../../control/controller.ts'
import { after, type Plan } from '../../control/plan.ts'

export const tokenCleaner = defineController<Secret>({
  name: 'token-cleaner-controller',
  queue: 'token_cleaner',
  for: Secret,
  reconcile(secret, _view, now): Plan {
    const end = bootstrapToken(secret)?.end ?? Number.POSITIVE_INFINITY
    if (end === Number.POSITIVE_INFINITY || secret.metadata?.deletionTimestamp) return {}
    if (end > now) return { requeue: after(end - now) }
    return { writes: [{ type: 'delete', resource: Secret, object: secret }] }
  },
})
