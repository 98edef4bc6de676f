import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silent } from '../../lib/log.ts'
import { virtualClock } from '../../lib/virtual-clock.ts'
import { DEFAULT_SETTINGS } from '../settings.ts'
import { createImageGarbage, type ImageGarbageSettings } from './image-garbage.ts'

function scene(available: number, more: Partial<ImageGarbageSettings> = {}) {
  const clock = virtualClock()
  const dropped: string[] = []
  let ids = ['a', 'b']
  const images = {
    unused: async () =>
      ids
        .filter(id => !dropped.includes(id))
        .map(id => ({ id, names: [id], digests: [], size: 5, drop: async () => dropped.push(id) > 0 })),
  }
  const disk = () => ({ capacityBytes: 100, availableBytes: available })
  const garbage = createImageGarbage({
    settings: { ...DEFAULT_SETTINGS.imageGarbage, ...more },
    images,
    disk,
    clock,
    logger: silent,
  })
  return { clock, dropped, garbage, arrive: (id: string) => (ids = [id, ...ids]) }
}

test('collect leaves images alone while there is room', async () => {
  const { clock, dropped, garbage } = scene(16)
  await garbage.collect()
  await clock.advance(600_000)
  assert.equal(await garbage.collect(), 0)
  assert.deepEqual(dropped, [])
})

test('collect removes the longest unused until there is room again, and none that just came', async () => {
  const { clock, dropped, garbage, arrive } = scene(14)
  assert.equal(await garbage.collect(), 0)
  await clock.advance(100_000)
  arrive('c')
  assert.equal(await garbage.collect(), 0)
  await clock.advance(100_000)
  // Six bytes are wanted: two images of five.
  assert.equal(await garbage.collect(), 10)
  assert.deepEqual(dropped, ['a', 'b'])
  await clock.advance(100_000)
  assert.equal(await garbage.collect(), 5)
  assert.deepEqual(dropped, ['a', 'b', 'c'])
})

test('collect removes what was not used for longer than it may, however much room there is', async () => {
  const { clock, dropped, garbage, arrive } = scene(90, { maxAgeMs: 300_000 })
  await garbage.collect()
  await clock.advance(200_000)
  arrive('c')
  await garbage.collect()
  assert.deepEqual(dropped, [])
  await clock.advance(150_000)
  assert.equal(await garbage.collect(), 10)
  assert.deepEqual(dropped, ['a', 'b'])
})

test('collect makes no room where the threshold is 100 percent', async () => {
  const { clock, dropped, garbage } = scene(0, { highPercent: 100 })
  await garbage.collect()
  await clock.advance(600_000)
  assert.equal(await garbage.collect(), 0)
  assert.deepEqual(dropped, [])
})
