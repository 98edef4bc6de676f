/** Completion indexes as text: `1,3-5,7` (API doc: batch/v1 JobStatus.completedIndexes). */

/** The indexes that a text names, below `limit`; parts that make no sense are left out. */
export function parseIndexes(text: string | undefined, limit: number): Set<number> {
  const result = new Set<number>()
  for (const part of (text ?? '').split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part)
    if (!match) continue
    const last = Math.min(Number(match[2] ?? match[1]), limit - 1)
    for (let index = Number(match[1]); index <= last; index++) result.add(index)
  }
  return result
}

/** The text for a set of indexes; runs of three and more are drawn together, and pairs as well (`1,2` is `1,2`). */
export function formatIndexes(indexes: Iterable<number>): string {
  const sorted = [...indexes].sort((a, b) => a - b)
  const parts: string[] = []
  for (let start = 0; start < sorted.length; ) {
    let end = start
    while (sorted[end + 1] === sorted[end]! + 1) end++
    if (end === start) parts.push(String(sorted[start]))
    else if (end === start + 1) parts.push(String(sorted[start]), String(sorted[end]))
    else parts.push(`${sorted[start]}-${sorted[end]}`)
    start = end + 1
  }
  return parts.join(',')
}
