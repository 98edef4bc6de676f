import type { KubeObject } from '../../api/machinery/object.ts'
import type { KindReader } from '../registry/registry.ts'
import type { AdmissionPlugin } from './plugin.ts'
import { refuse, refuseMissing } from './refusal.ts'

/** Namespaces that cannot be deleted. */
const IMMORTAL = new Set(['default', 'kube-system', 'kube-public'])

/** NamespaceLifecycle: nothing is created in a namespace that is missing or being deleted. */
export function namespaceLifecycle(namespaces: KindReader): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    handles: ({ operation }) => operation !== 'CONNECT',
    // Before the plugins that look into the namespace.
    mutate(request) {
      const { kind, operation, namespace, name } = request
      if (kind.key === 'v1/namespaces') {
        if (operation === 'DELETE' && IMMORTAL.has(name)) throw refuse(request, 'this namespace may not be deleted')
        return
      }
      // Whoever may ask whether they may, learns nothing of which namespaces there are.
      if (!namespace || operation === 'DELETE' || kind.plural === 'localsubjectaccessreviews') return
      const found = namespaces.get('', namespace)
      if (!found) throw refuseMissing('namespaces', namespace)
      const { status } = found.value as KubeObject & { status?: { phase?: string } }
      if (operation !== 'CREATE' || status?.phase !== 'Terminating') return
      const message = `unable to create new content in namespace ${namespace} because it is being terminated`
      throw refuse(request, message, {
        reason: 'NamespaceTerminating',
        message: `namespace ${namespace} is being terminated`,
        field: 'metadata.namespace',
      })
    },
  }
}
