/**
 * Signs the ConfigMap `cluster-info` of kube-public with every bootstrap token that may, so that machines that know a
 * token can tell the cluster's address and authority from a stranger's (Kubernetes documentation, "Authenticating with
 * Bootstrap Tokens"). There is nothing to do before somebody makes that map.
 */
import { ConfigMap } from '../../api/kinds/core/config-map.ts'
import { Secret } from '../../api/kinds/core/secret.ts'
import { parseTime } from '../../api/machinery/time.ts'
import { defineController, type View, watch } from '../../control/controller.ts'
import type { Plan } from '../../control/plan.ts'
import { detachedSignature } from './sign.ts'

const TYPE = 'bootstrap.kubernetes.io/token'
const TOKENS = 'kube-system'
const NAME = 'bootstrap-token-'
const MAP = 'kube-public/cluster-info'
const SIGNATURE = 'jws-kubeconfig-'

/** The id and secret of a token that may sign now. */
function signer({ type, data = {}, metadata }: Secret, now: number): readonly [id: string, secret: string] | undefined {
  if (type !== TYPE || metadata?.namespace !== TOKENS || metadata.deletionTimestamp) return undefined
  const value = (key: string) => Buffer.from(data[key] ?? '', 'base64').toString('utf8')
  const [id, secret, expiration] = [value('token-id'), value('token-secret'), value('expiration')]
  if (!id || !secret || metadata.name !== NAME + id || value('usage-bootstrap-signing') !== 'true') return undefined
  const end = expiration ? parseTime(expiration) : Number.POSITIVE_INFINITY
  return end === undefined || end <= now ? undefined : [id, secret]
}

/** Plans the signatures of the map; those of tokens that are gone go too. */
export function reconcile(map: ConfigMap, view: View, now: number): Plan {
  const text = map.data?.kubeconfig
  if (`${map.metadata?.namespace}/${map.metadata?.name}` !== MAP || text === undefined) return {}
  const rest = Object.entries(map.data ?? {}).filter(([key]) => !key.startsWith(SIGNATURE))
  const tokens = view.of<Secret>(Secret).list(TOKENS)
  const signed = tokens.flatMap(each => {
    const token = signer(each, now)
    return token ? [[SIGNATURE + token[0], detachedSignature(text, ...token)] as const] : []
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
      [previous, current].some(each => each?.type === TYPE && each.metadata?.namespace === TOKENS) ? [MAP] : [],
    ),
  ],
  reconcile,
})
