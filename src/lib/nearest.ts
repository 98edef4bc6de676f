/** How many letters must be put in, taken out or exchanged to make one word of another (Levenshtein), in O(a × b). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}

/** The known word that was probably meant; undefined where none is near. Letters' case does not count. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const wanted = word.toLowerCase().slice(0, 100)
  const limit = Math.max(1, Math.floor(wanted.length / 4))
  let best: { name: string; far: number } | undefined
  for (const name of known) {
    const far = distance(wanted, name.toLowerCase())
    if (far <= limit && (!best || far < best.far)) best = { name, far }
  }
  return best?.name
}
