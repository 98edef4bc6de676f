/**
 * Who serves Ingresses reads the secrets that these name for TLS, one by one, and no others: what the node authorizer is
 * for nodes. By roles it would have to be all secrets or none. It is the ingress controller, and the traffic of nodes on
 * other machines, which serve Ingresses, too.
 */
import type { Ingress } from '../../api/generated/types/networking-v1.ts'
import { NODE_TRAFFIC } from '../../client/node-traffic.ts'
import type { KindReader } from '../registry/registry.ts'
import type { Attributes, Decision, LocalAuthorizer } from './authorizer.ts'

const CONTROLLER = 'system:serviceaccount:kube-system:ingress-controller'
const isServer = ({ name, groups }: Attributes['user']) => name === CONTROLLER || groups.includes(NODE_TRAFFIC)
const READING = ['get', 'list', 'watch']
const NO_OPINION: Decision = { allowed: false }

const isReadOfSecret = ({ isResource, group, resource, subresource, verb, namespace, name }: Attributes) =>
  isResource &&
  group === '' &&
  resource === 'secrets' &&
  !subresource &&
  READING.includes(verb) &&
  namespace !== '' &&
  name !== ''

/** Makes the authorizer over the Ingresses that there are. It has an opinion on those users only. */
export const ingressSecrets =
  (ingresses: KindReader): LocalAuthorizer =>
  request => {
    if (!isServer(request.user) || !isReadOfSecret(request)) return NO_OPINION
    const { namespace, name } = request
    const isNamed = ingresses
      .list(namespace)
      .some(({ value }) => (value as Ingress).spec?.tls?.some(({ secretName }) => secretName === name))
    return isNamed ? { allowed: true } : { allowed: false, reason: `no Ingress in ${namespace} names this secret` }
  }
