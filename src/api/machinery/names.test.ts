import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { recorded } from '../../../test/fixtures/kube-apiserver/recorded.ts'
import {
  isConfigMapKey,
  isDns1035Label,
  isDns1123Label,
  isDns1123Subdomain,
  isEnvVarName,
  isLabelValue,
  isObjectName,
  isPortName,
  isQualifiedName,
  isWildcardDns1123Subdomain,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from './names.ts'
import type { KubeObject, ObjectMeta } from './object.ts'
import { invalid } from './status-error.ts'

type Check = (value: string) => readonly string[]

describe('names', () => {
  const checks: [string, Check, string[], string[]][] = [
    ['isDns1123Label', isDns1123Label, ['a', '0', 'a-b', 'a'.repeat(63)], ['', '-a', 'a-', 'A', 'a.b', 'a'.repeat(64)]],
    [
      'isDns1123Subdomain',
      isDns1123Subdomain,
      ['a', 'a.b', '1.2', 'a-b.c'],
      ['', '.a', 'a.', 'a..b', 'a-.b', 'a.-b', 'a_b', 'ä'],
    ],
    ['isDns1035Label', isDns1035Label, ['a', 'a1'], ['', '1a', 'a-']],
    ['isWildcardDns1123Subdomain', isWildcardDns1123Subdomain, ['*.a.b'], ['*', '*.', 'a.b', '*.*.a']],
    [
      'isQualifiedName',
      isQualifiedName,
      ['a', 'A_b.c-d', 'x.y/z', '1'],
      ['', '/', 'a/', '/a', 'a/b/c', 'X.y/z', '-a', 'a'.repeat(64), `${'a'.repeat(254)}/b`],
    ],
    ['isLabelValue', isLabelValue, ['', 'a', 'A.b_c-d'], ['-', 'a b', 'a/b', 'a'.repeat(64)]],
    ['isPortName', isPortName, ['http', '8080a', 'a-b'], ['', '80', 'a--b', '-a', 'HTTP', 'a'.repeat(16)]],
    ['isConfigMapKey', isConfigMapKey, ['a', '.a', 'A_b-c.d', '...a'.slice(2)], ['', '.', '..', '..a', 'a/b']],
    ['isEnvVarName', isEnvVarName, ['A', 'a.b', '1 x'], ['', 'a=b', 'ä']],
  ]
  for (const [name, check, good, bad] of checks) {
    for (const value of good) it(`${name} allows ${value.slice(0, 70)}`, () => assert.deepEqual(check(value), []))
    for (const value of bad)
      it(`${name} refuses ${JSON.stringify(value.slice(0, 70))}`, () => assert.ok(check(value).length))
  }

  it('isDns1123Label says that a name has dots', () => {
    assert.deepEqual(isDns1123Label('a.b'), ['must not contain dots'])
  })

  it('isObjectName lets a prefix end with a hyphen', () => {
    assert.deepEqual(isObjectName('web-', 'dns-label', true), [])
    assert.ok(isObjectName('web-', 'dns-label').length)
    assert.deepEqual(isObjectName('system:admin', 'path'), [])
    assert.deepEqual(isObjectName('a/b%', 'path'), ["may not contain '/'", "may not contain '%'"])
  })
})

interface Recorded {
  method: string
  path: string
  body?: KubeObject
  code: number
  message: string
}

describe('validateObjectMeta', () => {
  const cases = recorded<Recorded>('errors').filter(
    one =>
      one.code === 422 &&
      one.method === 'POST' &&
      one.message.includes('metadata.') &&
      !one.body?.metadata?.generateName,
  )
  assert.ok(cases.length >= 6)
  for (const { body, message } of cases) {
    it(`validateObjectMeta says what the real server says: ${message.slice(0, 100)}`, () => {
      const meta = { namespace: 'g', ...body!.metadata } as ObjectMeta
      const errors = validateObjectMeta(meta, { namespaced: true })
      const actual = invalid({ group: '', kind: 'ConfigMap' }, meta.name ?? '', errors).message
      // Go walks maps in no order.
      const parts = (text: string) => text.split(/[[\]]|, (?=metadata)/).sort()
      assert.deepEqual(parts(actual), parts(message))
    })
  }

  it('validateObjectMeta refuses a namespace on cluster-scoped objects', () => {
    assert.deepEqual(validateObjectMeta({ name: 'a', namespace: 'b' }, { namespaced: false }), [
      { reason: 'FieldValueForbidden', field: 'metadata.namespace', message: 'Forbidden: not allowed on this type' },
    ])
  })
})

describe('validateObjectMetaUpdate', () => {
  const old: ObjectMeta = {
    name: 'a',
    namespace: 'b',
    uid: '1',
    resourceVersion: '5',
    creationTimestamp: '2026-01-01T00:00:00Z',
  }
  const cases: [string, ObjectMeta, ObjectMeta, string[]][] = [
    ['nothing changed', old, old, []],
    [
      'no version',
      { ...old, resourceVersion: '' },
      old,
      ['metadata.resourceVersion: Invalid value: "": must be specified for an update'],
    ],
    ['another uid', { ...old, uid: '2' }, old, ['metadata.uid: Invalid value: "2": field is immutable']],
    ['another name', { ...old, name: 'c' }, old, ['metadata.name: Invalid value: "c": field is immutable']],
    [
      'a finalizer while it is deleted',
      { ...old, deletionTimestamp: 'x', finalizers: ['a/b', 'a/c'] },
      { ...old, deletionTimestamp: 'x', finalizers: ['a/b'] },
      [
        'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"a/c"}',
      ],
    ],
    [
      'a lower generation',
      { ...old, generation: 1 },
      { ...old, generation: 2 },
      ['metadata.generation: Invalid value: 1: must not be decremented'],
    ],
  ]
  for (const [what, next, before, expected] of cases) {
    it(`validateObjectMetaUpdate: ${what}`, () => {
      const errors = validateObjectMetaUpdate(next, before)
      assert.deepEqual(
        errors.map(({ field, message }) => `${field}: ${message}`),
        expected,
      )
    })
  }
})

it('validateObjectMeta lets long names be made of anything', () => {
  const meta = { name: 'a', generateName: 'Bad Value!' }
  assert.equal(validateObjectMeta(meta, { namespaced: false }).length, 1)
  assert.deepEqual(validateObjectMeta(meta, { namespaced: false, nameFormat: 'long-name' }), [])
})
