/**
 * The ingress controller reads the secrets that Ingresses name for TLS, one by one, and no others: what the node
 * authorizer is for nodes. By roles it would have to be all secrets or none.
 */
import type { Ingress } from '../../api/generated/types/networking-v1.ts'
import type { KindReader } from '../registry/registry.ts'
import type { Attributes, Decision, LocalAuthorizer } from './authorizer.ts'

const CONTROLLER = 'system:serviceaccount:kube-system:ingress-controller'
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

/** Makes the authorizer over the Ingresses that there are. It has an opinion on that one user only. */
export const ingressSecrets =
  (ingresses: KindReader): LocalAuthorizer =>
  request => {
    if (request.user.name !== CONTROLLER || !isReadOfSecret(request)) return NO_OPINION
    const { namespace, name } = request
    const isNamed = ingresses
      .list(namespace)
      .some(({ value }) => (value as Ingress).spec?.tls?.some(({ secretName }) => secretName === name))
    return isNamed ? { allowed: true } : { allowed: false, reason: `no Ingress in ${namespace} names this secret` }
  }
