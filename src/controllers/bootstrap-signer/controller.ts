/**
 * Signs the ConfigMap `cluster-info` of kube-public with every bootstrap token that may, so that machines that know a
 * token can tell the cluster's address and authority from a stranger's (Kubernetes documentation, "Authenticating with
 * Bootstrap Tokens"). There is nothing to do before somebody makes that map.
 */
import { BOOTSTRAP_NAMESPACE, isBootstrapSecret, usableToken } from '../../api/kinds/core/bootstrap-token.ts'
import { ConfigMap } from '../../api/kinds/core/config-map.ts'
import { Secret } from '../../api/kinds/core/secret.ts'
import { defineController, type View, watch } from '../../control/controller.ts'
import type { Plan } from '../../control/plan.ts'
import { detachedSignature } from './sign.ts'

const MAP = 'kube-public/cluster-info'
const SIGNATURE = 'jws-kubeconfig-'

/** Plans the signatures of the map; those of tokens that are gone go too. */
export function reconcile(map: ConfigMap, view: View, now: number): Plan {
  const text = map.data?.kubeconfig
  if (`${map.metadata?.namespace}/${map.metadata?.name}` !== MAP || text === undefined) return {}
  const rest = Object.entries(map.data ?? {}).filter(([key]) => !key.startsWith(SIGNATURE))
  const secrets = view.of<Secret>(Secret).list(BOOTSTRAP_NAMESPACE)
  const signed = secrets.flatMap(each => {
    const token = usableToken(each, now)
    return token?.signs ? [[SIGNATURE + token.id, detachedSignature(text, token.id, token.secret)] as const] : []
  })
  const next = { ...map, data: Object.fromEntries([...rest, ...signed]) }
  return { writes: [{ type: 'update', resource: ConfigMap, current: map, next }] }
}

export const bootstrapSigner = defineController<ConfigMap>({
  name: 'bootstrap-signer-controller',
  queue: 'bootstrap_signer_queue',
  for: ConfigMap,
  watches: [
    watch<Secret>(Secret, ({ previous, current }) =>
      [previous, current].some(each => each && isBootstrapSecret(each)) ? [MAP] : [],
    ),
  ],
  reconcile,
})
