import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Node } from '../../../api/generated/types/core-v1.ts'
import { keyOf } from '../../../client/informer-types.ts'
import { silent } from '../../../lib/log.ts'
import { virtualClock } from '../../../lib/virtual-clock.ts'
import { fixedInformer } from '../../testing/fixed-informer.ts'
import { inOwnNetwork } from '../../testing/own-network.ts'
import { attempt, run } from '../../tools/command.ts'
import { startIp } from '../../tools/ip.ts'
import { startNft } from '../../tools/nft.ts'
import { ROUTE_PROTOCOL, type Routes, startRoutes } from './routes.ts'
import { linkCommands, peerCommands } from './vxlan.ts'

/** This machine, one on its segment, one behind a router. */
const SELF = { name: 'self', address: '10.1.0.2', podCidrs: ['10.244.0.0/24', 'fd00:10:244::/64'] }
const NEAR = { name: 'near', address: '10.1.0.3', podCidrs: ['10.244.1.0/24'] }
const FAR = { name: 'far', address: '10.2.0.2', podCidrs: ['10.244.2.0/24', 'fd00:10:244:2::/64'] }
const MTU = 1500

const nodeOf = ({ name, address, podCidrs }: typeof SELF): Node => ({
  metadata: { name },
  spec: { podCIDR: podCidrs[0]!, podCIDRs: podCidrs },
  status: { addresses: [{ type: 'InternalIP', address }] },
})

inOwnNetwork(import.meta.filename, 'startRoutes works between networks of its own', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tutti-routes-'))
  const place = (name: string) => join(directory, name)
  /** Lines of `ip -batch` in the namespace of that name. */
  const there = (name: string, lines: string) =>
    run('nsenter', [`--net=${place(name)}`, 'ip', '-batch', '-'], `${lines}\n`)
  const nodes = fixedInformer<Node>([nodeOf(SELF), nodeOf(NEAR), nodeOf(FAR)])
  const [ip, nft, clock] = [startIp(), startNft(directory), virtualClock()]
  const scope = new AbortController()
  const start = () =>
    startRoutes(
      {
        nodes,
        self: SELF,
        clusterCidrs: ['10.244.0.0/16', 'fd00:10:244::/56'],
        mtu: MTU,
        ip,
        nft,
        guard: { hold() {}, look: (_, restore) => void restores.push(restore) },
        clock,
        logger: silent,
      },
      scope.signal,
    )
  const restores: (() => Promise<readonly string[]>)[] = []
  const ours = async () =>
    (await run('ip', ['-o', 'route', 'show', 'proto', String(ROUTE_PROTOCOL)]))
      .replaceAll(' onlink', '')
      .trim()
      .split('\n')
      .map(line => line.trim())
      .filter(Boolean)
  let routes: Routes

  before(async () => {
    for (const name of ['router', 'far']) {
      writeFileSync(place(name), '')
      await run('unshare', [`--net=${place(name)}`, 'true'])
    }
    await run('nsenter', [`--net=${place('router')}`, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward'])
    // One link to the router, another from it to the far machine.
    await there('router', 'link set lo up')
    await there('router', `link add side1 type veth peer name eth0 netns ${process.pid}`)
    await there(
      'router',
      `link add side2 type veth peer name eth0 netns ${place('far')}
addr add 10.1.0.1/24 dev side1
addr add 10.2.0.1/24 dev side2
link set side1 up
link set side2 up`,
    )
    await ip.run(`addr add ${SELF.address}/24 dev eth0
link set eth0 up
route add default via 10.1.0.1
addr add 10.244.0.1/32 dev lo
addr add fd00:10:244::1/128 dev lo nodad`)
    await there(
      'far',
      `link set lo up
addr add ${FAR.address}/24 dev eth0
link set eth0 up
route add default via 10.2.0.1
addr add 10.244.2.1/32 dev lo
addr add fd00:10:244:2::1/128 dev lo nodad
${linkCommands(FAR, MTU).join('\n')}`,
    )
    for (const podCidr of SELF.podCidrs) {
      const back = peerCommands({ name: 'self', podCidr, outer: SELF.address }, ROUTE_PROTOCOL)
      await run('nsenter', [`--net=${place('far')}`, 'bridge', ...back.bridge.split(' ')])
      await there('far', back.ip)
    }
    const set = (type: string) => `{\n  set nodes { type ${type}; }\n}`
    await nft.load(`table ip tutti-pods ${set('ipv4_addr')}\ntable ip6 tutti-pods ${set('ipv6_addr')}`)
    routes = await start()
  })
  after(async () => {
    scope.abort()
    ip.close()
    nft.close()
    for (const name of ['router', 'far']) await attempt('umount', [place(name)])
    rmSync(directory, { recursive: true, force: true })
  })

  test('a machine on the segment is led to by its address, one behind a router by VXLAN', async () => {
    assert.deepEqual(await ours(), ['10.244.1.0/24 via 10.1.0.3 dev eth0', '10.244.2.0/24 via 10.244.2.0 dev tuttivx0'])
    const set = await run('nft', ['list', 'set', 'ip', 'tutti-pods', 'nodes'])
    for (const { address } of [NEAR, FAR]) assert.ok(set.includes(address), set)
  })

  test('pods of both machines reach each other through the tunnel, by their own addresses of both families', async () => {
    for (const [here, far] of [
      ['10.244.0.1', '10.244.2.1'],
      ['fd00:10:244::1', 'fd00:10:244:2::1'],
    ]) {
      const server = createServer(socket => socket.end(`you are ${socket.remoteAddress}`)).listen(7000, here)
      const ask = `require('net').connect({port: 7000, host: '${here}', localAddress: '${far}'}).on('data', d => process.stdout.write(d)).on('error', e => console.log(e.code))`
      const said = await run('nsenter', [`--net=${place('far')}`, process.execPath, '-e', ask])
      assert.equal(said, `you are ${far}`)
      server.close()
    }
  })

  test('ways that another program takes away are put back, with the tunnel', async () => {
    const stood = await ours()
    const [restore] = restores
    assert.deepEqual(await restore!(), [])
    for (const [blow, lost] of [
      ['link delete tuttivx0', ['route 10.244.2.0/24', 'route fd00:10:244:2::/64']],
      ['route delete 10.244.1.0/24', ['route 10.244.1.0/24']],
    ] as const) {
      await run('ip', blow.split(' '))
      assert.notDeepEqual(await ours(), stood)
      assert.deepEqual((await restore!()).toSorted(), lost)
      assert.deepEqual(await ours(), stood)
    }
  })

  test('a range of a second family goes by a plain route where both have an address of it on one segment', async () => {
    const ours6 = async () =>
      (await run('ip', ['-6', '-o', 'route', 'show', 'proto', String(ROUTE_PROTOCOL)])).replace(
        / (onlink|metric.*)/g,
        '',
      )
    assert.match(await ours6(), /^fd00:10:244:2::\/64 via fd00:10:244:2:: dev tuttivx0$/m)
    const addresses = [
      { type: 'InternalIP', address: NEAR.address },
      { type: 'InternalIP', address: '2001:db8:1::3' },
    ]
    const podCIDRs = ['10.244.1.0/24', 'fd00:10:244:1::/64']
    const dual: Node = { metadata: { name: 'near' }, spec: { podCIDR: podCIDRs[0]!, podCIDRs }, status: { addresses } }
    nodes.put(dual)
    await routes.idle()
    assert.match(await ours6(), /^fd00:10:244:1::\/64 via fd00:10:244:1:: dev tuttivx0$/m, 'this machine has none')
    nodes.put(nodeOf(NEAR))
    await routes.idle()
    await ip.run('addr add 2001:db8:1::2/64 dev eth0 nodad')
    nodes.put(dual)
    await routes.idle()
    assert.match(await ours6(), /^fd00:10:244:1::\/64 via 2001:db8:1::3 dev eth0$/m)
    nodes.put(nodeOf(NEAR))
    await routes.idle()
    assert.doesNotMatch(await ours6(), /fd00:10:244:1::/)
  })

  test('a node that is gone loses its way, one that moves gets another', async () => {
    nodes.remove(keyOf(nodeOf(NEAR)))
    nodes.put(nodeOf({ ...FAR, address: '10.1.0.9' }))
    await routes.idle()
    assert.deepEqual(await ours(), ['10.244.2.0/24 via 10.1.0.9 dev eth0'])
    nodes.put(nodeOf(NEAR))
    await routes.idle()
    assert.equal((await ours()).length, 2)
  })

  test('a start takes away what leads nowhere any more', async () => {
    await ip.run(`route add 10.244.77.0/24 via 10.1.0.3 dev eth0 proto ${ROUTE_PROTOCOL}`)
    await (await start()).idle()
    assert.ok(!(await ours()).some(line => line.startsWith('10.244.77')))
    assert.equal((await ours()).length, 2)
  })
})
