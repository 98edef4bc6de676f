import type { Kind } from '../../api/machinery/kind.ts'
import { StatusError } from '../../api/machinery/status-error.ts'
import type { KindReader, Registry } from '../registry/registry.ts'
import type { AdmissionPlugin } from './plugin.ts'

export interface NamespaceProvisionDeps {
  readonly kind: Kind
  readonly namespaces: KindReader
  create: Registry['create']
}

const WRITER = { user: { name: 'system:apiserver', groups: ['system:masters'] }, fieldManager: 'kube-apiserver' }

/** NamespaceAutoProvision (off unless asked for): who creates something in a namespace that is missing makes it. */
export function namespaceAutoProvision({ kind, namespaces, create }: NamespaceProvisionDeps): AdmissionPlugin {
  return {
    name: 'NamespaceAutoProvision',
    handles: ({ operation, namespace, dryRun }) => operation === 'CREATE' && namespace !== '' && !dryRun,
    async mutate({ namespace: name }) {
      if (namespaces.get('', name)) return
      try {
        await create(kind, '', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, WRITER)
      } catch (error) {
        // Someone else made it meanwhile.
        if (!(error instanceof StatusError && error.reason === 'AlreadyExists')) throw error
      }
    },
  }
}
