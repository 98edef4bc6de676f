import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServicePort } from '../service-ports.ts'
import { elementsOf, identity } from './elements.ts'
import { changeCommands, drawChains } from './ruleset.ts'

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

test('changeCommands makes chains before elements that go to them, and takes out before it puts in', () => {
  const element = (value: string) => ({ map: 'endpoints', key: '10.96.0.7 . tcp . 80 . 0', value })
  assert.deepEqual(
    changeCommands([{ count: 2 }], [element('10.244.0.5 . 1')], [element('10.244.0.6 . 1')]).split('\n'),
    [
      'add chain ip tutti draw-2',
      'add rule ip tutti draw-2 meta mark set numgen random mod 2 dnat ip to ip daddr . meta l4proto . th dport . meta mark map @endpoints',
      'add chain ip tutti node-draw-2',
      'add rule ip tutti node-draw-2 meta mark set numgen random mod 2 dnat ip to meta l4proto . th dport . meta mark map @node-endpoints',
      'delete element ip tutti endpoints { 10.96.0.7 . tcp . 80 . 0 }',
      'add element ip tutti endpoints { 10.96.0.7 . tcp . 80 . 0 : 10.244.0.6 . 1 }',
    ],
  )
})

test('drawChains with affinity stays, forgets what is stale, draws anew', () => {
  const [chain] = drawChains({ count: 3, seconds: 60 })
  assert.equal(chain?.name, 'stay-3-60')
  assert.equal(chain?.rules.length, 3)
  assert.match(chain!.rules[1]!, /^delete @affinity/)
})
