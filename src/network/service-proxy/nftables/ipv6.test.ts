/** The same rules for the other family: services and policies of IPv6, between machines. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { NetworkPolicySpec } from '../../../api/generated/types/networking-v1.ts'
import { silent } from '../../../lib/log.ts'
import { compilePolicy } from '../../policy/compile.ts'
import { createPolicyEngine } from '../../policy/engine.ts'
import { baseTable, policyTable } from '../../policy/ruleset.ts'
import { createTable } from '../../policy/table.ts'
import { type Machine, makeMachine, startMachine } from '../../testing/machine.ts'
import { inOwnNetwork } from '../../testing/own-network.ts'
import { run } from '../../tools/command.ts'
import { startNft } from '../../tools/nft.ts'
import type { ServiceProxy } from '../proxy.ts'
import type { Frontend, ServicePort } from '../service-ports.ts'
import { createNftablesProxy } from './proxy.ts'

const NODE = 'fd01::1'
const POD = 'fd01::5'
const SECOND = 'fd01::6'
const CLIENT = 'fd02::2'
const FACING = 'fd02::1'
const VIP = 'fd00::7'
const at = (...addresses: string[]) => addresses.map(address => ({ address, port: 8080 }))
const port = (frontends: readonly Frontend[], addresses: readonly string[], more: Partial<ServicePort> = {}) => ({
  id: 'default/web:80',
  protocol: 'tcp' as const,
  frontends,
  backends: at(...addresses),
  ...more,
})

inOwnNetwork(import.meta.filename, 'createNftablesProxy and policies of IPv6', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tutti-ipv6-'))
  const nft = startNft(directory)
  const machines: Machine[] = []
  let proxy: ServiceProxy
  let here: Machine
  let client: Machine
  let pod: Machine
  let second: Machine
  const set = (...ports: ServicePort[]) => proxy.apply(new Map([['default/web', ports]]))

  const podMachine = (link: string, address: string) =>
    makeMachine(directory, {
      link,
      addresses: [`${address}/128`],
      // A neighbour answers for addresses of the link only.
      here: `address add ${NODE}/128 dev ${link} nodad\nroute add ${address}/128 dev ${link} src ${NODE}`,
      there: `route add ${NODE}/128 dev eth0\nroute add default via ${NODE} dev eth0`,
    })

  before(async () => {
    writeFileSync('/proc/sys/net/ipv6/conf/default/accept_dad', '0')
    writeFileSync('/proc/sys/net/ipv6/conf/all/forwarding', '1')
    await run(
      'ip',
      ['-batch', '-'],
      `link set lo up\naddress add ${NODE}/128 dev lo nodad\nroute add local fd00::/112 dev lo src ${NODE}\n`,
    )
    proxy = createNftablesProxy(
      { family: 'IPv6', serviceCidr: 'fd00::/112', podLinks: '"tutti-*"', nodeAddress: NODE, exposed: true },
      { nft, logger: silent },
    )
    await proxy.reset(new Map())
    here = startMachine()
    pod = await podMachine('tutti-pod', POD)
    second = await podMachine('tutti-two', SECOND)
    client = await makeMachine(directory, {
      link: 'outer',
      addresses: [`${CLIENT}/64`],
      here: `address add ${FACING}/64 dev outer nodad`,
      there: `route add default via ${FACING}`,
    })
    machines.push(here, pod, second, client)
    await pod.serve(8080, 'pod', { host: POD })
    await second.serve(8080, 'second', { host: SECOND })
    await pod.serve(8080, 'pod', { host: POD, protocol: 'udp' })
  })
  after(async () => {
    for (const machine of machines) await machine.close()
    nft.close()
    rmSync(directory, { recursive: true, force: true })
  })

  const cluster: Frontend = { kind: 'cluster', address: VIP, port: 80 }
  const node: Frontend = { kind: 'node', port: 30_080 }
  const none = { backends: [], empty: 'drop' } as const
  const cases: readonly [title: string, ServicePort, from: () => Machine, to: [string, number], answer: string][] = [
    ['a cluster IP, from a pod', port([cluster], [POD]), () => second, [VIP, 80], `pod ${SECOND}`],
    ['a cluster IP, from the node', port([cluster], [POD]), () => here, [VIP, 80], `pod ${NODE}`],
    ['a node port, from outside', port([node], [POD]), () => client, [FACING, 30_080], `pod ${CLIENT}`],
    ['affinity', port([cluster], [POD], { affinitySeconds: 30 }), () => second, [VIP, 80], `pod ${SECOND}`],
    ['no endpoints: refused', port([cluster], []), () => second, [VIP, 80], 'ECONNREFUSED'],
    [
      'external Local with nothing here: no answer',
      port([{ ...node, outside: none }], [POD]),
      () => client,
      [FACING, 30_080],
      'no answer',
    ],
    [
      'ranges of clients',
      port([{ kind: 'load-balancer', address: FACING, port: 80, sources: ['fd09::/64'] }], [POD]),
      () => client,
      [FACING, 80],
      'no answer',
    ],
    ['UDP', port([cluster], [POD], { protocol: 'udp' }), () => second, [VIP, 80], `pod ${SECOND}`],
  ]
  for (const [title, ports, from, [host, number], answer] of cases)
    test(`createNftablesProxy of IPv6: ${title}`, async () => {
      await set(ports)
      const question = { silence: answer === 'no answer', protocol: ports.protocol as 'tcp' }
      assert.equal(await from().ask(host, number, question), answer)
    })

  test('createNftablesProxy of IPv6: a client stays with its backend while that is there', async () => {
    const stay = { affinitySeconds: 30 }
    await set(port([cluster], [POD, SECOND], stay))
    const ask = async () => (await client.ask(VIP, 80)).split(' ')[0]
    const first = await ask()
    for (let n = 0; n < 8; n++) assert.equal(await ask(), first)
    const [other, address] = first === 'pod' ? ['second', SECOND] : ['pod', POD]
    await set(port([cluster], [address], stay))
    for (let n = 0; n < 3; n++) assert.equal(await ask(), other)
    await set(port([cluster], [POD, SECOND], stay))
    for (let n = 0; n < 8; n++) assert.equal(await ask(), other)
  })

  test('createPolicyEngine of IPv6: peers by labels and ranges, ports by number and name', async () => {
    const table = createTable(policyTable('IPv6'), baseTable('IPv6'))
    const engine = createPolicyEngine(table, { family: 'IPv6' })
    const add = (name: string, address: string) =>
      engine.pod(`a/${name}`, {
        namespace: 'a',
        labels: { app: name },
        addresses: [address, '10.244.0.9'],
        ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
        here: true,
      })
    const load = async (spec: NetworkPolicySpec) => {
      const metadata = { name: 'p', namespace: 'a' }
      const podSelector = { matchLabels: { app: 'pod' } }
      engine.policy('a/p', compilePolicy({ metadata, spec: { policyTypes: ['Ingress'], podSelector, ...spec } }))
      await nft.load(table.whole())
    }
    add('pod', POD)
    add('second', SECOND)
    const from = [{ podSelector: { matchLabels: { app: 'second' } } }]
    await load({ ingress: [{ from, ports: [{ protocol: 'TCP', port: 'http' }] }] })
    assert.equal(await second.ask(POD, 8080), `pod ${SECOND}`)
    assert.equal(await client.ask(POD, 8080, { silence: true }), 'no answer')
    assert.equal(await here.ask(POD, 8080), `pod ${NODE}`)
    await load({
      ingress: [
        { from: [{ ipBlock: { cidr: 'fd02::/16', except: ['fd02::8/128'] } }, { ipBlock: { cidr: '10.0.0.0/8' } }] },
      ],
    })
    assert.equal(await client.ask(POD, 8080), `pod ${CLIENT}`)
    assert.equal(await second.ask(POD, 8080, { silence: true }), 'no answer')
  })
})
