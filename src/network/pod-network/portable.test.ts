import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { PodRequest } from './pod-network.ts'
import { startPortablePodNetwork } from './portable.ts'

const pod = (uid: string): PodRequest => ({
  namespace: 'default',
  name: uid,
  uid,
  hostname: uid,
  ports: [{ containerPort: 8080, protocol: 'TCP' }],
})

function folder(t: { after(run: () => void): void }): string {
  const path = mkdtempSync(join(tmpdir(), 'tutti-portable-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

test('startPortablePodNetwork gives each pod a port of its own, the same one after a restart', async t => {
  const directory = folder(t)
  const before = startPortablePodNetwork(directory, 'cluster.local')
  const [a, b] = await Promise.all([before.setup(pod('a')), before.setup(pod('b'))])
  assert.notEqual(a.ports?.[8080], b.ports?.[8080])
  const after = startPortablePodNetwork(directory, 'cluster.local')
  assert.deepEqual(await after.setup(pod('a')), a)
  const c = await after.setup(pod('c'))
  assert.ok(![a, b].some(({ ports }) => ports?.[8080] === c.ports?.[8080]))
})

test('startPortablePodNetwork passes over a port that something listens on', async t => {
  const network = startPortablePodNetwork(folder(t), 'cluster.local')
  const port = (await network.setup(pod('a'))).ports![8080]!
  const server = createServer().listen(port + 1, '127.0.0.1')
  t.after(() => server.close())
  await new Promise(resolve => server.once('listening', resolve))
  assert.notEqual((await network.setup(pod('b'))).ports![8080], port + 1)
})

test('startPortablePodNetwork begins at another port in each cluster, as one machine may have several', async t => {
  const ports = new Set<number>()
  for (let i = 0; i < 6; i++) {
    const { ports: given } = await startPortablePodNetwork(folder(t), 'cluster.local').setup(pod('a'))
    ports.add(given![8080]!)
  }
  assert.ok(ports.size > 1, `all begin at ${[...ports]}`)
})
