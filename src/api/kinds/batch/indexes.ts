/** Indexes of an indexed job as its status and policies write them: `1,3-5`. */

/** First and last index; equal for one index. */
type Interval = readonly [first: number, last: number]

const INTEGER = /^[+-]?[0-9]+$/

/** One index, or what is wrong with it. */
function readIndex(text: string, completions: number): number | string {
  if (!INTEGER.test(text)) return `cannot convert string to integer for index: ${JSON.stringify(text)}`
  const index = Number(text)
  return index >= completions ? `too large index: ${JSON.stringify(text)}` : index
}

/** One interval, or what is wrong with it. */
function readInterval(text: string, completions: number): Interval | string {
  const limits = text.split('-')
  if (limits.length > 2) {
    const what = "violates the requirement that an index interval can have at most two parts separated by '-'"
    return `the fragment ${JSON.stringify(text)} ${what}`
  }
  const first = readIndex(limits[0]!, completions)
  if (typeof first === 'string') return first
  if (limits.length === 1) return [first, first]
  const last = readIndex(limits[1]!, completions)
  if (typeof last === 'string') return last
  return first >= last ? `non-increasing order, previous: ${first}, current: ${last}` : [first, last]
}

/** How many indexes a text names, or what is wrong with it. */
export function countIndexes(text: string, completions: number): number | string {
  if (text === '') return 0
  let total = 0
  let last: number | undefined
  for (const part of text.split(',')) {
    const interval = readInterval(part, completions)
    if (typeof interval === 'string') return interval
    const [first, end] = interval
    if (last !== undefined && last >= first) return `non-increasing order, previous: ${last}, current: ${first}`
    total += end - first + 1
    last = end
  }
  return total
}

/** The first index that both texts name; parts that cannot be read name none. */
export function overlap(a: string, b: string, completions: number): number | undefined {
  const read = (text: string) =>
    text
      .split(',')
      .map(part => readInterval(part, completions))
      .filter((each): each is Interval => typeof each !== 'string')
  const [left, right] = [read(a), read(b)]
  let [i, j] = [0, 0]
  while (i < left.length && j < right.length) {
    const [one, other] = [left[i]!, right[j]!]
    if (one[0] <= other[1] && other[0] <= one[1]) return Math.max(one[0], other[0])
    if (one[0] <= other[0]) i++
    else j++
  }
  return undefined
}
