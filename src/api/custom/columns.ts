/** The columns of tables that a CustomResourceDefinition asks for. */
import type { CustomResourceColumnDefinition } from '../generated/types/apiextensions-v1.ts'
import { nameColumn } from '../kinds/columns.ts'
import { goNumber } from '../machinery/go-text.ts'
import type { Cell, Column } from '../machinery/kind.ts'
import { humanDuration, parseTime } from '../machinery/time.ts'
import { parseJsonPath } from './json-path.ts'

/** Without a definition's own columns. */
const AGE: CustomResourceColumnDefinition = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }

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
