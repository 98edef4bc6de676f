/** The tutorial of an orchestrator's first day, with the real kubectl, real processes and real traffic. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toolsMissing } from '../tools.ts'
import { startE2eCluster } from './cluster.ts'
import { ask, startLoad, until } from './load.ts'
import { processesWith } from './processes.ts'
import { webManifest } from './web.ts'

const PORT = 18_431
const url = `http://127.0.0.1:${PORT}/`
const manifest = webManifest({
  port: PORT,
  replicas: 3,
  graceSeconds: 10,
  container: { env: [{ name: 'VERSION', value: 'v1' }], lifecycle: { preStop: { sleep: { seconds: 1 } } } },
})

interface PodList {
  items: {
    metadata: { name: string; deletionTimestamp?: string }
    status: { conditions?: { type: string; status: string }[]; containerStatuses?: { restartCount: number }[] }
  }[]
}

const options = { skip: toolsMissing ?? false }

test('the first day of a user', options, async t => {
  const cluster = await startE2eCluster()
  t.after(() => cluster.delete())

  const pods = async () =>
    (JSON.parse(await cluster.kubectl(['get', 'pods', '-l', 'app=web', '-o', 'json'])) as PodList).items
  const ready = async () =>
    (await pods()).filter(
      pod =>
        !pod.metadata.deletionTimestamp &&
        pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
    )
  const progressIn = (progressDeadlineSeconds: number) =>
    cluster.kubectl(['patch', 'deployment/web', '-p', JSON.stringify({ spec: { progressDeadlineSeconds } })])
  const isReady = (n: number) => until(`${n} pods ready`, async () => (await ready()).length === n)

  await t.test(
    'a Deployment of 3 and a Service are applied, become ready, and applying them again changes nothing',
    async () => {
      await cluster.kubectl(['apply', '-f', '-'], { input: manifest })
      await cluster.kubectl(['rollout', 'status', 'deployment/web', '--timeout=120s'])
      const again = await cluster.kubectl(['apply', '-f', '-'], { input: manifest })
      assert.match(again, /service\/web unchanged\ndeployment.apps\/web unchanged/)
      assert.match(await cluster.kubectl(['get', 'deployments,pods']), /deployment.apps\/web\s+3\/3\s+3\s+3/)
      await until('the address answers', () => ask(url).catch(() => undefined))
    },
  )

  await t.test('after scaling to 5, requests are spread over all 5', async () => {
    await cluster.kubectl(['scale', 'deployment/web', '--replicas=5'])
    await isReady(5)
    const seen = new Set<string>()
    await until('5 instances answer', async () => {
      for (let i = 0; i < 20; i++) seen.add((await ask(url)).host)
      return seen.size === 5
    })
  })

  await t.test('an instance that is killed under load is replaced; the others go on answering', async t => {
    const stop = startLoad(url)
    t.after(stop)
    const { host } = await ask(url)
    const [pid] = processesWith('HOSTNAME', host, 'server.mjs')
    assert.ok(pid, `no process of ${host} was found`)
    await new Promise(resolve => setTimeout(resolve, 300))
    process.kill(pid, 'SIGKILL')
    await until('the restart is counted', async () =>
      (await pods()).some(pod => (pod.status.containerStatuses?.[0]?.restartCount ?? 0) > 0),
    )
    await isReady(5)
    const result = await stop()
    t.diagnostic(
      `${result.failures.length} of ${result.sent} requests failed: ${[...new Set(result.failures)].join('; ')}`,
    )
    assert.ok(result.sent > 50, `only ${result.sent} requests were sent`)
    // What was in flight at the killed one is lost, and what came until its endpoint was gone; not more.
    assert.ok(
      result.failures.length <= result.sent / 10,
      `${result.failures.length} of ${result.sent} failed: ${result.failures.slice(0, 5).join('; ')}`,
    )
  })

  await t.test('a new version rolls out under load with no failed request', async t => {
    const stop = startLoad(url)
    t.after(stop)
    await cluster.kubectl(['set', 'env', 'deployment/web', 'VERSION=v2'])
    await cluster.kubectl(['rollout', 'status', 'deployment/web', '--timeout=120s'])
    await until('only v2 answers', async () =>
      (await Promise.all(Array.from({ length: 10 }, () => ask(url)))).every(({ version }) => version === 'v2'),
    )
    const result = await stop()
    t.diagnostic(
      `${result.sent} requests: ${[...result.versions].map(([version, n]) => `${n} by ${version}`).join(', ')}`,
    )
    assert.deepEqual(result.failures, [])
    assert.deepEqual([...result.versions.keys()].sort(), ['v1', 'v2'])
  })

  await t.test(
    'a broken version stops rolling while the old one goes on serving, and undo brings it to rest',
    async () => {
      const stop = startLoad(url)
      t.after(stop)
      await progressIn(5)
      await cluster.kubectl(['set', 'env', 'deployment/web', 'BROKEN=yes'])
      const { code, stderr } = await cluster.tryKubectl(['rollout', 'status', 'deployment/web', '--timeout=120s'])
      assert.notEqual(code, 0)
      assert.match(stderr, /exceeded its progress deadline/)
      // A slow machine may not have come to its end yet, or be starting it again.
      await until('the cause is named', async () => {
        const why = await cluster.tutti(['why', 'deploy/web'])
        return why.code === 1 && /exit code 3/.test(why.stdout)
      })
      // The time is for what is broken alone: a machine may be slow.
      await progressIn(600)
      await cluster.kubectl(['rollout', 'undo', 'deployment/web'])
      await cluster.kubectl(['rollout', 'status', 'deployment/web', '--timeout=120s'])
      const result = await stop()
      assert.deepEqual(result.failures, [])
      assert.deepEqual([...result.versions.keys()], ['v2'])
      assert.match(await cluster.kubectl(['rollout', 'history', 'deployment/web']), /REVISION/)
    },
  )

  await t.test('deleting the Deployment ends every process', async () => {
    const { host } = await ask(url)
    assert.notEqual(processesWith('HOSTNAME', host).length, 0)
    await cluster.kubectl(['delete', 'deployment/web', 'service/web'])
    await until('the pods are gone', async () => (await pods()).length === 0)
    assert.deepEqual(processesWith('HOSTNAME', host), [])
  })
})
