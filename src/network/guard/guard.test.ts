/** What other programs do to a node's tables, over the whole of its network and a real API server. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { ADMIN, startServer, type TestServer } from '../../apiserver/bootstrap/server.fixture.ts'
import { createClient } from '../../client/client.ts'
import { createInformers } from '../../client/informers.ts'
import { realClock } from '../../lib/clock.ts'
import { eventually } from '../../lib/eventually.fixture.ts'
import { silent } from '../../lib/log.ts'
import { type Network, prepareNetwork } from '../network.ts'
import { inOwnNetwork } from '../testing/own-network.ts'
import { podRequest } from '../testing/pods.ts'
import { attempt, run } from '../tools/command.ts'

/** By another program, and what it changes of ours. */
const BLOWS: readonly (readonly [string, readonly string[]])[] = [
  ['delete table ip tutti', ['ip tutti']],
  ['flush ruleset', ['ip tutti', 'ip tutti-pods', 'ip tutti-policy']],
  ['flush map ip tutti endpoints', ['ip tutti']],
  ['flush chain ip tutti services', ['ip tutti']],
  ['delete element ip tutti services { 10.96.0.77 . tcp . 80 }', ['ip tutti']],
  ['add rule ip tutti-policy egress-forward accept', ['ip tutti-policy']],
  ['add table ip tutti { flags dormant; }', ['ip tutti']],
]

const SERVICE = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'default' },
  spec: { clusterIP: '10.96.0.77', type: 'NodePort', ports: [{ name: 'http', port: 80 }] },
}
const SLICE = {
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'web', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  endpoints: [{ addresses: ['10.244.0.5'] }, { addresses: ['10.244.0.6'] }],
  ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
}
const POLICY = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'deny', namespace: 'default' },
  spec: { podSelector: {} },
}
const SLICES = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices'

/** All that stands, in whatever order the kernel tells it. */
async function ruleset(): Promise<string> {
  const listed = await run('nft', ['list', 'ruleset'])
  return listed
    .split(/[,{}\n]/)
    .map(part => part.trim())
    .filter(Boolean)
    .sort()
    .join('\n')
}

inOwnNetwork(import.meta.filename, 'createGuard keeps tables in a network of its own', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'tutti-guard-'))
  const scope = new AbortController()
  const told: string[][] = []
  const missing: string[][] = []
  let onTold = () => {}
  const logger = {
    ...silent,
    warn(context: object) {
      if ('tables' in context) told.push(context.tables as string[])
      if ('missing' in context) missing.push(context.missing as string[])
      onTold()
    },
  }
  const deps = { clock: realClock, logger }
  let server: TestServer
  let network: Network

  before(async () => {
    server = await startServer()
    const prepared = await prepareNetwork(
      { mode: 'kernel', dataDir, nodeName: 'node-1', netnsDirectory: join(dataDir, 'netns') },
      deps,
    )
    const client = createClient(server.server.transport(ADMIN))
    network = await prepared.start({ client, informers: createInformers(client, deps, scope.signal) }, scope.signal)
    await server.send(ADMIN, 'POST', '/api/v1/namespaces/default/services', SERVICE)
    await server.send(ADMIN, 'POST', SLICES, SLICE)
    await server.send(ADMIN, 'POST', '/apis/networking.k8s.io/v1/namespaces/default/networkpolicies', POLICY)
    const host = { containerPort: 8080, protocol: 'TCP', hostPort: 9091 }
    await network.podNetwork.setup({ ...podRequest(1), ports: [host] })
  })
  after(async () => {
    await network.podNetwork.teardown(podRequest(1).uid)
    await network.close()
    scope.abort()
    await server.server.close()
    await attempt('sh', ['-c', `umount -l ${dataDir}/netns/*`])
    rmSync(dataDir, { recursive: true })
  })

  test('createGuard is not told of what the node changes itself', async () => {
    await network.idle()
    const endpoints = [{ addresses: ['10.244.0.7'] }, { addresses: ['10.244.0.6'] }]
    const changed = await server.send(ADMIN, 'PUT', `${SLICES}/web`, { ...SLICE, endpoints })
    assert.equal(changed.status, 200)
    await network.idle()
    await run('nft', ['add', 'table', 'ip', 'others'])
    await run('nft', ['delete', 'table', 'ip', 'others'])
    assert.deepEqual(told, [])
  })

  for (const [blow, tables] of BLOWS)
    test(`createGuard builds anew after: nft ${blow}`, async () => {
      await network.idle()
      const stood = await ruleset()
      told.length = 0
      const heard = new Promise<void>(resolve => {
        onTold = resolve
      })
      await run('nft', [blow])
      await heard
      await eventually(async () => assert.equal(await ruleset(), stood))
      // Of the blow before, a piece may have been heard late.
      for (const table of tables) assert.ok(told.flat().includes(table), `${table} in ${told}`)
    })

  for (const blow of [
    'add table inet fw; add chain inet fw f { type filter hook forward priority 10; policy drop; }',
    'flush chain inet fw f',
  ])
    test(`createGuard opens a firewall that came later, and again: nft ${blow}`, async () => {
      await run('nft', [blow])
      await eventually(async () => assert.match(await run('nft', ['list', 'table', 'inet', 'fw']), /iifname "tutti-/))
    })

  /** What `ip` shows of links of pods, addresses of lo and routes. */
  const ways = async () => {
    const shown = await Promise.all(
      [
        ['-o', 'link', 'show', 'up'],
        ['-o', 'address', 'show', 'dev', 'lo'],
        ['route', 'show'],
      ].map(args => run('ip', args)),
    )
    return shown
      .join('')
      .replaceAll(/^\d+: /gm, '')
      .replaceAll(/@if\d+|link-netns \S+|link-netnsid \d+|valid_lft.*/g, '')
  }
  const sorted = (text: string) => text.trim().split('\n').toSorted()
  const blows: readonly (readonly [string, (link: string) => string, RegExp])[] = [
    ["a pod's link", link => `link delete ${link}`, /^link tutti-/],
    ["the node's address", () => 'address delete 10.244.0.1/32 dev lo', /^address 10.244.0.1\/32/],
    ['the way to services', () => 'route delete 10.96.0.0/16', /^route 10.96.0.0\/16/],
    ['the way to a pod', () => 'route delete 10.244.0.2', /^route 10.244.0.2/],
  ]
  for (const [what, blow, name] of blows)
    test(`createGuard puts back ${what}`, async () => {
      const { ips } = await network.podNetwork.setup(podRequest(1))
      const link = / dev (tutti-\S+)/.exec(await run('ip', ['route', 'show', ips[0]!]))![1]!
      const stood = await ways()
      missing.length = 0
      await run('ip', blow(link).split(' '))
      await eventually(async () => {
        assert.deepEqual(sorted(await ways()), sorted(stood))
        assert.match(missing.flat().join('\n'), new RegExp(name, 'm'))
      })
    })

  test('createGuard leaves pods alone that end', async () => {
    missing.length = 0
    await network.podNetwork.setup(podRequest(2))
    await network.podNetwork.teardown(podRequest(2).uid)
    const { ips } = await network.podNetwork.setup(podRequest(3))
    await run('ip', ['route', 'delete', ips[0]!])
    await eventually(async () => assert.ok(missing.flat().includes(`route ${ips[0]}`)))
    assert.ok(missing.flat().every(each => each === `route ${ips[0]}`))
    await network.podNetwork.teardown(podRequest(3).uid)
  })

  test('createGuard tells of it at the node', () =>
    eventually(async () => {
      const { object } = await server.send(ADMIN, 'GET', '/api/v1/namespaces/default/events')
      const events = object.items as { involvedObject: object; reason: string; message: string }[]
      const event = events.find(({ message }) => message.includes('tutti-policy'))
      assert.equal(event?.reason, 'NetworkRulesChanged')
    }))
})
