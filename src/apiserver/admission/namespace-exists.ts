import type { KindReader } from '../registry/registry.ts'
import type { AdmissionPlugin } from './plugin.ts'
import { refuseMissing } from './refusal.ts'

/** NamespaceExists (off unless asked for: NamespaceLifecycle does more): nothing is written in a namespace that is not. */
export function namespaceExists(namespaces: KindReader): AdmissionPlugin {
  return {
    name: 'NamespaceExists',
    handles: ({ operation, namespace }) => operation !== 'CONNECT' && namespace !== '',
    validate({ namespace }) {
      if (!namespaces.get('', namespace)) throw refuseMissing('namespaces', namespace)
    },
  }
}
