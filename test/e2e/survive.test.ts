/** `kill -9` of Tutti itself, under writes and with workloads running: nothing acknowledged is lost, nothing restarts. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { connectBench } from '../../bench/lib/cluster.ts'
import { toolsMissing } from '../tools.ts'
import { startE2eCluster } from './cluster.ts'
import { ask, startLoad, until } from './load.ts'
import { processesWith } from './processes.ts'
import { webManifest } from './web.ts'

const PORT = 18_432
const manifest = webManifest({ port: PORT, replicas: 2, graceSeconds: 2 })
/** Counts until the file is there. */
const counter = (file: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'counter' },
  spec: {
    runtimeClassName: 'process',
    terminationGracePeriodSeconds: 1,
    restartPolicy: 'Never',
    containers: [
      {
        name: 'main',
        image: 'host',
        command: [
          'sh',
          '-c',
          `i=0; until [ -e ${file} ]; do i=$((i+1)); echo line $i; sleep 0.1; done; echo $i lines; exit 9`,
        ],
      },
    ],
  },
})

test('tutti is killed with SIGKILL under load and comes back', { skip: toolsMissing ?? false }, async t => {
  const cluster = await startE2eCluster()
  t.after(() => cluster.delete())

  await cluster.kubectl(['apply', '-f', '-'], { input: manifest })
  await cluster.kubectl(['rollout', 'status', 'deployment/web', '--timeout=120s'])
  const counted = join(cluster.dataDir, '..', 'counted')
  await cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify(counter(counted)) })
  await cluster.kubectl(['wait', '--for=condition=Ready', 'pod/counter', '--timeout=120s'])
  const url = `http://127.0.0.1:${PORT}/`
  await until('the address answers', () => ask(url).catch(() => undefined))
  const podsBefore = await cluster.kubectl([
    'get',
    'pods',
    '-l',
    'app=web',
    '-o',
    'jsonpath={range .items[*]}{.metadata.uid} {.status.containerStatuses[0].restartCount}{"\\n"}{end}',
  ])
  const hosts = new Set<string>()
  await until('both instances answer', async () => {
    hosts.add((await ask(url)).host)
    return hosts.size === 2
  })
  const pidsOf = () => [...hosts].flatMap(host => processesWith('HOSTNAME', host, 'server.mjs')).sort()
  const pidsBefore = pidsOf()
  assert.ok(pidsBefore.length >= 2)

  // Writers that note what was acknowledged, until the connection breaks.
  const writer = connectBench('Tutti', cluster.kubeconfig)
  const acknowledged: string[] = []
  let broken = false
  const write = async (worker: number) => {
    for (let i = 0; !broken; i++) {
      const name = `w-${worker}-${i}`
      try {
        await writer.call('POST', '/api/v1/namespaces/default/configmaps', {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name },
          data: { i: String(i) },
        })
        acknowledged.push(name)
      } catch {
        broken = true
      }
    }
  }
  t.after(() => {
    broken = true
    writer.close()
  })
  const writers = Promise.all(Array.from({ length: 8 }, (_, worker) => write(worker)))
  const network = JSON.parse((await cluster.tutti(['status', '--json'])).stdout).network.mode as string
  const stopLoad = network === 'kernel' ? startLoad(url, 2) : undefined
  if (stopLoad) t.after(stopLoad)
  await until('500 writes are acknowledged', async () => acknowledged.length >= 500)
  process.kill(cluster.pid(), 'SIGKILL')
  await until('the writers see it', async () => broken)
  await writers
  writer.close()
  if (network === 'kernel') {
    const words = ['up', '--network', 'kernel', '--port', '0', '--data-dir', join(cluster.dataDir, '../other')]
    const { code, stderr } = await cluster.tutti(words)
    assert.equal(code, 1, 'another cluster may not take the network of pods that run on')
    assert.match(stderr, /what runs on of the cluster in .*data has it .*tutti delete --data-dir .*data\)/)
  }
  // Down for a moment, in which the workloads and the kernel's tables must carry on.
  await new Promise(resolve => setTimeout(resolve, 1500))
  await cluster.up()

  await t.test('every acknowledged write is there', async () => {
    const names = new Set(
      (await cluster.kubectl(['get', 'configmaps', '-o', 'jsonpath={.items[*].metadata.name}'])).split(' '),
    )
    t.diagnostic(`${acknowledged.length} writes were acknowledged`)
    assert.deepEqual(
      acknowledged.filter(name => !names.has(name)),
      [],
    )
  })

  await t.test('no process was restarted', async () => {
    const podsAfter = await cluster.kubectl([
      'get',
      'pods',
      '-l',
      'app=web',
      '-o',
      'jsonpath={range .items[*]}{.metadata.uid} {.status.containerStatuses[0].restartCount}{"\\n"}{end}',
    ])
    assert.equal(podsAfter, podsBefore)
    assert.deepEqual(pidsOf(), pidsBefore)
    for (let i = 0; i < 10; i++) assert.ok(hosts.has((await ask(url)).host))
  })

  await t.test(
    'the service carried traffic all along',
    { skip: stopLoad ? false : 'only the kernel network reaches loopback without the program' },
    async () => {
      const result = await stopLoad!()
      t.diagnostic(`${result.sent} requests, ${result.failures.length} failed`)
      assert.ok(result.sent > 100)
      assert.deepEqual(result.failures, [])
    },
  )

  await t.test('logs have no gap and exit codes are known', async () => {
    writeFileSync(counted, '')
    await until(
      'the counter has ended',
      async () => (await cluster.kubectl(['get', 'pod', 'counter', '-o', 'jsonpath={.status.phase}'])) === 'Failed',
    )
    assert.equal(
      await cluster.kubectl([
        'get',
        'pod',
        'counter',
        '-o',
        'jsonpath={.status.containerStatuses[0].state.terminated.exitCode}',
      ]),
      '9',
    )
    const lines = (await cluster.kubectl(['logs', 'counter'])).trim().split('\n')
    assert.ok(lines.length > 20, `${lines.length} lines`)
    assert.deepEqual(lines, [
      ...Array.from({ length: lines.length - 1 }, (_, i) => `line ${i + 1}`),
      `${lines.length - 1} lines`,
    ])
  })

  await t.test('down stops the workloads, and up brings them back', async () => {
    const { code, stderr } = await cluster.tutti(['down'])
    assert.equal(code, 0, stderr)
    assert.deepEqual(pidsOf(), [])
    await cluster.up()
    await cluster.kubectl(['rollout', 'status', 'deployment/web', '--timeout=120s'])
    await until('the address answers', () => ask(url).catch(() => undefined))
  })
})
