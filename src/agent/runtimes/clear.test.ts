import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clearRuntime } from './clear.ts'
import type { RuntimeDriver } from './runtime.ts'

/** A runtime that has made `b` when it is settled; what `refused` names it does not remove. */
function runtime(refused?: string) {
  const made = ['a']
  const order: string[] = []
  const driver: Partial<RuntimeDriver> = {
    async settled() {
      made.push('b')
    },
    listSandboxes: async () => made.map(id => ({ id })) as never,
    async removeSandbox(id) {
      order.push(`begin ${id}`)
      await Promise.resolve()
      if (id === refused) throw new Error('no')
      order.push(`end ${id}`)
    },
  }
  return { driver: driver as RuntimeDriver, order }
}

test('clearRuntime removes what was just being made too, all at once', async () => {
  const { driver, order } = runtime()
  await clearRuntime(driver)
  assert.deepEqual(order, ['begin a', 'begin b', 'end a', 'end b'])
})

test('clearRuntime says what could not be removed when all has been tried', async () => {
  const { driver, order } = runtime('a')
  await assert.rejects(clearRuntime(driver), { message: 'no' })
  assert.equal(order.at(-1), 'end b')
})
