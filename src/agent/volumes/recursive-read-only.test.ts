import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isRecursiveReadOnly } from './recursive-read-only.ts'

const mount = { name: 'v', mountPath: '/v', readOnly: true }

test('isRecursiveReadOnly is so where it is asked for and can be', () => {
  for (const [recursiveReadOnly, supported, expected] of [
    [undefined, true, false],
    ['Disabled', true, false],
    ['IfPossible', true, true],
    ['IfPossible', false, false],
    ['Enabled', true, true],
  ] as const) {
    const asked = recursiveReadOnly ? { ...mount, recursiveReadOnly } : mount
    assert.equal(isRecursiveReadOnly(asked, supported), expected, `${recursiveReadOnly} ${supported}`)
  }
})

for (const [more, supported, message] of [
  [{}, false, /^volume "v" requested recursive read-only mode, but it is not supported by the runtime$/],
  [{ readOnly: false }, true, /but it is not read-only$/],
  [
    { mountPropagation: 'HostToContainer' as const },
    true,
    /but it is not compatible with propagation "HostToContainer"$/,
  ],
] as const)
  test(`isRecursiveReadOnly refuses ${JSON.stringify(more)} where it is ${supported ? '' : 'not '}supported`, () => {
    const asked = { ...mount, recursiveReadOnly: 'Enabled', ...more }
    assert.throws(() => isRecursiveReadOnly(asked, supported), { message })
  })
