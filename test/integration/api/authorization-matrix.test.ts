/**
 * The authorization matrix: what each role of a fresh cluster allows, by real requests, against what a kube-apiserver
 * 1.36 answered when asked the same (authorization-matrix.json).
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Cluster, startCluster } from '../../../src/cmd/testing.ts'
import { type Allowed, allowedTo, type Probe, probes } from './authorization-matrix.ts'
import { matrixPage } from './authorization-page.ts'
import type { Loose } from './start.ts'

const golden: Record<string, Allowed> = JSON.parse(
  readFileSync(join(import.meta.dirname, 'authorization-matrix.json'), 'utf8'),
)
const PAGE = join(import.meta.dirname, '../../../docs/authorization.md')

let cluster: Cluster
let all: Probe[]
/** Roles of this program, and what they allow. */
const found = new Map<string, Allowed>()

before(async () => {
  cluster = await startCluster({ controllers: false, nodes: 0 })
  await cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
  // Who makes a pod would wait for it, and be refused by admission.
  await cluster.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'shop' } })
  all = probes(cluster.server.registry.kinds())
})
after(() => cluster.stop())

const bind = (kind: string, name: string, role: string, namespace?: string) =>
  cluster.create({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind,
    metadata: { name, ...(namespace && { namespace }) },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name }],
  } as Loose)

/** Running a command begins with a GET over a WebSocket, and needs the right to create all the same. */
const COMMANDS = new Set(['pods/attach', 'pods/exec', 'pods/portforward'])

/** What the server itself answers, where RBAC alone would say more. */
function asAnswered(allowed: Record<string, string[]>): Record<string, string[]> {
  const entries = Object.entries(allowed).map(([letters, list]): [string, string[]] => [
    letters,
    letters.includes('c') ? list : list.filter(resource => !COMMANDS.has(resource)),
  ])
  return Object.fromEntries(entries.filter(([, list]) => list.length))
}

const sorted = (allowed: Allowed) =>
  Object.fromEntries(Object.entries(allowed).map(([key, list]) => [key, list.split(' ').sort()]))

test('every bootstrap role allows exactly what it allows in Kubernetes', async () => {
  const roles = (await cluster.objects('ClusterRole').list()).items.map(({ metadata }) => metadata?.name ?? '')
  for (const name of Object.keys(golden)) assert.ok(roles.includes(name), `${name} is there`)
  for (const role of roles) {
    await bind('ClusterRoleBinding', `probe:${role}`, role)
    found.set(role, await allowedTo(cluster, `probe:${role}`, all))
    const wanted = golden[role]
    if (wanted) assert.deepEqual(sorted(found.get(role)!), asAnswered(sorted(wanted)), role)
    else assert.match(role, /^tutti:/, `${role} is neither of Kubernetes nor of this program`)
  }
})

test('a role that is bound in a namespace allows nothing outside of it', async () => {
  for (const role of ['admin', 'edit', 'view']) {
    await bind('RoleBinding', `inside:${role}`, role, 'shop')
    const inside = await allowedTo(cluster, `inside:${role}`, all)
    const everywhere = found.get(role)!
    const namespaced = new Set(
      cluster.server.registry
        .kinds()
        .filter(kind => kind.namespaced)
        .map(kind => `${kind.group && `${kind.group}/`}${kind.plural}`),
    )
    const isInside = (resource: string) =>
      [...namespaced].some(each => resource === each || resource.startsWith(`${each}/`))
    const wanted = Object.fromEntries(
      Object.entries(sorted(everywhere))
        .filter(([key]) => key !== 'paths')
        .map(([key, list]) => [key, list.filter(isInside)])
        .filter(([, list]) => list!.length > 0),
    )
    // A namespace may be looked at by those who work in it.
    const { paths: _paths, ...rest } = sorted(inside)
    for (const list of Object.values(rest)) {
      const at = list.indexOf('namespaces')
      if (at >= 0) list.splice(at, 1)
    }
    assert.deepEqual(Object.fromEntries(Object.entries(rest).filter(([, list]) => list.length)), wanted, role)
    const transport = cluster.server.transport({ name: 'x', groups: [`inside:${role}`] })
    for (const path of ['/api/v1/namespaces/default/pods', '/api/v1/pods', '/api/v1/nodes'])
      assert.equal((await transport({ method: 'GET', path })).status, 403, `${role} ${path}`)
  }
})

test('docs/authorization.md shows the table that was tested', () => {
  if (process.env.WRITE_DOCS) writeFileSync(PAGE, matrixPage(found))
  assert.equal(
    readFileSync(PAGE, 'utf8'),
    matrixPage(found),
    'write it anew: WRITE_DOCS=1 npm test -- authorization-matrix',
  )
})
