/** The columns of tables that a CustomResourceDefinition asks for. */
import type { CustomResourceColumnDefinition } from '../generated/types/apiextensions-v1.ts'
import { goNumber } from '../machinery/go-text.ts'
import type { Cell, Column } from '../machinery/kind.ts'
import { humanDuration, parseTime } from '../machinery/time.ts'
import { parseJsonPath } from './json-path.ts'

const NAME =
  'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names'
const CREATED =
  'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata'

const nameColumn: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: NAME,
  cell: object => object.metadata?.name,
}

const AGE: CustomResourceColumnDefinition = {
  name: 'Age',
  type: 'date',
  description: CREATED,
  jsonPath: '.metadata.creationTimestamp',
}

/** A value as Go's template printer shows it. */
function shown(value: unknown): string {
  if (typeof value === 'string') return value
  return typeof value === 'number' ? goNumber(value) : JSON.stringify(value)
}

function dateCell(value: unknown, now: number): Cell {
  if (typeof value !== 'string') return null
  const at = parseTime(value)
  return at === undefined ? '<invalid>' : humanDuration(now - at)
}

function cellOf(type: string, value: unknown, now: number): Cell {
  if (type === 'string') return value === null ? '<nil>' : shown(value)
  if (type === 'date') return dateCell(value, now)
  if (type === 'integer') return typeof value === 'number' ? Math.trunc(value) : null
  if (type === 'number') return typeof value === 'number' ? value : null
  return type === 'boolean' && typeof value === 'boolean' ? value : null
}

/** The columns, the name first. One whose path cannot be read ends them, as clients of Kubernetes know it. */
export function columnsOf(definitions: readonly CustomResourceColumnDefinition[] | undefined): readonly Column[] {
  const columns: Column[] = [nameColumn]
  for (const { name, type, format, description, priority, jsonPath } of definitions?.length ? definitions : [AGE]) {
    const path = parseJsonPath(jsonPath)
    if (!path) break
    columns.push({
      name,
      type: type as Column['type'],
      ...(format && { format }),
      description: description || `Custom resource definition column (in JSONPath format): ${jsonPath}`,
      ...(priority && { priority }),
      cell(object, now) {
        const [value] = path.find(object)
        return value === undefined ? null : cellOf(type, value, now)
      },
    })
  }
  return columns
}
