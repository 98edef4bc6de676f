import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Schema } from '../machinery/schema.ts'
import { definition, definitionNames } from './schemas.ts'

test('definition gives a schema by its OpenAPI name', () => {
  const pod = definition('io.k8s.api.core.v1.Pod')
  assert.deepEqual(pod?.gvk, [{ group: '', version: 'v1', kind: 'Pod' }])
  assert.deepEqual(pod?.properties?.spec, { ref: 'io.k8s.api.core.v1.PodSpec' })
  assert.equal(definition('io.k8s.api.core.v1.Pod'), pod)
})

test('definition keeps list types, merge keys, formats and required fields', () => {
  const spec = definition('io.k8s.api.core.v1.PodSpec')!
  assert.deepEqual(spec.required, ['containers'])
  const { containers } = spec.properties!
  assert.deepEqual([containers?.patchStrategy, containers?.patchMergeKey], ['merge', 'name'])
  assert.deepEqual([containers?.listType, containers?.listMapKeys], ['map', ['name']])
  assert.equal(definition('io.k8s.apimachinery.pkg.api.resource.Quantity')?.format, 'quantity')
  assert.equal(definition('io.k8s.apimachinery.pkg.util.intstr.IntOrString')?.format, 'int-or-string')
  assert.equal(definition('io.k8s.apimachinery.pkg.runtime.RawExtension')?.preserveUnknown, true)
})

test('definition knows nothing else', () => {
  for (const name of ['', 'Pod', 'io.k8s.api.core.v1.Nothing', 'io.k8s.api.core.v1.constructor', 'constructor.x']) {
    assert.equal(definition(name), undefined, name)
  }
})

test('definitionNames are sorted, and every reference between definitions is one of them', () => {
  const names = definitionNames()
  assert.deepEqual(names, [...names].sort())
  const known = new Set(names)
  const visit = (schema: Schema | undefined, from: string): void => {
    if (!schema) return
    if (schema.ref) assert.ok(known.has(schema.ref), `${from} refers to ${schema.ref}`)
    for (const inner of Object.values(schema.properties ?? {})) visit(inner, from)
    visit(schema.items, from)
    if (typeof schema.additionalProperties === 'object') visit(schema.additionalProperties, from)
  }
  for (const name of names) visit(definition(name), name)
})
