import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Transport } from '../../client/transport.ts'
import { applyObjects } from './apply-objects.ts'
import type { Manifest } from './manifests.ts'

const manifest = (kind: string, name: string): Manifest => ({ apiVersion: 'v1', kind, metadata: { name } })

/** A server that takes patches in, one after the other from the last that came, and refuses `refused`. */
function server(refused?: string) {
  const patched: string[] = []
  let open = 0
  let most = 0
  const transport: Transport = async ({ method, path }) => {
    if (method === 'GET') return { status: 404, object: {} }
    open++
    most = Math.max(most, open)
    // Later ones are answered sooner.
    for (let i = 0; i < 20 - patched.length; i++) await undefined
    open--
    const name = path.split('/').at(-1)!
    if (name === refused) return { status: 422, object: { kind: 'Status', message: `${name} is invalid` } }
    patched.push(name)
    return { status: 201, object: { metadata: { name, resourceVersion: '1' } } }
  }
  return { transport, patched, most: () => most }
}

test('applyObjects applies neighbours of one kind side by side, kinds in their order, and tells them in order', async () => {
  const { transport, patched, most } = server()
  const maps = Array.from({ length: 100 }, (_, i) => manifest('ConfigMap', `m-${i}`))
  const told: string[] = []
  const applied = await applyObjects(transport, [manifest('Namespace', 'n'), ...maps, manifest('Secret', 's')], {
    namespace: 'n',
    onApplied: ({ name }) => told.push(name),
  })
  assert.equal(most(), 32)
  assert.equal(patched[0], 'n')
  assert.equal(patched.at(-1), 's')
  assert.deepEqual(told, ['namespace/n', ...maps.map(({ metadata }) => `configmap/${metadata.name}`), 'secret/s'])
  assert.deepEqual(
    applied.map(({ name }) => name),
    told,
  )
})

test('applyObjects applies an object that is named twice one time after the other', async () => {
  const { transport, most } = server()
  await applyObjects(transport, [manifest('ConfigMap', 'a'), manifest('ConfigMap', 'a')], { namespace: 'n' })
  assert.equal(most(), 1)
})

test('applyObjects starts nothing more once an object is refused, and tells what was applied beside it', async () => {
  const { transport, patched } = server('m-3')
  const maps = Array.from({ length: 100 }, (_, i) => manifest('ConfigMap', `m-${i}`))
  const told: string[] = []
  const applying = applyObjects(transport, [...maps, manifest('Secret', 's')], {
    namespace: 'n',
    onApplied: ({ name }) => told.push(name),
  })
  await assert.rejects(applying, /m-3 is invalid/)
  assert.deepEqual(told.sort(), patched.map(name => `configmap/${name}`).sort())
  assert.ok(patched.length < 70 && !patched.includes('s'), `${patched.length} were applied`)
})
