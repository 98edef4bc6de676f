import type { IPAddress as Type } from '../../generated/types/networking-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { nameColumn, text } from '../columns.ts'
import { ipAddressRules } from './ip-address.validate.ts'

/** networking/v1 IPAddress. */
export type IPAddress = Type

/** `resource.group/namespace/name` of the object that has the address. */
function parent({ spec }: IPAddress): string {
  if (!spec?.parentRef) return '<none>'
  const { group, resource, namespace, name } = spec.parentRef
  return [group ? `${resource}.${group}` : resource, ...(namespace ? [namespace] : []), name].join('/')
}

export const IPAddress = defineKind<IPAddress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IPAddress',
  plural: 'ipaddresses',
  singular: 'ipaddress',
  shortNames: ['ip'],
  namespaced: false,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.networking.v1.IPAddress',
  nameFormat: 'path',
  rules: ipAddressRules,
  columns: [nameColumn, text('ParentRef', parent)],
})
