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
    look: async () =>
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
  /** Ids of what is left. */
  const collect = async () => (await garbage.collect()).map(({ id }) => id)
  return { clock, dropped, collect, arrive: (id: string) => (ids = [id, ...ids]) }
}

test('collect leaves images alone while there is room', async () => {
  const { clock, dropped, collect } = scene(16)
  await collect()
  await clock.advance(600_000)
  assert.deepEqual(await collect(), ['a', 'b'])
  assert.deepEqual(dropped, [])
})

test('collect removes the longest unused until there is room again, and none that just came', async () => {
  const { clock, dropped, collect, arrive } = scene(14)
  assert.deepEqual(await collect(), ['a', 'b'])
  await clock.advance(100_000)
  arrive('c')
  assert.deepEqual(await collect(), ['c', 'a', 'b'])
  await clock.advance(100_000)
  // Six bytes are wanted: two images of five.
  assert.deepEqual(await collect(), ['c'])
  assert.deepEqual(dropped, ['a', 'b'])
  await clock.advance(100_000)
  assert.deepEqual(await collect(), [])
  assert.deepEqual(dropped, ['a', 'b', 'c'])
})

test('collect removes what was not used for longer than it may, however much room there is', async () => {
  const { clock, dropped, collect, arrive } = scene(90, { maxAgeMs: 300_000 })
  await collect()
  await clock.advance(200_000)
  arrive('c')
  await collect()
  assert.deepEqual(dropped, [])
  await clock.advance(150_000)
  assert.deepEqual(await collect(), ['c'])
  assert.deepEqual(dropped, ['a', 'b'])
})

test('collect makes no room where the threshold is 100 percent', async () => {
  const { clock, dropped, collect } = scene(0, { highPercent: 100 })
  await collect()
  await clock.advance(600_000)
  assert.deepEqual(await collect(), ['a', 'b'])
  assert.deepEqual(dropped, [])
})
