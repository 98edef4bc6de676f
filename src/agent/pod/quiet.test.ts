import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createQuiet } from './quiet.ts'
import { createSlot, type Slot } from './slot.ts'

function world() {
  let now = 0
  const quiet = createQuiet({ elapsed: () => now })
  const slot: Slot = createSlot({ name: 'c' }, 'main', 1000)
  return {
    slot,
    at(ms: number, preparing = false) {
      now = ms
      return quiet(preparing, [slot])
    },
  }
}

test('createQuiet: a start that is over soon is told once, when it is over', () => {
  const { slot, at } = world()
  assert.equal(at(0, true), 500)
  slot.busy = 'starting'
  assert.equal(at(200), 300)
  slot.busy = undefined
  assert.equal(at(300), 0)
})

test('createQuiet: a long start is told at most once in that time, and asks for no wake-up of its own', () => {
  const { slot, at } = world()
  slot.busy = 'starting'
  const told = [0, 100, 500, 550, 900, 1050, 7000, 7100, 7500].map(ms => at(ms))
  assert.deepEqual(told, [500, 400, 0, 500, 150, 0, 500, 400, 0])
})

const loud: [string, (slot: Slot) => void][] = [
  ['that fails', slot => void (slot.waiting = { reason: 'ErrImagePull' })],
  ['with a hook after it', slot => void (slot.spec = { name: 'c', lifecycle: { postStart: {} } })],
  ['of one that has ended before', slot => void (slot.instances = [{ state: 'exited' } as Slot['instances'][number]])],
]
for (const [what, change] of loud)
  test(`createQuiet: a start ${what} is told in its stages`, () => {
    const { slot, at } = world()
    slot.busy = 'starting'
    change(slot)
    assert.equal(at(0), 0)
  })
