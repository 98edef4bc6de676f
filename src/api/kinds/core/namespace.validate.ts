/** Rules of Namespace (k8s.io/kubernetes `pkg/apis/core/validation`: ValidateNamespace and its updates). */
import type { Namespace } from '../../generated/types/core-v1.ts'
import { invalid } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import type { Errors } from '../rules.ts'
import { checkQualifiedName } from '../rules.ts'

const STANDARD_FINALIZERS = new Set(['kubernetes', 'orphan', 'foregroundDeletion'])

function checkFinalizer(name: string, path: string, errors: Errors): void {
  checkQualifiedName(name, path, errors)
  if (!name.includes('/') && !STANDARD_FINALIZERS.has(name)) {
    errors.push(invalid(path, name, 'name is neither a standard finalizer name nor is it fully qualified'))
  }
}

export const namespaceRules: readonly Rule<Namespace>[] = [
  (next, old, { subresource }) => {
    const errors: Errors = []
    if (subresource === 'status') {
      const phase = next.status?.phase
      const deleted = Boolean(next.metadata?.deletionTimestamp)
      const wanted = deleted ? 'Terminating' : 'Active'
      if (phase !== wanted) {
        const why = `may only be '${wanted}' if \`deletionTimestamp\` is ${deleted ? 'not ' : ''}empty`
        errors.push(invalid('status.Phase', phase ?? '', why))
      }
    } else if (!old || subresource === 'finalize') {
      for (const [index, name] of (next.spec?.finalizers ?? []).entries()) {
        checkFinalizer(name, old ? `spec.finalizers[${index}]` : 'spec.finalizers', errors)
      }
    }
    return errors
  },
]
