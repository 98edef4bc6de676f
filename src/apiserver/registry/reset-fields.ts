/**
 * Which fields an endpoint takes from nobody: whoever says them there does not come to own them (KEP-2332). As
 * upstream's strategies have it.
 */
import { EMPTY, type FieldSet, setOfFields } from '../../api/machinery/apply/field-set.ts'
import type { Kind } from '../../api/machinery/kind.ts'
import { keepsMetadataOnStatus } from './traits.ts'

const STATUS = setOfFields(['status'])
const SPEC = setOfFields(['spec'])
const ALL_BUT_STATUS = setOfFields(['spec'], ['metadata'])

/** Kinds with rules of their own, by key and subresource. */
const OWN: Readonly<Record<string, Readonly<Record<string, FieldSet>>>> = {
  'apps/v1/deployments': { status: setOfFields(['spec'], ['metadata', 'labels']) },
  'certificates.k8s.io/v1/certificatesigningrequests': {
    '': setOfFields(['spec'], ['status']),
    status: setOfFields(['spec'], ['status', 'conditions']),
    approval: setOfFields(['spec'], ['status', 'certificate']),
  },
  'v1/nodes': { '': STATUS },
  'v1/pods': { status: setOfFields(['spec'], ['metadata', 'deletionTimestamp'], ['metadata', 'ownerReferences']) },
}

/** The fields that the endpoint leaves as they are, whatever it is told. `subresource` is '' for the object itself. */
export function resetFields(kind: Kind, subresource: string): FieldSet {
  const own = OWN[kind.key]?.[subresource]
  if (own) return own
  if (subresource === 'status') return kind.custom || keepsMetadataOnStatus(kind) ? ALL_BUT_STATUS : SPEC
  return kind.status ? STATUS : EMPTY
}

/** Those of `resetFields` that are not put back before owners are noted: nothing for most kinds. */
export const resetLater = (kind: Kind, subresource: string): FieldSet | undefined => OWN[kind.key]?.[subresource]
