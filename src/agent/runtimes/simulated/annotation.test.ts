import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RuntimeError } from '../runtime.ts'
import { annotatedScript, SIMULATE } from './annotation.ts'

for (const [what, text, expected] of [
  ['a script of the container', '{"main":{"exitAfterMs":5,"exitCode":3}}', { exitAfterMs: 5, exitCode: 3 }],
  ['what it uses', '{"main":{"cpu":"250m","memory":"64Mi"}}', { cpu: '250m', memory: '64Mi' }],
  ['a script for all', '{"*":{"healthyMs":null}}', { healthyMs: null }],
  ['its own script before that for all', '{"*":{"stopMs":1},"main":{"stopMs":null}}', { stopMs: null }],
  ['nothing of it', '{"other":{"stopMs":1}}', {}],
] as const) {
  test(`annotatedScript reads ${what}`, () => assert.deepEqual(annotatedScript('main', { [SIMULATE]: text }), expected))
}

for (const [text, message] of [
  ['{', /must be a JSON object/],
  ['[]', /must be a JSON object/],
  ['{"main":7}', /script of container "main" must be an object/],
  ['{"main":{"exitsAfter":5}}', /unknown field "exitsAfter"; known are startMs/],
  ['{"main":{"exitAfterMs":-1}}', /exitAfterMs takes milliseconds, not -1/],
  ['{"main":{"exitCode":1.5}}', /exitCode takes an exit code, not 1.5/],
  ['{"main":{"cpu":"much"}}', /cpu takes a quantity, not "much"/],
  ['{"main":{"prints":[1]}}', /prints takes a list of lines, not \[1\]/],
] as const) {
  test(`annotatedScript refuses ${text}`, () => {
    assert.throws(
      () => annotatedScript('main', { [SIMULATE]: text }),
      (error: RuntimeError) => error instanceof RuntimeError && message.test(error.message),
    )
  })
}

test('annotatedScript is empty without the annotation', () => assert.deepEqual(annotatedScript('main', {}), {}))
