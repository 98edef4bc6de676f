/** Text tables as kubectl prints them: upper-case headings, columns three spaces apart. */

/** Lays rows out under headings. Cells are shown as they are; undefined is `<none>`. */
export function textTable(headings: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const cells = [
    headings.map(heading => heading.toUpperCase()),
    ...rows.map(row => row.map(cell => (cell === undefined || cell === null || cell === '' ? '<none>' : String(cell)))),
  ]
  const widths = headings.map((_, column) => Math.max(...cells.map(row => row[column]?.length ?? 0)))
  return cells
    .map(row =>
      row
        .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column]! + 3)))
        .join('')
        .trimEnd(),
    )
    .join('\n')
}

/** The parts of a meta/v1 Table that are printed. */
export interface ApiTable {
  readonly columnDefinitions: readonly { readonly name: string; readonly priority?: number }[]
  readonly rows?: readonly {
    readonly cells: readonly unknown[]
    readonly object?: { readonly metadata?: { readonly namespace?: string; readonly name?: string } }
  }[]
}

/** Prints a Table of the API; `wide` shows the columns of priority 1, `namespaces` puts the namespace first. */
export function apiTable(table: ApiTable, { wide = false, namespaces = false } = {}): string {
  const shown = table.columnDefinitions
    .map((column, index) => ({ name: column.name, index, priority: column.priority ?? 0 }))
    .filter(column => wide || column.priority === 0)
  const headings = [...(namespaces ? ['Namespace'] : []), ...shown.map(column => column.name)]
  const rows = (table.rows ?? []).map(row => [
    ...(namespaces ? [row.object?.metadata?.namespace] : []),
    ...shown.map(column => row.cells[column.index]),
  ])
  return textTable(headings, rows)
}
