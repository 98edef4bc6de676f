/** Selectors of webhooks and policies over the labels of a request's object and of its namespace. */
import type { Selector } from '../../../api/machinery/label-selector.ts'
import type { KubeObject } from '../../../api/machinery/object.ts'
import type { KindReader } from '../../registry/registry.ts'
import type { AdmissionAttributes } from '../plugin.ts'
import { refuseMissing } from '../refusal.ts'

const labelsOf = (object: KubeObject | undefined) => object?.metadata?.labels

/** Either the object as it will be or as it is. */
export const matchesObject = (selector: Selector, { object, old }: AdmissionAttributes) =>
  selector.empty ||
  (object !== undefined && selector.matches(labelsOf(object))) ||
  (old !== undefined && selector.matches(labelsOf(old)))

/**
 * Whether the namespace of a request is selected: of a request about a namespace, that one. What has no namespace is
 * always selected. Throws NotFound for a namespace that is not there.
 */
export function matchesNamespace(selector: Selector, request: AdmissionAttributes, namespaces: KindReader): boolean {
  if (selector.empty) return true
  const { kind, subresource, operation, object, name } = request
  const itself = kind.key === 'v1/namespaces'
  if (!itself && !request.namespace) return true
  if (itself && !subresource && (operation === 'CREATE' || operation === 'UPDATE'))
    return selector.matches(labelsOf(object))
  const wanted = itself ? name : request.namespace
  const found = namespaces.get('', wanted)
  if (!found) throw refuseMissing('namespaces', wanted)
  return selector.matches(labelsOf(found.value))
}
