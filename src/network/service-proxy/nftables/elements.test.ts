import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readFlows } from '../../tools/conntrack.ts'
import type { ServicePort } from '../service-ports.ts'
import { elementsOf, identity } from './elements.ts'
import { chainsOf, changeCommands } from './ruleset.ts'
import { lostFlows, staleFlows } from './stale-flows.ts'

const port = (more: Partial<ServicePort>): ServicePort => ({
  id: 'default/web:80',
  protocol: 'tcp',
  frontends: [
    { kind: 'cluster', address: '10.96.0.7', port: 80 },
    { kind: 'node', port: 30001 },
  ],
  backends: [
    { address: '10.244.0.5', port: 8080 },
    { address: '10.244.0.6', port: 8080 },
  ],
  ...more,
})
const shown = (made: ReturnType<typeof elementsOf>) =>
  made.map(({ map, key, value }) => `${map}: ${key}${value && ` : ${value}`}`)

test('elementsOf gives each frontend a verdict and its numbered backends', () => {
  assert.deepEqual(shown(elementsOf(port({}))), [
    'services: 10.96.0.7 . tcp . 80 : goto draw-2',
    'endpoints: 10.96.0.7 . tcp . 80 . 0 : 10.244.0.5 . 8080',
    'endpoints: 10.96.0.7 . tcp . 80 . 1 : 10.244.0.6 . 8080',
    'node-services: tcp . 30001 : goto node-draw-2',
    'node-endpoints: tcp . 30001 . 0 : 10.244.0.5 . 8080',
    'node-endpoints: tcp . 30001 . 1 : 10.244.0.6 . 8080',
  ])
})

test('elementsOf with affinity numbers identities, and backends by identity', () => {
  const [a, b] = port({}).backends.map(identity)
  assert.deepEqual(shown(elementsOf(port({ affinitySeconds: 60, frontends: [port({}).frontends[0]!] }))), [
    'services: 10.96.0.7 . tcp . 80 : goto stay-2-60',
    `slots: 10.96.0.7 . tcp . 80 . 0 : ${a}`,
    `backends: 10.96.0.7 . tcp . 80 . ${a} : 10.244.0.5 . 8080`,
    `slots: 10.96.0.7 . tcp . 80 . 1 : ${b}`,
    `backends: 10.96.0.7 . tcp . 80 . ${b} : 10.244.0.6 . 8080`,
  ])
})

test('elementsOf without backends names only what must be refused by name', () => {
  const frontends = [...port({}).frontends, { kind: 'load-balancer' as const, address: '127.0.0.1', port: 80 }]
  assert.deepEqual(shown(elementsOf(port({ backends: [], frontends }))), ['refused: 127.0.0.1 . tcp . 80'])
})

test('elementsOf leads clients from outside by maps of their own, and answers nobody where it must not refuse', () => {
  const outside = { backends: [{ address: '10.244.0.5', port: 8080 }], empty: 'drop' } as const
  const node = { kind: 'node' as const, port: 30001 }
  assert.deepEqual(shown(elementsOf(port({ frontends: [{ ...node, outside }] }))).slice(3), [
    'outside-node-services: tcp . 30001 : goto outside-node-draw-1',
    'outside-node-endpoints: tcp . 30001 . 0 : 10.244.0.5 . 8080',
  ])
  const none = { backends: [], empty: 'drop' } as const
  assert.deepEqual(shown(elementsOf(port({ frontends: [{ ...node, target: none, outside: none }] }))), [
    'node-services: tcp . 30001 : drop',
    'outside-node-services: tcp . 30001 : drop',
  ])
})

test('elementsOf with ranges of clients goes by a guard, which is the same for the same ranges', () => {
  const balancer = {
    kind: 'load-balancer' as const,
    address: '127.0.0.1',
    port: 80,
    sources: ['10.0.0.0/8', '::1/128'],
  }
  const [one] = shown(elementsOf(port({ frontends: [balancer] })))
  const [two] = shown(elementsOf(port({ frontends: [{ ...balancer, sources: ['::1/128', '10.0.0.0/8'] }] })))
  assert.match(one!, /^services: 127\.0\.0\.1 \. tcp \. 80 : goto guard-[0-9a-f]{16}-draw-2$/)
  assert.equal(one, two)
})

test('changeCommands makes chains before elements that go to them, and takes out before it puts in', () => {
  const element = (value: string) => ({ map: 'endpoints', key: '10.96.0.7 . tcp . 80 . 0', value })
  const chains = chainsOf([{ prefix: '', count: 2, sources: ['10.0.0.0/8'] }], 'IPv4')
  assert.deepEqual(
    changeCommands('IPv4', chains, [element('10.244.0.5 . 1')], [element('10.244.0.6 . 1')]).split('\n'),
    [
      'add chain ip tutti draw-2',
      'add rule ip tutti draw-2 meta mark set numgen random mod 2 dnat ip to ip daddr . meta l4proto . th dport . meta mark map @endpoints',
      `add chain ip tutti ${chains[1]!.name}`,
      `add rule ip tutti ${chains[1]!.name} ip saddr != { 10.0.0.0/8 } drop`,
      `add rule ip tutti ${chains[1]!.name} goto draw-2`,
      'delete element ip tutti endpoints { 10.96.0.7 . tcp . 80 . 0 }',
      'add element ip tutti endpoints { 10.96.0.7 . tcp . 80 . 0 : 10.244.0.6 . 1 }',
    ],
  )
})

test('chainsOf with affinity stays, forgets what is stale, draws anew', () => {
  const [chain] = chainsOf([{ prefix: '', count: 3, seconds: 60 }], 'IPv4')
  assert.equal(chain?.name, 'stay-3-60')
  assert.equal(chain?.rules.length, 3)
  assert.match(chain!.rules[1]!, /^delete @affinity/)
})

const flows = (before: ServicePort[], after: ServicePort[]) => {
  const elements = (ports: ServicePort[]) =>
    new Map(ports.flatMap(elementsOf).map(element => [`${element.map} ${element.key}`, element]))
  return staleFlows(elements(before), elements(after)).map(
    ({ address = '*', port: number, backend }) => `${address}:${number} ${backend?.address ?? 'all'}`,
  )
}
const udp = (...hosts: number[]) =>
  port({ protocol: 'udp', backends: hosts.map(host => ({ address: `10.244.0.${host}`, port: 53 })) })

const changes: readonly [title: string, before: ServicePort[], after: ServicePort[], wanted: readonly string[]][] = [
  ['of a backend that is gone', [udp(5, 6)], [udp(6)], ['10.96.0.7:80 10.244.0.5', '*:30001 10.244.0.5']],
  ['of nobody when one came', [udp(5)], [udp(5, 6)], []],
  ['of all to a frontend that had nobody', [udp()], [udp(5)], ['10.96.0.7:80 all', '*:30001 all']],
  ['of a service that is gone', [udp(5)], [], ['10.96.0.7:80 10.244.0.5', '*:30001 10.244.0.5']],
  [
    'of all where many are gone',
    [udp(...Array.from({ length: 12 }, (_, n) => n + 5))],
    [udp(5)],
    ['10.96.0.7:80 all', '*:30001 all'],
  ],
  [
    'with affinity',
    [{ ...udp(5, 6), affinitySeconds: 5 }],
    [{ ...udp(6), affinitySeconds: 5 }],
    ['10.96.0.7:80 10.244.0.5', '*:30001 10.244.0.5'],
  ],
  ['not of TCP', [port({})], [], []],
]
for (const [title, before, after, wanted] of changes)
  test(`staleFlows names flows ${title}`, () => assert.deepEqual(flows(before, after), wanted))

test('lostFlows names flows that are remembered to backends that are not there, and no others', () => {
  const line = (dst: string, dport: number, from: string, state = '') =>
    `udp      17 29 src=10.244.0.9 dst=${dst} sport=4000 dport=${dport} ${state}src=${from} dst=10.244.0.9 sport=53 dport=4000 mark=0 use=1`
  const remembered = readFlows(
    [
      line('10.96.0.7', 80, '10.244.0.5'),
      line('10.96.0.7', 80, '10.244.0.6', '[UNREPLIED] '),
      line('192.168.1.1', 30001, '10.244.0.6'),
      line('10.96.0.8', 80, '10.244.0.6'),
      line('192.0.2.1', 53, '192.0.2.1'),
    ].join('\n'),
  )
  assert.equal(remembered.length, 5)
  assert.deepEqual(
    lostFlows(remembered, elementsOf(udp(5))).map(({ address, backend }) => `${address} ${backend?.address}`),
    ['10.96.0.7 10.244.0.6', '192.168.1.1 10.244.0.6'],
  )
})
