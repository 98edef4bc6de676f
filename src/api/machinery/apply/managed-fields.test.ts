import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { recorded } from '../../../../test/fixtures/kube-apiserver/recorded.ts'
import { randomObject, seeded } from '../../../../test/fixtures/random-deployment.ts'
import type { KubeObject, ManagedFieldsEntry } from '../object.ts'
import { compileSchema } from '../schema-node.ts'
import { checkStructure } from '../structural.ts'
import type { FieldSet } from './field-set.ts'
import { difference, equalSets, intersection, isEmptySet, pathsOf, union } from './field-set.ts'
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
        assert.ok(equalSets(all, union(there.added, there.modified)), 'owned fields are those that are there')
      }
    })
  }
})

describe('field sets', () => {
  for (let seed = 1; seed <= 40; seed++) {
    it(`union, intersection and difference obey the laws of sets, seed ${seed}`, () => {
      const random = seeded(seed)
      const node = compileSchema(SCHEMAS.Deployment!)
      const [a, b, c] = [1, 2, 3].map(() => fieldSetOf(node, randomObject(random))) as [FieldSet, FieldSet, FieldSet]
      assert.ok(equalSets(union(a, b), union(b, a)))
      assert.ok(equalSets(union(a, a), a))
      assert.ok(equalSets(intersection(a, union(b, c)), union(intersection(a, b), intersection(a, c))))
      assert.ok(equalSets(union(difference(a, b), intersection(a, b)), a))
      assert.ok(isEmptySet(intersection(difference(a, b), b)))
      const count = (set: FieldSet) => pathsOf(set).length
      assert.equal(count(union(a, b)), count(a) + count(b) - count(intersection(a, b)))
    })
  }
})
