import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { recorded } from '../../../../test/fixtures/kube-apiserver/recorded.ts'
import { randomObject, seeded } from '../../../../test/fixtures/random-deployment.ts'
import type { KubeObject, ManagedFieldsEntry } from '../object.ts'
import { compileSchema } from '../schema-node.ts'
import { checkStructure } from '../structural.ts'
import type { FieldSet } from './field-set.ts'
import { difference, intersection, isEmptySet, pathsOf, setOfFields, union } from './field-set.ts'
import { compareObjects, readOwners, trackUpdate } from './managed-fields.ts'
import { fieldSetOf } from './typed.ts'

const SCHEMAS: Record<string, string> = {
  Deployment: 'io.k8s.api.apps.v1.Deployment',
  ConfigMap: 'io.k8s.api.core.v1.ConfigMap',
  Pod: 'io.k8s.api.core.v1.Pod',
}

interface Case {
  live: KubeObject | null
  next: KubeObject
  manager: string
  subresource: string
}

const entries = (list: readonly ManagedFieldsEntry[] | undefined) =>
  JSON.parse(JSON.stringify((list ?? []).map(({ time: _, ...entry }) => entry))).sort(
    (a: ManagedFieldsEntry, b: ManagedFieldsEntry) => (a.manager! < b.manager! ? -1 : 1),
  )

const track = (live: KubeObject | undefined, next: KubeObject, manager: string, now = 0, subresource = '') =>
  trackUpdate({
    live,
    next,
    schema: SCHEMAS[next.kind!]!,
    apiVersion: next.apiVersion!,
    manager,
    subresource,
    now,
  })

/** Whether Go shows the field as null where nothing is said, so that it can be owned all the same. */
function isShownAsNull(path: readonly string[]): boolean {
  let node = compileSchema(SCHEMAS.Deployment!)
  for (const step of path.slice(0, -1)) node = (step.startsWith('f:') && node.fields.get(step.slice(2))) || node.element
  return node.zeros.some(([key, zero]) => `f:${key}` === path.at(-1) && zero === null)
}

describe('trackUpdate', () => {
  recorded<Case>('managed-fields').forEach(({ live, next, manager, subresource }, index) => {
    it(`trackUpdate gives fields to owners as the real server does, case ${index}: ${next.kind} ${subresource}`, () => {
      const { managedFields, ...metadata } = next.metadata!
      assert.deepEqual(
        entries(track(live ?? undefined, { ...next, metadata }, manager, 0, subresource)),
        entries(managedFields),
      )
    })
  })

  const configMap = (data: Record<string, string>, managedFields?: ManagedFieldsEntry[]): KubeObject =>
    ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'x', ...(managedFields && { managedFields }) },
      data,
    }) as KubeObject

  const tracked = (kind: string, live: object | undefined, next: object, ignored?: FieldSet): unknown => {
    const [version, name] = kind.split(' ') as [string, string]
    const object = (fields: object) => ({ apiVersion: version, kind: name, metadata: { name: 'x' }, ...fields })
    const group = version.split('/')[0]!.split('.')[0]
    const options = { schema: `io.k8s.api.${group}.v1.${name}`, apiVersion: version, now: 0 }
    const write = (old: KubeObject | undefined, made: object, manager: string) =>
      trackUpdate({ live: old, next: object(made) as KubeObject, ignored, ...options, manager })
    const before = live && (object({ ...live }) as KubeObject)
    if (before) before.metadata!.managedFields = write(undefined, live, 'before')
    return write(before, next, 'm').find(({ manager }) => manager === 'm')?.fieldsV1
  }

  const RULE = { verbs: ['get'], resources: ['pods'], apiGroups: [''] }
  const cases: [title: string, kind: string, live: object | undefined, next: object, owned: unknown][] = [
    [
      'a list said to be empty where Go shows null',
      'rbac.authorization.k8s.io/v1 Role',
      undefined,
      { rules: [] },
      { 'f:rules': {} },
    ],
    ['no list of which nothing was said', 'rbac.authorization.k8s.io/v1 Role', undefined, {}, undefined],
    [
      'a list that Go shows as null once it is gone',
      'rbac.authorization.k8s.io/v1 Role',
      { rules: [RULE] },
      {},
      { 'f:rules': {} },
    ],
    [
      'what holds any object as one',
      'apps/v1 ControllerRevision',
      undefined,
      { data: { spec: { x: 1 } }, revision: 1 },
      { 'f:data': {}, 'f:revision': {} },
    ],
  ]
  for (const [title, kind, live, next, owned] of cases) {
    it(`trackUpdate gives its writer ${title}`, () => assert.deepEqual(tracked(kind, live, next), owned))
  }

  it('trackUpdate gives nobody what the endpoint resets', () => {
    const ignored = setOfFields(['rules'])
    const role = { rules: [RULE], metadata: { name: 'x', labels: { a: 'b' } } }
    assert.deepEqual(tracked('rbac.authorization.k8s.io/v1 Role', undefined, role, ignored), {
      'f:metadata': { 'f:labels': { '.': {}, 'f:a': {} } },
    })
  })

  it('trackUpdate returns the very entries that stand when nothing changes', () => {
    const live = configMap({ a: '1' }, track(undefined, configMap({ a: '1' }), 'm'))
    assert.equal(track(live, configMap({ a: '1' }), 'n', 5000), live.metadata!.managedFields)
  })

  it('trackUpdate keeps the times of owners who did not write', () => {
    const live = configMap({ a: '1', b: '1' }, track(undefined, configMap({ a: '1', b: '1' }), 'm', 1000))
    const next = track(live, configMap({ a: '1', b: '2' }), 'n', 9000)
    assert.deepEqual(
      next.map(({ manager, time }) => [manager, time]),
      [
        ['m', '1970-01-01T00:00:01Z'],
        ['n', '1970-01-01T00:00:09Z'],
      ],
    )
  })

  it('trackUpdate forgets all owners when the list is sent empty or as one empty entry', () => {
    const live = configMap({ a: '1' }, track(undefined, configMap({ a: '1' }), 'm'))
    for (const list of [[], [{}]]) assert.deepEqual(track(live, configMap({ a: '1' }, list), 'n'), [])
  })

  it('trackUpdate notes who made an object, whatever list came with it', () => {
    for (const list of [[], [{}]]) assert.equal(track(undefined, configMap({ a: '1' }, list), 'n').length, 1)
  })

  it('trackUpdate does not begin with an object that has no owners', () => {
    assert.deepEqual(track(configMap({ a: '1' }), configMap({ a: '2' }), 'n'), [])
  })

  it('trackUpdate puts the oldest managers together when there are more than ten', () => {
    let live: KubeObject | undefined
    for (let i = 0; i < 14; i++) {
      const data: Record<string, string> = { ...(live as { data?: object } | undefined)?.data, [`k${i}`]: 'v' }
      live = configMap(data, track(live, configMap(data), `m${i}`, i * 1000))
    }
    const { managedFields } = live!.metadata!
    assert.equal(managedFields!.length, 10)
    assert.deepEqual(
      managedFields!.slice(0, 2).map(entry => entry.manager),
      ['ancient-changes', 'm5'],
    )
    const ancient = managedFields![0]!.fieldsV1 as Record<string, Record<string, unknown>>
    assert.deepEqual(Object.keys(ancient['f:data']!).sort(), ['.', 'f:k0', 'f:k1', 'f:k2', 'f:k3', 'f:k4'])
  })

  for (let seed = 1; seed <= 40; seed++) {
    it(`trackUpdate gives every field that is there to exactly one owner, seed ${seed}`, () => {
      const random = seeded(seed)
      let live: KubeObject | undefined
      for (let step = 0; step < 5; step++) {
        const next = randomObject(random)
        checkStructure(next, SCHEMAS.Deployment!)
        const managedFields = track(live, next, `m${step % 3}`, step * 1000)
        live = { ...next, metadata: { ...next.metadata, managedFields } }
        const owners = readOwners(managedFields)
        for (const [i, one] of owners.entries()) {
          for (const other of owners.slice(i + 1)) assert.deepEqual(pathsOf(intersection(one.set, other.set)), [])
        }
        const all = owners.reduce((set, owner) => union(set, owner.set), {})
        const there = compareObjects(compileSchema(SCHEMAS.Deployment!), undefined, next)
        const shown = union(there.added, there.modified)
        assert.deepEqual(pathsOf(difference(shown, all)), [], 'fields that are there have owners')
        const beyond = pathsOf(difference(all, shown)).filter(path => !isShownAsNull(path))
        assert.deepEqual(beyond, [], 'owned fields are there')
      }
    })
  }
})

describe('field sets', () => {
  it('pathsOf says short paths first, fields before keys, values and indices', () => {
    const set = {
      'f:b': { 'f:z': {}, 'f:a': { '.': {}, 'f:x': {} } },
      'v:1': {},
      'k:{"a":1}': {},
      'i:0': {},
      'f:a': {},
    }
    const paths = [['f:a'], ['k:{"a":1}'], ['v:1'], ['i:0'], ['f:b', 'f:a'], ['f:b', 'f:z'], ['f:b', 'f:a', 'f:x']]
    assert.deepEqual(pathsOf(set), paths)
  })

  for (let seed = 1; seed <= 40; seed++) {
    it(`union, intersection and difference obey the laws of sets, seed ${seed}`, () => {
      const random = seeded(seed)
      const node = compileSchema(SCHEMAS.Deployment!)
      const [a, b, c] = [1, 2, 3].map(() => fieldSetOf(node, randomObject(random))) as [FieldSet, FieldSet, FieldSet]
      assert.deepEqual(union(a, b), union(b, a))
      assert.deepEqual(union(a, a), a)
      assert.deepEqual(intersection(a, union(b, c)), union(intersection(a, b), intersection(a, c)))
      assert.deepEqual(union(difference(a, b), intersection(a, b)), a)
      assert.ok(isEmptySet(intersection(difference(a, b), b)))
      const count = (set: FieldSet) => pathsOf(set).length
      assert.equal(count(union(a, b)), count(a) + count(b) - count(intersection(a, b)))
    })
  }
})
