import type { NetworkPolicy as Type } from '../../generated/types/networking-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn } from '../columns.ts'

/** networking/v1 NetworkPolicy. */
export type NetworkPolicy = Type

export const NetworkPolicy = defineKind<NetworkPolicy>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
  singular: 'networkpolicy',
  shortNames: ['netpol'],
  namespaced: true,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.networking.v1.NetworkPolicy',
  generation: true,
  columns: [nameColumn, ageColumn],
})
