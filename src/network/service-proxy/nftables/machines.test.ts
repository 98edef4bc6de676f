/** What needs other machines to be seen: clients from outside, pods on this node and on another, flows of UDP. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { silent } from '../../../lib/log.ts'
import { type Machine, makeMachine, startMachine } from '../../testing/machine.ts'
import { inOwnNetwork } from '../../testing/own-network.ts'
import { run } from '../../tools/command.ts'
import { createConntrack, hasConntrack } from '../../tools/conntrack.ts'
import { startNft } from '../../tools/nft.ts'
import type { ServiceProxy } from '../proxy.ts'
import type { Frontend, ServicePort, Target } from '../service-ports.ts'
import { createNftablesProxy } from './proxy.ts'

const NODE = '10.244.0.1'
const POD = '10.244.0.5'
const SECOND = '10.244.0.6'
const ELSEWHERE = '10.244.1.5'
const CLIENT = '192.168.99.2'
const FACING = '192.168.99.1'
const VIP = '10.96.0.7'
const OPTIONS = {
  family: 'IPv4',
  serviceCidr: '10.96.0.0/16',
  podLinks: '"tutti-*"',
  nodeAddress: NODE,
  exposed: true,
} as const
const at = (...addresses: string[]) => addresses.map(address => ({ address, port: 8080 }))
const target = (empty: Target['empty'], ...addresses: string[]): Target => ({ backends: at(...addresses), empty })
const port = (frontends: readonly Frontend[], addresses: readonly string[], more: Partial<ServicePort> = {}) => ({
  id: 'default/web:80',
  protocol: 'tcp' as const,
  frontends,
  backends: at(...addresses),
  ...more,
})

inOwnNetwork(import.meta.filename, 'createNftablesProxy between machines', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tutti-machines-'))
  const nft = startNft(directory)
  const tracked = await hasConntrack()
  let proxy: ServiceProxy
  let here: Machine
  let client: Machine
  let pod: Machine
  let second: Machine
  const machines: Machine[] = []
  const set = (...ports: ServicePort[]) => proxy.apply(new Map([['default/web', ports]]))

  const podMachine = (link: string, address: string) =>
    makeMachine(directory, {
      link,
      addresses: [`${address}/32`],
      here: `route add ${address}/32 dev ${link} src ${NODE}`,
      there: `route add ${NODE}/32 dev eth0\nroute add default via ${NODE} dev eth0`,
    })

  before(async () => {
    await run('ip', ['-batch', '-'], `address add ${NODE}/32 dev lo\nroute add 10.96.0.0/16 dev lo src ${NODE}\n`)
    writeFileSync('/proc/sys/net/ipv4/ip_forward', '1')
    proxy = createNftablesProxy(OPTIONS, {
      nft,
      logger: silent,
      ...(tracked && { conntrack: createConntrack('IPv4') }),
    })
    await proxy.reset(new Map())
    here = startMachine()
    pod = await podMachine('tutti-pod', POD)
    second = await podMachine('tutti-two', SECOND)
    client = await makeMachine(directory, {
      link: 'outer',
      addresses: [`${CLIENT}/24`],
      here: `address add ${FACING}/24 dev outer`,
      there: `route add default via ${FACING}`,
    })
    // Another node: it knows the way to this node's pods, and none to the client.
    const other = await makeMachine(directory, {
      link: 'inner',
      addresses: ['192.168.98.2/24', `${ELSEWHERE}/32`],
      here: `address add 192.168.98.1/24 dev inner\nroute add 10.244.1.0/24 via 192.168.98.2`,
      there: `route add 10.244.0.0/24 via 192.168.98.1\nroute add ${FACING}/32 via 192.168.98.1`,
    })
    // As startRoutes has it: answers to programs of this machine that use its loopback come in here.
    writeFileSync('/proc/sys/net/ipv4/conf/inner/route_localnet', '1')
    machines.push(here, pod, second, client, other)
    await Promise.all([
      pod.serve(8080, 'pod', { host: POD }),
      second.serve(8080, 'second', { host: SECOND }),
      other.serve(8080, 'elsewhere', { host: ELSEWHERE }),
      pod.serve(8080, 'pod', { host: POD, protocol: 'udp' }),
      second.serve(8080, 'second', { host: SECOND, protocol: 'udp' }),
    ])
  })
  after(async () => {
    for (const machine of machines) await machine.close()
    nft.close()
    rmSync(directory, { recursive: true, force: true })
  })

  const outsideCases: readonly [
    title: string,
    port: () => ServicePort,
    from: 'client' | 'pod' | 'here',
    to: [string, number],
    answer: string,
  ][] = [
    [
      'a node port leads to a pod of this node, which sees the client',
      () => port([{ kind: 'node', port: 30_080 }], [POD]),
      'client',
      [FACING, 30_080],
      `pod ${CLIENT}`,
    ],
    [
      'a node port leads to a pod of another node, which sees this node',
      () => port([{ kind: 'node', port: 30_080 }], [ELSEWHERE]),
      'client',
      [FACING, 30_080],
      `elsewhere ${NODE}`,
    ],
    [
      'external Local: the client is kept, and other nodes are not used',
      () => port([{ kind: 'node', port: 30_080, outside: target('drop', POD) }], [ELSEWHERE]),
      'client',
      [FACING, 30_080],
      `pod ${CLIENT}`,
    ],
    [
      'external Local: a pod of the node is led anywhere',
      () => port([{ kind: 'node', port: 30_080, outside: target('drop', POD) }], [ELSEWHERE]),
      'pod',
      [FACING, 30_080],
      `elsewhere ${POD}`,
    ],
    [
      'external Local: the node itself is led anywhere',
      () => port([{ kind: 'node', port: 30_080, outside: target('drop') }], [POD]),
      'here',
      [FACING, 30_080],
      `pod ${FACING}`,
    ],
    [
      'the node itself is seen by another node as it speaks',
      () => port([{ kind: 'node', port: 30_080 }], [ELSEWHERE]),
      'here',
      [FACING, 30_080],
      `elsewhere ${FACING}`,
    ],
    [
      'the node itself, by its loopback, is seen by another node as this node',
      () => port([{ kind: 'load-balancer', address: '127.0.0.1', port: 80 }], [ELSEWHERE]),
      'here',
      ['127.0.0.1', 80],
      `elsewhere ${NODE}`,
    ],
    [
      'external Local with nothing here: no answer',
      () => port([{ kind: 'node', port: 30_080, outside: target('drop') }], [ELSEWHERE]),
      'client',
      [FACING, 30_080],
      'no answer',
    ],
    [
      'external Local with nothing anywhere: refused',
      () => port([{ kind: 'node', port: 30_080, outside: target('refuse') }], []),
      'client',
      [FACING, 30_080],
      'ECONNREFUSED',
    ],
    [
      'a load balancer with ranges answers who is in them',
      () =>
        port(
          [{ kind: 'load-balancer', address: FACING, port: 80, sources: ['192.168.99.0/24', '203.0.113.0/24'] }],
          [POD],
        ),
      'client',
      [FACING, 80],
      `pod ${CLIENT}`,
    ],
    [
      'a load balancer with ranges does not answer others',
      () => port([{ kind: 'load-balancer', address: FACING, port: 80, sources: ['203.0.113.0/24'] }], [POD]),
      'client',
      [FACING, 80],
      'no answer',
    ],
    [
      'an external address leads to a pod',
      () => port([{ kind: 'external', address: '198.51.100.7', port: 80 }], [POD]),
      'client',
      ['198.51.100.7', 80],
      `pod ${CLIENT}`,
    ],
    [
      'a load balancer without endpoints is refused',
      () => port([{ kind: 'load-balancer', address: FACING, port: 80 }], []),
      'client',
      [FACING, 80],
      'ECONNREFUSED',
    ],
    [
      'internal Local with nothing here: no answer',
      () => port([{ kind: 'cluster', address: VIP, port: 80, target: target('drop') }], [ELSEWHERE]),
      'pod',
      [VIP, 80],
      'no answer',
    ],
    [
      'internal Local stays on the node',
      () => port([{ kind: 'cluster', address: VIP, port: 80, target: target('drop', SECOND) }], [ELSEWHERE]),
      'pod',
      [VIP, 80],
      `second ${POD}`,
    ],
    [
      'affinity holds for clients from outside',
      () => port([{ kind: 'node', port: 30_080, outside: target('drop', POD) }], [ELSEWHERE], { affinitySeconds: 30 }),
      'client',
      [FACING, 30_080],
      `pod ${CLIENT}`,
    ],
  ]
  for (const [title, make, from, [host, number], answer] of outsideCases)
    test(`createNftablesProxy: ${title}`, async () => {
      await set(make())
      const machine = { client, pod, here }[from]
      assert.equal(await machine.ask(host, number, { silence: answer === 'no answer' }), answer)
    })

  const udp = (...addresses: string[]) =>
    port(
      [
        { kind: 'cluster', address: VIP, port: 53 },
        { kind: 'node', port: 30_053 },
      ],
      addresses,
      { protocol: 'udp' },
    )
  const noTool = tracked ? false : 'needs the program conntrack'

  test('createNftablesProxy: a UDP flow goes on to another backend when its own is gone', {
    skip: noTool,
  }, async () => {
    await set(udp(POD))
    const question = { protocol: 'udp', from: 40_001 } as const
    assert.equal(await second.ask(VIP, 53, question), `pod ${SECOND}`)
    assert.equal(await client.ask(FACING, 30_053, question), `pod ${CLIENT}`)
    await set(udp(SECOND))
    assert.equal(await client.ask(FACING, 30_053, question), `second ${CLIENT}`)
    assert.equal(await pod.ask(VIP, 53, question), `second ${POD}`)
  })

  test('createNftablesProxy: a UDP flow of the time without backends is served later', { skip: noTool }, async () => {
    await set(udp())
    const question = { protocol: 'udp', from: 40_002 } as const
    assert.match(await client.ask(FACING, 30_053, { ...question, silence: true }), /^(ECONNREFUSED|no answer)$/)
    await set(udp(POD))
    assert.equal(await client.ask(FACING, 30_053, question), `pod ${CLIENT}`)
  })

  test('createNftablesProxy: a start forgets UDP flows to what went while nobody looked', {
    skip: noTool,
  }, async () => {
    await set(udp(POD))
    const question = { protocol: 'udp', from: 40_003 } as const
    assert.equal(await client.ask(FACING, 30_053, question), `pod ${CLIENT}`)
    const flows = createConntrack('IPv4')
    const done = Promise.withResolvers<void>()
    const started = createNftablesProxy(OPTIONS, {
      nft,
      logger: silent,
      conntrack: { ...flows, forget: lost => flows.forget(lost).then(done.resolve) },
    })
    await started.reset(new Map([['default/web', [udp(SECOND)]]]))
    await done.promise
    assert.equal(await client.ask(FACING, 30_053, question), `second ${CLIENT}`)
    await proxy.reset(new Map())
  })

  test("createNftablesProxy: pods on links of others reach services, and nothing else of the machine's", async () => {
    // The client stands for a pod whose network another program made.
    const inside = createNftablesProxy({ ...OPTIONS, exposed: false, foreignPods: true }, { nft, logger: silent })
    const frontends = [
      { kind: 'cluster', address: VIP, port: 80 },
      { kind: 'node', port: 30_080 },
    ] as const
    await inside.reset(new Map([['default/web', [port(frontends, [POD])]]]))
    assert.equal(await client.ask(VIP, 80), `pod ${CLIENT}`)
    assert.equal(await client.ask(FACING, 30_080), 'ECONNREFUSED')
    await proxy.reset(new Map())
  })

  test('createNftablesProxy: UDP without backends is refused', async () => {
    await set(udp())
    assert.equal(await pod.ask(VIP, 53, { protocol: 'udp' }), 'ECONNREFUSED')
    await set()
  })
})
