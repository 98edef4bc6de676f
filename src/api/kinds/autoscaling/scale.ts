import type { Scale as Type } from '../../generated/types/autoscaling-v1.ts'
import { defineKind } from '../../machinery/kind.ts'
import { ageColumn, count, nameColumn } from '../columns.ts'

/** autoscaling/v1 Scale: how the scale subresource of other kinds shows their objects. */
export type Scale = Type

/** Not listed among the kinds: it has no endpoint of its own. */
export const Scale = defineKind<Scale>({
  group: 'autoscaling',
  version: 'v1',
  kind: 'Scale',
  plural: 'scales',
  singular: 'scale',
  namespaced: true,
  verbs: ['get', 'patch', 'update'],
  virtual: true,
  schema: 'io.k8s.api.autoscaling.v1.Scale',
  columns: [
    // Upstream's table of scales does not mark it as the name.
    { ...nameColumn, format: '' },
    count('Desired', ({ spec }: Scale) => spec?.replicas),
    count('Available', ({ status }: Scale) => status?.replicas),
    ageColumn,
  ],
})
