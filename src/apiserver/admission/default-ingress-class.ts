import type { Ingress } from '../../api/generated/types/networking-v1.ts'
import type { KindReader } from '../registry/registry.ts'
import { newestDefault } from './newest-default.ts'
import type { AdmissionPlugin } from './plugin.ts'

/** DefaultIngressClass: an ingress that names no class gets the default one. */
export function defaultIngressClass(classes: KindReader): AdmissionPlugin {
  return {
    name: 'DefaultIngressClass',
    handles: ({ kind, subresource, operation }) =>
      kind.key === 'networking.k8s.io/v1/ingresses' && subresource === '' && operation === 'CREATE',
    mutate({ object }) {
      const ingress = object as Ingress
      const named = ingress.spec?.ingressClassName ?? ingress.metadata?.annotations?.['kubernetes.io/ingress.class']
      if (named !== undefined) return
      const found = newestDefault(classes, 'ingressclass.kubernetes.io/is-default-class')
      if (found) ingress.spec = { ...ingress.spec, ingressClassName: found.metadata?.name ?? '' }
    },
  }
}
