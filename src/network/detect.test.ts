import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Capabilities, chooseMode, detectCapabilities, type NetworkMode } from './detect.ts'

const yes = { usable: true } as const
const no = (reason: string) => ({ usable: false, reason }) as const

const cases: readonly [asked: NetworkMode | undefined, Capabilities, NetworkMode, notes: readonly string[]][] = [
  [undefined, { kernel: yes, rootless: yes }, 'kernel', []],
  [undefined, { kernel: no('not root'), rootless: yes }, 'rootless', ['kernel network of the machine: not root']],
  [
    undefined,
    { kernel: no('not root'), rootless: no('switched off') },
    'portable',
    ['kernel network of the machine: not root', 'rootless network: switched off'],
  ],
  ['portable', { kernel: yes, rootless: yes }, 'portable', []],
  ['rootless', { kernel: yes, rootless: yes }, 'rootless', []],
]
for (const [asked, capabilities, mode, notes] of cases)
  test(`chooseMode takes ${mode} for ${asked ?? 'nothing asked'}, with ${notes.length} notes`, () => {
    assert.deepEqual(chooseMode(asked, capabilities), { mode, notes })
  })

test('chooseMode says why what was asked for is not possible', () => {
  assert.throws(
    () => chooseMode('kernel', { kernel: no('not root'), rootless: yes }),
    /^Error: --network kernel is not possible here: not root$/,
  )
})

test('detectCapabilities gives a reason for what it finds unusable', async () => {
  const found = await detectCapabilities()
  for (const verdict of [found.kernel, found.rootless]) assert.ok(verdict.usable || verdict.reason.length > 5)
  if (process.getuid?.() !== 0) assert.equal(found.kernel.usable, false)
})
