/** Columns of what uses resources, as metrics-server has them: amounts as quantities, and the time that they are of. */
import type { Column } from '../../machinery/kind.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { nameColumn } from '../columns.ts'

/** `used` gives the amount of a resource; '' where it is not known. */
export const usageColumns = <T extends KubeObject & { readonly window: string }>(
  used: (object: T, resource: string) => string,
): readonly Column<T>[] => [
  nameColumn,
  ...['cpu', 'memory'].map(
    (name): Column<T> => ({ name, type: 'string', format: 'quantity', cell: object => used(object, name) }),
  ),
  { name: 'Window', type: 'string', format: 'duration', cell: ({ window }) => window },
]
