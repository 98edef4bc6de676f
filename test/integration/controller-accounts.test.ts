import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../src/api/machinery/object.ts'
import { startCluster } from '../../src/cmd/testing.ts'
import { CONTROLLER_ACCOUNTS } from '../../src/controllers/accounts.ts'

type Bound = KubeObject & { subjects?: unknown }

test('every controller’s account has the role and the binding that Kubernetes gives it', async () => {
  await using cluster = await startCluster({ controllers: false, nodes: 0 })
  for (const account of new Set(Object.values(CONTROLLER_ACCOUNTS))) {
    const name = `system:controller:${account}`
    // What has to do with kube-system alone has its rights there alone.
    const inside = !(await cluster.objects('ClusterRole').find({ name }))
    const ref = { name, ...(inside && { namespace: 'kube-system' }) }
    assert.ok(await cluster.objects(inside ? 'Role' : 'ClusterRole').find(ref), account)
    const binding = await cluster.objects<Bound>(inside ? 'RoleBinding' : 'ClusterRoleBinding').find(ref)
    assert.deepEqual(binding?.subjects, [{ kind: 'ServiceAccount', namespace: 'kube-system', name: account }])
  }
})

const deployment = (name: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas: 0,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image: 'host' }] } },
  },
})

test('a controller has the rights of its account and no others', async () => {
  await using cluster = await startCluster({ nodes: 0, clock: 'virtual' })
  const { registry } = cluster.server
  const made = () => registry.reader(registry.kind('apps/v1/replicasets')!).list('default').length
  await cluster.create(deployment('first'))
  await cluster.until(() => made() === 1)
  await cluster.objects('ClusterRoleBinding').delete({ name: 'system:controller:deployment-controller' })
  await cluster.create(deployment('second'))
  await cluster.advance(2000)
  assert.equal(made(), 1, 'without its role it makes none')
})
