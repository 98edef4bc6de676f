import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../src/api/machinery/object.ts'
import { kindOf } from './ask.ts'
import { bases } from './bases/all.ts'

for (const { name, object } of bases) {
  test(`defaults of ${object.apiVersion} ${object.kind}, ${name}, change nothing the second time`, () => {
    const once = structuredClone(object) as KubeObject
    kindOf(object).defaults?.(once)
    const twice = structuredClone(once)
    kindOf(object).defaults?.(twice)
    assert.deepEqual(twice, once)
  })
}
