import type { Scale as Type } from '../../generated/types/autoscaling-v1.ts'
import { type Column, defineKind } from '../../machinery/kind.ts'
import { columnDefinitions } from '../../machinery/table.ts'
import { ReplicaSet } from '../apps/replica-set.ts'
import { ageColumn, count, nameColumn } from '../columns.ts'

/** autoscaling/v1 Scale: how the scale subresource of other kinds shows their objects. */
export type Scale = Type

/** What is said of a column that every kind has; read when the first table is made. */
const described = ({ name, type, cell }: Column): Column => ({
  name,
  type,
  cell,
  get description() {
    return columnDefinitions(ReplicaSet).find(column => column.name === name)!.description
  },
})

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
    described(nameColumn),
    {
      ...count('Desired', ({ spec }: Scale) => spec?.replicas),
      description: 'replicas is the desired number of instances for the scaled object.',
    },
    {
      ...count('Available', ({ status }: Scale) => status?.replicas),
      description: 'replicas is the actual number of observed instances of the scaled object.',
    },
    described(ageColumn),
  ],
})
