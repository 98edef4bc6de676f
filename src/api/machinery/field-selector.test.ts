import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { recorded } from '../../../test/fixtures/kube-apiserver/recorded.ts'
import { fieldMatcher, formatFieldSelector, matchFields, parseFieldSelector } from './field-selector.ts'
import type { Kind } from './kind.ts'
import { defineKind } from './kind.ts'
import type { KubeObject } from './object.ts'

type Pod = KubeObject & { status?: { phase?: string } }

const base = { group: '', version: 'v1', namespaced: true, verbs: [], columns: [], schema: {} }
const configMaps: Kind = defineKind({ ...base, kind: 'ConfigMap', plural: 'configmaps', singular: 'configmap' })
const pods = defineKind<Pod>({
  ...base,
  kind: 'Pod',
  plural: 'pods',
  singular: 'pod',
  selectable: { 'status.phase': pod => pod.status?.phase ?? '' },
}) as Kind

describe('parseFieldSelector', () => {
  const cases: [string, string][] = [
    ['', ''],
    ['a=b', 'a=b'],
    ['a==b,c!=d', 'a=b,c!=d'],
    ['a=', 'a='],
    ['a=x\\,y\\=z\\\\', 'a=x\\,y\\=z\\\\'],
  ]
  for (const [text, expected] of cases) {
    it(`parseFieldSelector reads ${JSON.stringify(text)}`, () => {
      assert.equal(formatFieldSelector(parseFieldSelector(text)), expected)
    })
  }

  it('parseFieldSelector removes escapes', () => {
    assert.deepEqual(parseFieldSelector('a=x\\,y'), [{ field: 'a', operator: '=', value: 'x,y' }])
  })

  const errors = recorded<{ path: string; message: string }>('errors').filter(one => one.path.includes('fieldSelector'))
  for (const { path, message } of errors) {
    const text = decodeURIComponent(path.slice(path.indexOf('=') + 1))
    it(`parseFieldSelector or the kind refuses ${JSON.stringify(text)} in the real server's words`, () => {
      assert.throws(() => fieldMatcher(configMaps, parseFieldSelector(text)), { message })
    })
  }
})

describe('matchFields', () => {
  const pod: Pod = { metadata: { name: 'p', namespace: 'n' }, status: { phase: 'Running' } }
  const cases: [string, boolean][] = [
    ['metadata.name=p', true],
    ['metadata.name!=p', false],
    ['status.phase=Running,metadata.namespace=n', true],
    ['status.phase!=Running', false],
  ]
  for (const [text, expected] of cases) {
    it(`matchFields: ${text} is ${expected}`, () => {
      assert.equal(matchFields(pods, parseFieldSelector(text), pod), expected)
    })
  }

  it('matchFields refuses a field that the kind does not offer', () => {
    assert.throws(() => matchFields(pods, parseFieldSelector('spec.x=1'), pod), {
      message: 'field label not supported: spec.x',
    })
  })
})
