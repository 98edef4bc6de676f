/** The unmodified Helm 4 with a small chart, against a whole Tutti: hooks, upgrades, rollbacks, tests, waiting. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { helmPath, toolsMissing } from '../tools.ts'
import { execute, startE2eCluster } from './cluster.ts'
import { until } from './load.ts'

const chart = join(import.meta.dirname, '../fixtures/chart')

test('helm', { skip: toolsMissing ?? false }, async t => {
  const cluster = await startE2eCluster()
  t.after(cluster.delete)
  const home = join(cluster.kubeconfig, '..')
  const env = {
    ...process.env,
    KUBECONFIG: cluster.kubeconfig,
    HELM_CACHE_HOME: join(home, 'helm/cache'),
    HELM_CONFIG_HOME: join(home, 'helm/config'),
    HELM_DATA_HOME: join(home, 'helm/data'),
  }
  const tryHelm = (line: string) => execute(helmPath(), line.split(' '), { env })
  const helm = async (line: string) => {
    const { code, stdout, stderr } = await tryHelm(line)
    assert.equal(code, 0, `helm ${line}: ${stderr}${stdout}`)
    return stdout
  }
  const kubectl = (line: string) => cluster.kubectl(line.split(' '))
  const logs = () => kubectl('logs -l app.kubernetes.io/instance=demo,app.kubernetes.io/name=greeter')

  await t.test('install --wait runs the hook and returns when all is ready', async () => {
    const output = await helm(`install demo ${chart} --wait --timeout 120s`)
    assert.match(output, /STATUS: deployed[\s\S]*hello from demo/)
    assert.equal(await kubectl('get deployment demo -o jsonpath={.status.readyReplicas}'), '1')
    assert.equal(await logs(), 'hello\n')
    assert.equal(await kubectl('get jobs -o name'), '', 'the hook is deleted when it has succeeded')
    assert.match(await kubectl('auth can-i get configmap/demo --as=system:serviceaccount:default:demo'), /^yes/)
  })

  await t.test('list and status name the release', async () => {
    assert.match(await helm('list'), /demo\s+default\s+1\s.*deployed\s+greeter-0\.1\.0/)
    assert.match(await helm('status demo'), /STATUS: deployed\nREVISION: 1/)
    assert.match(await helm('get manifest demo'), /kind: RoleBinding/)
  })

  await t.test('test runs the test hook', async () => {
    assert.match(await helm('test demo --timeout 120s'), /TEST SUITE:\s+demo-check[\s\S]*Phase:\s+Succeeded/)
  })

  await t.test('upgrade changes what differs, and an install of the same name is refused', async () => {
    await helm(`upgrade demo ${chart} --set greeting=servus,replicas=2 --wait --timeout 120s`)
    assert.equal(await kubectl('get deployment demo -o jsonpath={.status.readyReplicas}'), '2')
    assert.match(await logs(), /servus/)
    assert.match((await tryHelm(`install demo ${chart}`)).stderr, /cannot reuse a name that is still in use/)
  })

  await t.test(
    'upgrade --wait tells of a version that does not become ready, and rollback brings the old one',
    async () => {
      const failed = await tryHelm(`upgrade demo ${chart} --set broken=true --wait --timeout 3s`)
      assert.notEqual(failed.code, 0)
      assert.match(failed.stderr, /UPGRADE FAILED/)
      assert.match(await helm('list'), /demo\s+default\s+3\s.*failed/)
      await helm('rollback demo 2 --wait --timeout 120s')
      assert.match(await helm('history demo'), /4\s.*deployed.*Rollback to 2/)
      assert.equal(await kubectl('get deployment demo -o jsonpath={.status.readyReplicas}'), '2')
    },
  )

  await t.test('uninstall --wait takes everything away', async () => {
    assert.match(await helm('uninstall demo --wait --timeout 120s'), /release "demo" uninstalled/)
    // Pods end in the background, when what owned them is gone.
    await until('nothing of it is left', async () => {
      const left = await kubectl('get all,configmaps,secrets,serviceaccounts,roles,rolebindings -o name')
      return !left.split('\n').some(name => /demo/.test(name) && !/demo-check/.test(name))
    })
    assert.equal((await helm('list -q')).trim(), '')
  })
})
