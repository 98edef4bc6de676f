/** Sees to it that every namespace has a ServiceAccount `default`. */
import { Namespace } from '../../api/kinds/core/namespace.ts'
import { ServiceAccount } from '../../api/kinds/core/service-account.ts'
import { defineController, watch } from '../../control/controller.ts'
import type { Plan } from '../../control/plan.ts'

const NAME = 'default'

export const serviceAccountController = defineController<Namespace>({
  name: 'serviceaccount-controller',
  queue: 'serviceaccount',
  for: Namespace,
  watches: [
    watch(ServiceAccount, ({ previous, current }) =>
      previous && !current && previous.metadata?.name === NAME ? [previous.metadata.namespace ?? ''] : [],
    ),
  ],
  reconcile(namespace, view): Plan {
    const name = namespace.metadata?.name ?? ''
    if (namespace.metadata?.deletionTimestamp || namespace.status?.phase === 'Terminating') return {}
    if (view.of(ServiceAccount).get(`${name}/${NAME}`)) return {}
    const object = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace: name, name: NAME } }
    return { writes: [{ type: 'create', resource: ServiceAccount, object }] }
  },
})
