import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { definition } from '../generated/schemas.ts'
import type { Kind } from '../machinery/kind.ts'
import type { KubeObject } from '../machinery/object.ts'
import { findKind, findKindByKey, findKindOf, kinds } from './all.ts'

const read = (name: string) => JSON.parse(readFileSync(join(import.meta.dirname, 'testdata', name), 'utf8'))

/** What a 1.36 server's aggregated discovery says, one line per resource and subresource. */
const discovery: string[] = read('discovery.json')
/** What metrics-server adds, where Kubernetes is installed with it. */
const metricsServer = [
  'metrics.k8s.io/v1beta1 nodes NodeMetrics  Cluster [] [] get,list',
  'metrics.k8s.io/v1beta1 pods PodMetrics  Namespaced [] [] get,list',
]
/** The columns that a 1.36 server's tables have, by `apiVersion kind`. */
const tables: Record<string, string[]> = read('tables.json')

const STATUS_VERBS = ['get', 'patch', 'update']

/** A kind in the words of the discovery fixture. */
function lines(kind: Kind): string[] {
  const { apiVersion } = kind
  const head = [
    `${apiVersion} ${kind.plural} ${kind.kind} ${kind.singular}`,
    kind.namespaced ? 'Namespaced' : 'Cluster',
    `[${kind.shortNames?.join() ?? ''}]`,
    `[${kind.categories?.join() ?? ''}]`,
    kind.verbs.join(),
  ].join(' ')
  const own = { group: kind.group, version: kind.version, kind: kind.kind }
  const subresources = [
    ...(kind.subresources ?? []),
    ...(kind.status ? [{ name: 'status', verbs: STATUS_VERBS, responseKind: own }] : []),
    ...(kind.scale
      ? [{ name: 'scale', verbs: STATUS_VERBS, responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' } }]
      : []),
  ]
  const below = subresources.map(({ name, verbs, responseKind = own }) => {
    const version = responseKind.group ? `${responseKind.group}/${responseKind.version}` : responseKind.version
    return `${apiVersion} ${kind.plural}/${name} ${version} ${responseKind.kind} ${verbs.join()}`
  })
  return [head, ...below.sort()]
}

test('kinds are exactly the resources of a 1.36 server with metrics-server, in the order of its discovery', () => {
  assert.deepEqual(kinds.flatMap(lines), [...discovery, ...metricsServer])
})

test('kinds have the columns of a 1.36 server', () => {
  for (const [name, columns] of Object.entries(tables)) {
    const kind = findKindOf(...(name.split(' ') as [string, string]))
    const mine = kind?.columns.map(column =>
      [column.name, column.type, column.format ?? '', column.priority ?? 0].join(':'),
    )
    assert.deepEqual(mine, columns, name)
  }
})

test('kinds name schemas that exist, of their own group, version and kind', () => {
  for (const { schema, group, version, kind } of kinds) {
    assert.equal(typeof schema, 'string')
    assert.deepEqual(definition(schema as string)?.gvk, [{ group, version, kind }])
  }
})

test('findKind, findKindOf and findKindByKey find what is in the list, and nothing else', () => {
  for (const kind of kinds) {
    assert.equal(findKind(kind.group, kind.version, kind.plural), kind)
    assert.equal(findKindOf(kind.apiVersion, kind.kind), kind)
    assert.equal(findKindByKey(kind.key), kind)
  }
  assert.equal(findKind('apps', 'v2', 'deployments'), undefined)
  assert.equal(findKindOf('v1', 'Deployment'), undefined)
})

const minimal = (kind: Kind): KubeObject => ({
  apiVersion: kind.apiVersion,
  kind: kind.kind,
  metadata: { name: 'a', ...(kind.namespaced && { namespace: 'default' }) },
})

/** Objects that are hardly filled: what columns and defaults may meet. */
const sparse = (kind: Kind): KubeObject[] => [
  minimal(kind),
  { ...minimal(kind), spec: {}, status: {} } as KubeObject,
  { ...minimal(kind), metadata: {} },
]

test('kinds: defaults of an object that has them change nothing', () => {
  for (const kind of kinds) {
    for (const object of sparse(kind)) {
      kind.defaults?.(object)
      const once = structuredClone(object)
      kind.defaults?.(object)
      assert.deepEqual(object, once, kind.key)
    }
  }
})

test('kinds: rules, strategies, selectors and columns bear an object that is hardly filled', async () => {
  for (const kind of kinds) {
    await kind.load?.()
    for (const object of sparse(kind)) {
      for (const column of kind.columns) column.cell(object, 0)
      for (const read of Object.values(kind.selectable ?? {})) assert.equal(typeof read(object), 'string', kind.key)
      kind.defaults?.(object)
      kind.prepareCreate?.(object)
      kind.named?.(object)
      const old = structuredClone(object)
      const subresources = [
        '',
        ...(kind.status ? ['status'] : []),
        ...(kind.subresources ?? []).map(({ name }) => name),
      ]
      for (const subresource of subresources) {
        kind.prepareUpdate?.(object, old, { subresource, now: 0 })
        for (const rule of kind.rules ?? []) rule(object, old, { subresource, now: 0 })
      }
      for (const rule of kind.rules ?? []) rule(object, undefined, { subresource: '', now: 0 })
      kind.warnings?.(object, undefined)
      for (const column of kind.columns) column.cell(object, 0)
    }
  }
})

test('kinds: what is stored under another kind comes back as it was', () => {
  for (const kind of kinds) {
    if (!kind.storage) continue
    assert.ok(findKindByKey(kind.storage.kind), kind.key)
    const object = { ...minimal(kind), spec: { scaleTargetRef: { kind: 'Deployment', name: 'a' }, maxReplicas: 3 } }
    kind.defaults?.(object)
    const stored = kind.storage.encode(object)
    const shown = kind.storage.decode(stored)
    assert.equal(shown.apiVersion, kind.apiVersion)
    assert.deepEqual(kind.storage.decode(kind.storage.encode(shown)), shown)
  }
})
