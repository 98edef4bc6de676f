/**
 * The forms of an answer that show a part of an object: Table (what `kubectl get` prints) and PartialObjectMetadata
 * (https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables).
 */
import type { Cell, Column, Kind } from './kind.ts'
import type { KubeObject, ListMeta, ObjectMeta } from './object.ts'

/** meta/v1 TableColumnDefinition. */
export interface TableColumnDefinition {
  readonly name: string
  readonly type: string
  readonly format: string
  readonly description: string
  readonly priority: number
}

/** meta/v1 TableRow. `object` is what `includeObject` asked for. */
export interface TableRow {
  readonly cells: Cell[]
  readonly object?: unknown
}

/** meta/v1 Table. */
export interface Table {
  readonly kind: 'Table'
  readonly apiVersion: string
  readonly metadata: ListMeta
  readonly columnDefinitions: readonly TableColumnDefinition[] | null
  readonly rows: readonly TableRow[]
}

/** meta/v1 PartialObjectMetadata. */
export interface PartialObjectMetadata {
  readonly kind: 'PartialObjectMetadata'
  readonly apiVersion: string
  readonly metadata: ObjectMeta
}

export interface TableOptions {
  /** What stands in each row's `object`. Default `Metadata`. */
  readonly includeObject?: 'Metadata' | 'Object' | 'None' | undefined
  /** Wall clock for ages, ms since the epoch. */
  readonly now: number
  /** Of the list, or of the one object. */
  readonly metadata?: ListMeta | undefined
  /** Later rows of a watch carry no column definitions. */
  readonly noHeaders?: boolean | undefined
  /** `v1` (default) or `v1beta1`. */
  readonly version?: string | undefined
}

const definitionsOf = new WeakMap<object, readonly TableColumnDefinition[]>()

/** The column definitions of a kind. One shared list per kind. */
export function columnDefinitions(kind: Pick<Kind, 'columns'>): readonly TableColumnDefinition[] {
  const known = definitionsOf.get(kind.columns)
  if (known) return known
  const made = kind.columns.map(({ name, type, format = '', description = '', priority = 0 }) => ({
    name,
    type,
    format,
    description,
    priority,
  }))
  definitionsOf.set(kind.columns, made)
  return made
}

const group = (version = 'v1') => `meta.k8s.io/${version}`

/** The cells of one object; absent values become null or, for dates and strings, what the column makes of them. */
export function cellsOf(columns: readonly Column[], object: KubeObject, now: number): Cell[] {
  return columns.map(column => column.cell(object, now) ?? null)
}

/** One row. */
export function tableRow(kind: Kind, object: KubeObject, options: TableOptions): TableRow {
  const cells = cellsOf(kind.columns, object, options.now)
  switch (options.includeObject) {
    case 'None':
      return { cells, object: null }
    case 'Object':
      return { cells, object }
    default:
      return { cells, object: toPartialObjectMetadata(object, options.version) }
  }
}

/**
 * A Table of objects. For one object, pass it alone with its resourceVersion as `metadata`; for a watch event likewise,
 * with `noHeaders` from the second event on.
 */
export function toTable(kind: Kind, objects: readonly KubeObject[], options: TableOptions): Table {
  return {
    kind: 'Table',
    apiVersion: group(options.version),
    metadata: options.metadata ?? {},
    columnDefinitions: options.noHeaders ? null : columnDefinitions(kind),
    rows: objects.map(object => tableRow(kind, object, options)),
  }
}

/** The metadata of an object, alone. */
export function toPartialObjectMetadata(object: KubeObject, version?: string): PartialObjectMetadata {
  return { kind: 'PartialObjectMetadata', apiVersion: group(version), metadata: object.metadata ?? {} }
}

/** The metadata of many objects, as a list. */
export function toPartialObjectMetadataList(
  objects: readonly KubeObject[],
  metadata: ListMeta,
  version?: string,
): { kind: 'PartialObjectMetadataList'; apiVersion: string; metadata: ListMeta; items: PartialObjectMetadata[] } {
  return {
    kind: 'PartialObjectMetadataList',
    apiVersion: group(version),
    metadata,
    items: objects.map(object => toPartialObjectMetadata(object, version)),
  }
}
