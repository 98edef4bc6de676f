/** Puts the cluster's certificate authority into every namespace, for pods to check the API server with. */
import { ConfigMap } from '../../api/kinds/core/config-map.ts'
import { Namespace } from '../../api/kinds/core/namespace.ts'
import { type Controller, defineController, watch } from '../../control/controller.ts'
import type { Plan } from '../../control/plan.ts'
import { equalJson } from '../../lib/json.ts'

const NAME = 'kube-root-ca.crt'
const DESCRIPTION =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.'

/** Makes the controller; `authority` is PEM. */
export const rootCaController = (authority: string): Controller =>
  defineController<Namespace>({
    name: 'root-ca-certificate-publisher-controller',
    queue: 'root_ca_cert_publisher',
    for: Namespace,
    watches: [
      watch(ConfigMap, ({ previous, current }) => {
        const meta = (current ?? previous)?.metadata
        return previous && meta?.name === NAME ? [meta.namespace ?? ''] : []
      }),
    ],
    reconcile(namespace, view): Plan {
      const name = namespace.metadata?.name ?? ''
      if (namespace.metadata?.deletionTimestamp || namespace.status?.phase === 'Terminating') return {}
      const current = view.of(ConfigMap).get(`${name}/${NAME}`)
      const data = { 'ca.crt': authority }
      if (!current) {
        const metadata = { namespace: name, name: NAME, annotations: { 'kubernetes.io/description': DESCRIPTION } }
        const object: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data }
        return { writes: [{ type: 'create', resource: ConfigMap, object }] }
      }
      if (equalJson(current.data, data)) return {}
      return { writes: [{ type: 'update', resource: ConfigMap, current, next: { ...current, data } as ConfigMap }] }
    },
  })
