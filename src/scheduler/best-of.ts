/**
 * A tournament over numbers: the place of the largest is known at once, and a change costs the logarithm of how many
 * there are. Of equal ones the one with the lower place wins.
 */
export interface BestOf {
  /** Changes the number at a place; -Infinity takes it out. */
  set(place: number, value: number): void
  get(place: number): number
  /** Makes many changes, for less than one by one. */
  change(changes: (set: (place: number, value: number) => void) => void): void
  /** Place of the largest; undefined where all are out. */
  best(): number | undefined
}

/** Makes one in which everything is out. */
export function createBestOf(): BestOf {
  let leaves = 64
  let values = new Float64Array(leaves).fill(Number.NEGATIVE_INFINITY)
  /** winners[1] is the final; the winner of place p's first match is at (leaves + p) >> 1. */
  let winners = new Int32Array(leaves)

  function play(match: number) {
    const isFirst = match >= leaves >> 1
    const left = isFirst ? 2 * match - leaves : winners[2 * match]!
    const right = isFirst ? left + 1 : winners[2 * match + 1]!
    winners[match] = values[right]! > values[left]! ? right : left
  }
  function grow(places: number) {
    const old = values
    while (leaves < places) leaves *= 2
    values = new Float64Array(leaves).fill(Number.NEGATIVE_INFINITY)
    values.set(old)
    winners = new Int32Array(leaves)
    playAll()
  }
  function playAll() {
    for (let match = leaves - 1; match > 0; match--) play(match)
  }
  playAll()

  return {
    change(changes) {
      changes((place, value) => {
        if (place >= leaves) grow(place + 1)
        values[place] = value
      })
      playAll()
    },
    set(place, value) {
      if (place >= leaves) grow(place + 1)
      if (values[place] === value) return
      values[place] = value
      for (let match = (leaves + place) >> 1; match > 0; match >>= 1) play(match)
    },
    get: place => values[place] ?? Number.NEGATIVE_INFINITY,
    best() {
      const place = winners[1]!
      return values[place] === Number.NEGATIVE_INFINITY ? undefined : place
    },
  }
}
