/** Client libraries of other hands against a whole Tutti: JavaScript's with its informers, Python's. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  AppsV1Api,
  CoreV1Api,
  KubeConfig,
  KubernetesObjectApi,
  makeInformer,
  type V1ConfigMap,
  Watch,
} from '@kubernetes/client-node'
import { execute, startE2eCluster } from './cluster.ts'

async function start(t: TestContext) {
  const cluster = await startE2eCluster()
  t.after(cluster.delete)
  return cluster
}

test('@kubernetes/client-node reads, writes, watches and keeps informers', async t => {
  const { kubeconfig } = await start(t)
  const config = new KubeConfig()
  config.loadFromFile(kubeconfig)
  const core = config.makeApiClient(CoreV1Api)

  const namespace = 'default'
  const labelSelector = 'of=test'
  const informer = makeInformer<V1ConfigMap>(
    config,
    `/api/v1/namespaces/${namespace}/configmaps`,
    () => core.listNamespacedConfigMap({ namespace, labelSelector }),
    labelSelector,
  )
  const seen: string[] = []
  const waiting = new Map<string, () => void>()
  for (const verb of ['add', 'update', 'delete'] as const) {
    informer.on(verb, object => {
      const event = `${verb} ${object.metadata?.name} ${object.data?.x}`
      seen.push(event)
      waiting.get(event)?.()
    })
  }
  const until = (event: string) =>
    seen.includes(event) ? Promise.resolve() : new Promise<void>(resolve => waiting.set(event, resolve))

  const make = (name: string, x: string) => ({ metadata: { name, labels: { of: 'test' } }, data: { x } })
  await core.createNamespacedConfigMap({ namespace, body: make('before', '1') })
  await informer.start()
  t.after(() => informer.stop())
  await until('add before 1')
  await core.createNamespacedConfigMap({ namespace, body: make('after', '1') })
  await until('add after 1')
  await core.replaceNamespacedConfigMap({ namespace, name: 'after', body: make('after', '2') })
  await until('update after 2')
  await core.deleteNamespacedConfigMap({ namespace, name: 'before' })
  await until('delete before 1')

  const objects = KubernetesObjectApi.makeApiClient(config)
  const applied = await objects.patch(
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied', namespace }, data: { y: '1' } } as V1ConfigMap,
    undefined,
    undefined,
    'tester',
    true,
    'application/apply-patch+yaml',
  )
  assert.equal(applied.metadata?.managedFields?.[0]?.manager, 'tester')

  const apps = config.makeApiClient(AppsV1Api)
  await assert.rejects(
    apps.createNamespacedDeployment({ namespace, body: { metadata: { name: 'bad' } } }),
    (error: { code: number; body: string }) => error.code === 422 && /spec\.selector: Required value/.test(error.body),
  )

  const events: string[] = []
  const ended = new Promise<void>((resolve, reject) => {
    const query = { timeoutSeconds: 1, sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' }
    new Watch(config).watch(
      '/api/v1/namespaces',
      { ...query, allowWatchBookmarks: true },
      (type: string, object: { metadata: { name?: string } }) => events.push(`${type} ${object.metadata.name ?? ''}`),
      error => (error ? reject(error) : resolve()),
    )
  })
  await ended
  assert.ok(events.includes('ADDED kube-system'), events.join())
  assert.equal(events.at(-1), 'BOOKMARK ')
})

/** A Python with the client in it, made once; or why there is none. */
function python(): { readonly path: string } | { readonly missing: string } {
  const folder = join(import.meta.dirname, '../../node_modules/.cache/tools/python')
  const path = join(folder, 'bin/python')
  try {
    if (!existsSync(join(folder, 'complete'))) {
      execFileSync('python3', ['-m', 'venv', folder], { stdio: 'pipe' })
      execFileSync(path, ['-m', 'pip', 'install', '--quiet', 'kubernetes==36.0.3'], { stdio: 'pipe' })
      execFileSync('touch', [join(folder, 'complete')])
    }
    return { path }
  } catch (error) {
    return { missing: `no Python with the kubernetes client: ${String((error as Error).message).split('\n')[0]}` }
  }
}

test("Python's kubernetes client", async t => {
  const found = python()
  if ('missing' in found) return t.skip(found.missing)
  const { kubeconfig } = await start(t)
  const script = join(import.meta.dirname, '../fixtures/python/first_day.py')
  const { code, stdout, stderr } = await execute(found.path, [script, kubeconfig])
  assert.equal(code, 0, stderr)
  assert.equal(stdout, 'done\n')
})
