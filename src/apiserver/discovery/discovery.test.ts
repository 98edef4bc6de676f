import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { kinds } from '../../api/kinds/all.ts'
import { discoveryItem } from './aggregated.ts'
import { groupsOf } from './groups.ts'
import { apiGroupList, apiResourceList } from './legacy.ts'

const groups = groupsOf(kinds)
/** What a real server of version 1.36 with default settings serves, as it describes itself. */
const fixture = new URL('../../../test/fixtures/discovery.json', import.meta.url)

test('discoveryItem is that of a real server', { skip: existsSync(fixture) ? false : 'no fixture' }, () => {
  const expected = JSON.parse(readFileSync(fixture, 'utf8')) as { group: string; versions: unknown[] }[]
  const actual = groups.map(discoveryItem).map(item => ({
    group: item.metadata.name ?? '',
    versions: item.versions.map(({ version, resources }) => ({ version, resources })),
  }))
  // In Kubernetes another server adds it.
  assert.equal(actual.pop()?.group, 'metrics.k8s.io')
  assert.deepEqual(actual, expected)
})

test('apiGroupList prefers the first version of a group', () => {
  const autoscaling = apiGroupList(groups).groups.find(each => each.name === 'autoscaling')
  assert.equal(autoscaling?.preferredVersion?.version, 'v2')
  assert.equal(autoscaling?.versions.length, 2)
})

test('apiResourceList names subresources with their parent, and kinds of other groups in full', () => {
  const apps = groups.find(each => each.group === 'apps')!
  const { resources } = apiResourceList('apps', apps.versions[0]!)
  const scale = resources.find(each => each.name === 'deployments/scale')
  assert.deepEqual(scale, {
    name: 'deployments/scale',
    singularName: '',
    namespaced: true,
    group: 'autoscaling',
    version: 'v1',
    kind: 'Scale',
    verbs: ['get', 'patch', 'update'],
  })
})
