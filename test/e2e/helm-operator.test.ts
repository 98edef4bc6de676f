/** Helm with a chart as operators' charts are: a custom kind, webhooks with a certificate of the chart's making, hooks. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { helmPath, toolsMissing } from '../tools.ts'
import { execute, startE2eCluster } from './cluster.ts'

const chart = join(import.meta.dirname, '../fixtures/operator-chart')

/** A plugin of Helm that gives every object of a chart a label on its way to the cluster. */
function writePostRenderer(folder: string): void {
  mkdirSync(folder, { recursive: true })
  const plugin = {
    apiVersion: 'v1',
    type: 'postrenderer/v1',
    name: 'stamp',
    version: '1.0.0',
    runtime: 'subprocess',
    runtimeConfig: {
      platformCommand: [{ command: process.execPath, args: [join(import.meta.dirname, '../fixtures/stamp.mjs')] }],
    },
  }
  writeFileSync(join(folder, 'plugin.yaml'), JSON.stringify(plugin))
}

const loaf = (name: string, spec: object) =>
  JSON.stringify({ apiVersion: 'bakery.example.com/v1', kind: 'Loaf', metadata: { name }, spec })

test('helm with a chart of an operator', { skip: toolsMissing ?? false }, async t => {
  const cluster = await startE2eCluster()
  t.after(cluster.delete)
  const home = join(cluster.kubeconfig, '..')
  const env = {
    ...process.env,
    KUBECONFIG: cluster.kubeconfig,
    HELM_CACHE_HOME: join(home, 'helm/cache'),
    HELM_CONFIG_HOME: join(home, 'helm/config'),
    HELM_DATA_HOME: join(home, 'helm/data'),
    HELM_PLUGINS: join(home, 'helm/plugins'),
  }
  const tryHelm = (line: string) => execute(helmPath(), line.split(' '), { env })
  const helm = async (line: string) => {
    const { code, stdout, stderr } = await tryHelm(line)
    assert.equal(code, 0, `helm ${line}: ${stderr}${stdout}`)
    return stdout
  }
  const kubectl = (line: string) => cluster.kubectl(line.split(' '))
  const apply = (input: string) => cluster.tryKubectl(['apply', '-f', '-'], { input })

  await t.test('install --wait brings kind, webhook and, by a hook, an object of the kind', async () => {
    await helm(`install bakery ${chart} --wait --timeout 120s`)
    assert.match(await kubectl('get lf'), /NAME\s+FLOUR\s+GRAMS\s+AGE\nbakery-first\s+rye\s+500\s/)
    const labels = await kubectl('get loaf bakery-first -o jsonpath={.metadata.labels.baked}')
    assert.equal(labels, 'yes', 'the mutating webhook was asked')
  })

  await t.test('the webhook refuses in its own words, the schema and its rule in theirs', async () => {
    const heavy = await apply(loaf('heavy', { flour: 'rye', grams: 3000 }))
    assert.match(
      heavy.stderr,
      /admission webhook "weight\.bakery\.example\.com" denied the request: a loaf of 3000 g is too heavy/,
    )
    const strange = await apply(loaf('strange', { flour: 'sand' }))
    assert.match(strange.stderr, /spec\.flour: Unsupported value: "sand": supported values: "rye", "wheat", "spelt"/)
    const other = await apply(loaf('bakery-first', { flour: 'wheat' }))
    assert.match(other.stderr, /a loaf keeps its flour/)
  })

  await t.test('objects of the kind scale, are explained and stand in their category', async () => {
    await kubectl('scale loaf bakery-first --replicas=3')
    assert.equal(await kubectl('get loaf bakery-first -o jsonpath={.spec.count}'), '3')
    assert.match(await kubectl('explain loaf.spec.flour'), /ENUM:\s+rye\s+wheat\s+spelt/)
    assert.match(await kubectl('get food -o name'), /loaf\.bakery\.example\.com\/bakery-first/)
  })

  await t.test('upgrade keeps the certificate that lookup finds', async () => {
    const certificate = () => kubectl('get secret bakery-webhook -o jsonpath={.data.tls\\.crt}')
    const before = await certificate()
    await helm(`upgrade bakery ${chart} --set heaviest=4000 --wait --timeout 120s`)
    assert.equal(await certificate(), before)
    assert.equal((await apply(loaf('heavy', { flour: 'rye', grams: 3000 }))).code, 0)
  })

  await t.test('upgrade --rollback-on-failure goes back by itself', async () => {
    const failed = await tryHelm(
      `upgrade bakery ${chart} --set replicas=nonsense --rollback-on-failure --wait --timeout 20s`,
    )
    assert.notEqual(failed.code, 0)
    assert.match(await helm('history bakery'), /3\s.*failed[\s\S]*4\s.*deployed.*Rollback to 2/)
  })

  await t.test('a post-renderer changes what is sent', async () => {
    writePostRenderer(join(home, 'helm/plugins/stamp'))
    await helm(`upgrade bakery ${chart} --post-renderer stamp --wait --timeout 120s`)
    assert.match(
      await kubectl('get deployments,services,secrets -l stamped=here -o name'),
      /deployment[\s\S]*service[\s\S]*secret/,
    )
  })

  await t.test('test runs the test pod', async () => {
    assert.match(await helm('test bakery --timeout 120s'), /TEST SUITE:\s+bakery-answers[\s\S]*Phase:\s+Succeeded/)
  })

  await t.test('uninstall leaves the kind, as Helm does, and deleting it takes its objects along', async () => {
    await helm('uninstall bakery --wait --timeout 120s')
    assert.match(await kubectl('get loaves -o name'), /heavy/)
    await kubectl('delete crd loaves.bakery.example.com')
    const gone = await cluster.tryKubectl(['get', 'loaves'])
    assert.match(gone.stderr, /could not find the requested resource|have a resource type/)
  })
})
