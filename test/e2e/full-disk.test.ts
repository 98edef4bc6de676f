/** A data directory without space: at the start, and while the cluster runs. On small file systems of its own. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { toolsMissing } from '../tools.ts'
import { type E2eCluster, execute, startE2eCluster, tuttiPath } from './cluster.ts'
import { until } from './load.ts'
import { rawApi } from './raw.ts'

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'
const skip = toolsMissing ?? (process.getuid?.() === 0 ? false : 'only root may mount a small file system')

/** Mounts a file system of `size` for one test, which ends with `end` of what is on it. */
function smallDisk(t: TestContext, size: string, end: () => Promise<unknown>): string {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder])
  t.after(async () => {
    await end()
    execFileSync('umount', ['-l', folder])
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

/** Takes all room of a file system; returns what gives it back. */
function fill(folder: string): () => void {
  const file = join(folder, 'filler')
  const handle = openSync(file, 'w')
  try {
    for (;;) writeSync(handle, Buffer.alloc(4096))
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC')
  }
  return () => {
    closeSync(handle)
    rmSync(file)
  }
}

test('tutti up says that the data directory has no space, and starts once it has', { skip }, async t => {
  for (const size of ['64k', '256k']) {
    const run = (...args: string[]) =>
      execute(tuttiPath, [...args, '--data-dir', join(disk, 'data')], {
        env: { ...process.env, HOME: disk, NO_COLOR: '1' },
      })
    const disk = smallDisk(t, size, () => run('delete', '--yes'))
    const up = () => run('up', '--port', '0', '--network', 'portable')
    const { code, stderr } = await up()
    assert.equal(code, 1)
    assert.match(stderr, /error: no room left for the store: .*full.*state\.db/)
    assert.match(stderr, /Make room on this disk, then start again: nothing is lost\./)
    execFileSync('mount', ['-o', 'remount,size=32m', disk])
    const again = await up()
    assert.equal(again.code, 0, again.stderr)
  }
})

test('a disk that fills refuses writes, answers reads, and loses nothing', { skip }, async t => {
  let cluster: E2eCluster | undefined
  const disk = smallDisk(t, '24m', async () => cluster?.delete())
  // The pod has to live through it: it is not to be evicted.
  const settings =
    'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nevictionHard: {nodefs.available: 0%}\n'
  cluster = await startE2eCluster(['--network', 'portable'], disk, { 'kubelet.yaml': settings })
  const api = rawApi(cluster.kubeconfig)
  const pid = cluster.pid()
  const acknowledged: string[] = []
  const write = async (name: string) => {
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { a: 'x'.repeat(5000) } }
    const answer = await api.send('POST', CONFIG_MAPS, JSON.stringify(object), { 'content-type': 'application/json' })
    if (answer.status === 201) acknowledged.push(name)
    return answer
  }
  const canary = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'canary' },
    spec: {
      runtimeClassName: 'process',
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: 'main',
          image: 'host',
          command: ['sh', '-c', 'while :; do echo "a line of a log that has no room"; sleep 0.1; done'],
          livenessProbe: { exec: { command: ['true'] }, periodSeconds: 1, timeoutSeconds: 10 },
        },
      ],
    },
  }
  await cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify(canary) })
  await cluster.kubectl(['wait', '--for=condition=Ready', 'pod/canary', '--timeout=120s'])

  let empty = fill(disk)
  for (let i = 0; i < 3; i++) {
    for (let n = 0; n < 20; n++) await write(`full-${i}-${n}`)
    const refused = await write(`refused-${i}`)
    assert.equal(refused.status, 503)
    const { kind, reason, message } = JSON.parse(refused.text)
    assert.deepEqual([kind, reason], ['Status', 'ServiceUnavailable'])
    assert.match(message, /the data directory has no space left/)
    // Pods' logs, probes and heartbeats go on meanwhile.
    await new Promise(resolve => setTimeout(resolve, 2000))
    for (const path of ['/readyz', CONFIG_MAPS, '/api/v1/nodes'])
      assert.equal((await api.send('GET', path)).status, 200)
    empty()
    await until('writes are taken again', async () => (await write(`after-${i}-${Date.now()}`)).status === 201)
    empty = fill(disk)
  }
  empty()

  const names = async () =>
    (await cluster.kubectl(['get', 'configmaps', '-o', 'jsonpath={.items[*].metadata.name}'])).split(' ')
  const lost = async () => {
    const found = new Set(await names())
    return acknowledged.filter(name => !found.has(name))
  }
  assert.deepEqual(await lost(), [])
  assert.equal(cluster.pid(), pid, 'the program was restarted')
  const restarts = [
    'get',
    'pod',
    'canary',
    '-o',
    'jsonpath={.status.phase} {.status.containerStatuses[0].restartCount}',
  ]
  assert.equal(await cluster.kubectl(restarts), 'Running 0')

  process.kill(pid, 'SIGKILL')
  await cluster.up()
  assert.deepEqual(await lost(), [])
  assert.ok(!(await names()).some(name => name.startsWith('refused-')), 'a write that was refused came back')
  assert.equal(await cluster.kubectl(restarts), 'Running 0')
})
