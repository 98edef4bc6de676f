import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CustomResourceDefinition } from '../api/kinds/apiextensions/custom-resource-definition.ts'
import type { Informers } from '../client/informers.ts'
import type { Resource } from '../client/resource.ts'
import { createServedKinds, type WhenUsed } from './served-kinds.ts'

type Change = { previous?: CustomResourceDefinition; current?: CustomResourceDefinition }

const definition = (version: string, established = true) =>
  ({
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', kind: 'Widget' },
      versions: [{ name: version, served: true, storage: true }],
    },
    status: { conditions: [{ type: 'Established', status: established ? 'True' : 'False' }] },
  }) as unknown as CustomResourceDefinition

/** Served kinds that are told of definitions by `change`; `use` makes the first object of a kind. */
function make() {
  let change: (change: Change) => void = () => {}
  const dropped: string[] = []
  const informers = {
    of: () => ({
      onChange(handler: typeof change) {
        change = handler
        return () => {}
      },
    }),
    drop: ({ key }: Resource, gone: boolean) => void dropped.push(`${key} ${gone}`),
  } as unknown as Informers
  const waiting = new Map<string, () => void>()
  const whenUsed: WhenUsed = (key, then) => {
    waiting.set(key, then)
    return () => waiting.delete(key)
  }
  const served = createServedKinds(informers, [], whenUsed)
  const followed: string[] = []
  served.onAdd(({ key }) => followed.push(key))
  const use = async (key: string) => {
    waiting.get(key)?.()
    waiting.delete(key)
    await Promise.resolve()
  }
  return { served, followed, dropped, waiting, use, change: (each: Change) => change(each) }
}

const V1 = 'example.com/v1/widgets'

test('createServedKinds knows a custom kind at once, and has it followed with its first object', async () => {
  const { served, followed, change, use } = make()
  change({ current: definition('v1', false) })
  assert.equal(served.find('example.com/v1', 'Widget'), undefined)
  change({ previous: definition('v1', false), current: definition('v1') })
  assert.equal(served.find('example.com/v1', 'Widget')?.key, V1)
  assert.deepEqual(
    served.list().map(each => each.key),
    [V1],
  )
  assert.deepEqual(followed, [])
  await use(V1)
  assert.deepEqual(followed, [V1])
  const late: string[] = []
  served.onAdd(({ key }) => late.push(key))
  assert.deepEqual(late, [V1])
})

test('createServedKinds follows another version when that is stored, and forgets what is gone', async () => {
  const { served, followed, dropped, waiting, change, use } = make()
  change({ current: definition('v1') })
  change({ previous: definition('v1'), current: definition('v2') })
  assert.deepEqual([...waiting.keys()], ['example.com/v2/widgets'])
  await use('example.com/v2/widgets')
  assert.deepEqual(followed, ['example.com/v2/widgets'])
  change({ previous: definition('v2') })
  assert.deepEqual(dropped, [`${V1} false`, 'example.com/v2/widgets true'])
  assert.deepEqual(served.list(), [])
})

test('createServedKinds does not follow a kind whose definition went with the first object', async () => {
  const { followed, waiting, change } = make()
  change({ current: definition('v1') })
  waiting.get(V1)!()
  change({ previous: definition('v1') })
  await Promise.resolve()
  assert.deepEqual(followed, [])
})
