import { MASTERS } from '../authorization/authorizers.ts'
import type { WriteContext } from '../registry/registry.ts'

/** How the server itself writes the status of definitions. */
export const OWN_WRITE: WriteContext = {
  user: { name: 'system:apiserver', groups: [MASTERS, 'system:authenticated'] },
  fieldManager: 'kube-apiserver',
  subresource: 'status',
}
