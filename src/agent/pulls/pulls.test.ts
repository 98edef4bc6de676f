import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Secret } from '../../api/generated/types/core-v1.ts'
import { virtualClock } from '../../lib/virtual-clock.ts'
import { type FoundImage, RuntimeError } from '../runtimes/runtime.ts'
import { DEFAULT_SETTINGS } from '../settings.ts'
import { createPulls } from './pulls.ts'
import { openRecords } from './records.ts'

const secret = (username: string): Secret => ({
  type: 'kubernetes.io/dockerconfigjson',
  data: {
    '.dockerconfigjson': Buffer.from(JSON.stringify({ auths: { 'a.io': { username } } })).toString('base64'),
  },
})

interface World {
  readonly there?: readonly string[]
  /** Users that the registry takes; anybody when absent. */
  readonly takes?: readonly string[]
  readonly limit?: number
  readonly builtIn?: boolean
}

function world({ there = [], takes, limit = 1, builtIn = false }: World = {}) {
  const clock = virtualClock()
  const said: string[] = []
  const shown: (string | undefined)[] = []
  const driver = {
    findImage: async (image: string): Promise<FoundImage | undefined> => {
      if (image.startsWith('Not')) throw new RuntimeError('InvalidImageName', 'that is no name')
      return there.includes(image) ? { imageId: image, builtIn } : undefined
    },
    async pullImage(image: string, proof?: { readonly username?: string }): Promise<FoundImage> {
      shown.push(proof?.username)
      await new Promise<void>(resolve => void clock.after(1500, resolve))
      if (takes && !takes.includes(proof?.username ?? ''))
        throw new RuntimeError('ErrImagePull', `not for ${proof?.username}`)
      return { imageId: image, size: 7 }
    },
  }
  const providers = [{ credentials: async () => [{ username: 'provided', password: '' }] }]
  const folder = mkdtempSync(join(tmpdir(), 'tutti-pulls-'))
  after(() => rmSync(folder, { recursive: true }))
  const records = openRecords(join(folder, 'pulls.json'), DEFAULT_SETTINGS.verification)
  const pulls = createPulls({ clock, limit, providers, records })
  const ensure = (image: string, policy = 'IfNotPresent', secrets: readonly Secret[] = []) => {
    const event = (type: string, reason: string, message: string) => void said.push(`${type} ${reason} ${message}`)
    const result = pulls.ensure({ driver, image, policy, secrets, event }).then(
      found => found.imageId,
      (error: RuntimeError) => `${error.reason}: ${error.message}`,
    )
    return clock.advance(20_000).then(() => result)
  }
  return { ensure, said, shown, clock }
}

test('ensure pulls by policy, and tells it as the kubelet does', async () => {
  const present = 'Normal Pulled Container image "a.io/x" already present on machine and can be accessed by the pod'
  const never = 'Container image "a.io/x" is not present with pull policy of Never'
  const pulled = [
    'Normal Pulling Pulling image "a.io/x"',
    'Normal Pulled Successfully pulled image "a.io/x" in 1.5s (1.5s including waiting). Image size: 7 bytes.',
  ]
  for (const [policy, there, result, said] of [
    ['IfNotPresent', true, 'a.io/x', [present]],
    ['Never', true, 'a.io/x', [present]],
    ['Always', true, 'a.io/x', pulled],
    ['IfNotPresent', false, 'a.io/x', pulled],
    ['Never', false, `ErrImageNeverPull: ${never}`, [`Warning ErrImageNeverPull ${never}`]],
  ] as const) {
    const scene = world(there ? { there: ['a.io/x'] } : {})
    assert.equal(await scene.ensure('a.io/x', policy), result, policy)
    assert.deepEqual(scene.said, said)
  }
})

test('ensure never pulls what is built in', async () => {
  const { ensure, shown } = world({ there: ['host'], builtIn: true })
  assert.equal(await ensure('host', 'Always'), 'host')
  assert.deepEqual(shown, [])
})

test("ensure shows the pod's own proof first, then what providers know, until one is taken", async () => {
  const { ensure, shown } = world({ takes: ['provided'] })
  assert.equal(await ensure('a.io/x', 'Always', [secret('one'), secret('two')]), 'a.io/x')
  assert.deepEqual(shown, ['one', 'two', 'provided'])
  const refused = world({ takes: [] })
  assert.equal(await refused.ensure('a.io/x', 'Always', [secret('one')]), 'ErrImagePull: not for provided')
  assert.equal(refused.said.at(-1), 'Warning Failed Failed to pull image "a.io/x": not for provided')
})

test('ensure asks the registry again for a pod without the secret by which an image was pulled', async () => {
  const { ensure, shown } = world({ there: ['a.io/x'], takes: ['one'] })
  assert.equal(await ensure('a.io/x', 'Always', [secret('one')]), 'a.io/x')
  assert.equal(await ensure('a.io/x', 'IfNotPresent', [secret('one')]), 'a.io/x')
  assert.deepEqual(shown, ['one'])
  assert.equal(await ensure('a.io/x', 'IfNotPresent'), 'ErrImagePull: not for provided')
  assert.match(await ensure('a.io/x', 'Never'), /^ErrImageNeverPull: .* is not present/)
})

test('ensure says what is no name of an image', async () => {
  const { ensure, said } = world()
  assert.equal(await ensure('Not a name'), 'InvalidImageName: that is no name')
  assert.deepEqual(said, ['Warning InspectFailed that is no name'])
})

test('ensure pulls so many at once, and tells waiting apart', async () => {
  for (const [limit, last] of [
    [1, 'in 1.5s (3s including waiting)'],
    [2, 'in 1.5s (1.5s including waiting)'],
  ] as const) {
    const { ensure, said } = world({ limit })
    await Promise.all([ensure('a.io/one'), ensure('a.io/two')])
    assert.ok((said.at(-1) ?? '').includes(`"a.io/two" ${last}`), said.join('\n'))
  }
})
