/** What a size or a cost may be: numbers from 0 to {@link UNBOUNDED}. */
export interface Range {
  readonly min: number
  readonly max: number
}

/** No limit is known. */
export const UNBOUNDED = 2 ** 64
export const UNKNOWN: Range = { min: 0, max: UNBOUNDED }
export const ZERO: Range = { min: 0, max: 0 }

const bound = (value: number): number => (value >= UNBOUNDED ? UNBOUNDED : value)

export const exactly = (value: number): Range => ({ min: bound(value), max: bound(value) })

export const plus = (a: Range, b: Range): Range => ({ min: bound(a.min + b.min), max: bound(a.max + b.max) })

export const times = (a: Range, b: Range): Range => ({ min: bound(a.min * b.min), max: bound(a.max * b.max) })

/** Every unit costs `factor`; rounded up. */
export const scaled = (a: Range, factor: number): Range => ({
  min: bound(Math.ceil(a.min * factor)),
  max: bound(Math.ceil(a.max * factor)),
})

/** One or the other. */
export const either = (a: Range, b: Range): Range => ({ min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) })
