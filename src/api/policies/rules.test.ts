import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { kinds } from '../kinds/all.ts'
import type { FieldError } from '../machinery/field-error.ts'
import type { KubeObject } from '../machinery/object.ts'

interface RuleCase {
  readonly kind: string
  readonly name: string
  readonly spec: object
  /** What a kube-apiserver of 1.36 says about it. */
  readonly errors: readonly string[]
}

const lines = readFileSync(new URL('./testdata/rules.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')

test('policies and bindings are refused for the reasons that Kubernetes gives', async () => {
  for (const line of lines) {
    const { kind: name, name: called, spec, errors } = JSON.parse(line) as RuleCase
    const kind = kinds.find(each => each.kind === name && each.version === 'v1')
    assert.ok(kind)
    await kind.load?.()
    const object = { apiVersion: kind.apiVersion, kind: name, metadata: { name: called }, spec } as KubeObject
    kind.defaults?.(object)
    const context = { subresource: '', now: 0 }
    const found: FieldError[] = (kind.rules ?? []).flatMap(rule => rule(object, undefined, context))
    assert.deepEqual(
      found.map(({ field, message }) => `${field}: ${message}`),
      errors,
      line,
    )
  }
})
