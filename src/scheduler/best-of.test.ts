import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createBestOf } from './best-of.ts'

it('createBestOf agrees with a search, through changes and growth', () => {
  let state = 3
  const next = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return (state >>> 8) % below
  }
  const best = createBestOf()
  const model: number[] = []
  assert.equal(best.best(), undefined)
  for (let turn = 0; turn < 5000; turn++) {
    const place = next(10 + turn / 10)
    const value = next(5) === 0 ? Number.NEGATIVE_INFINITY : next(20)
    best.set(place, value)
    model[place] = value
    let expected: number | undefined
    model.forEach((each, at) => {
      if (each > Number.NEGATIVE_INFINITY && (expected === undefined || each > model[expected]!)) expected = at
    })
    assert.equal(best.best(), expected)
  }
})
