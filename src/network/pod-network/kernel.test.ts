import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, before, test } from 'node:test'
import { eventually } from '../../lib/eventually.fixture.ts'
import { parseCidr } from '../../lib/ip-range.ts'
import { silent } from '../../lib/log.ts'
import { virtualClock } from '../../lib/virtual-clock.ts'
import { inOwnNetwork } from '../testing/own-network.ts'
import { serveInPod } from '../testing/pods.ts'
import { attempt, run } from '../tools/command.ts'
import { startIp } from '../tools/ip.ts'
import { startNft } from '../tools/nft.ts'
import { startKernelPodNetwork } from './kernel.ts'

const PODS = parseCidr('10.244.0.0/28')
const NODE = '10.244.0.1'
const PODS6 = parseCidr('fd00:10:244::/64')
const NODE6 = 'fd00:10:244::1'
const V4 = { podCidr: PODS, nodeAddress: NODE, clusterCidr: PODS }
const V6 = { podCidr: PODS6, nodeAddress: NODE6, clusterCidr: PODS6 }
const uid = (n: number) => `${String(n).padStart(8, '0')}-0000-4000-8000-000000000000`
const pod = (
  n: number,
  ports: { containerPort: number; protocol: string; hostPort?: number; hostIP?: string }[] = [],
) => ({
  namespace: 'default',
  name: `pod-${n}`,
  uid: uid(n),
  hostname: `pod-${n}`,
  ports,
})

/** Runs a line of Node in a pod's namespace; resolves with what it printed. */
const inPod = (netns: string, source: string) => run('nsenter', [`--net=${netns}`, process.execPath, '-e', source])
const connect = (host: string, port: number) =>
  `require('net').connect(${port}, '${host}').on('data', d => console.log(String(d))).on('error', e => console.log(e.code)).setTimeout(20_000, function () { console.log('timeout'); this.destroy() })`

const speakAs = (own: string, host: string, port: number) =>
  `require('net').connect({ port: ${port}, host: '${host}', localAddress: '${own}' }).on('connect', () => console.log('in')).on('error', e => console.log(e.code)).setTimeout(400, function () { console.log('timeout'); this.destroy() })`
const HOST_PORTS = [{ containerPort: 8080, protocol: 'TCP', hostPort: 9091 }]

inOwnNetwork(import.meta.filename, 'startKernelPodNetwork works in a network of its own', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tutti-network-'))
  const ip = startIp()
  const nft = startNft(directory)
  const scope = new AbortController()
  const clock = virtualClock()
  const start = (spares = 0, both = false) =>
    startKernelPodNetwork(
      {
        ranges: both ? [V4, V6] : [V4],
        directory: join(directory, 'pods'),
        netnsDirectory: join(directory, 'netns'),
        mtu: 1500,
        dns: { servers: ['10.96.0.10'], clusterDomain: 'cluster.local' },
        exposed: false,
        spares,
      },
      { ip, nft, logger: silent, clock },
      scope.signal,
    )

  before(async () => {
    await ip.run(`addr add ${NODE}/32 dev lo\naddr add ${NODE6}/128 dev lo nodad`)
    writeFileSync('/proc/sys/net/ipv4/ip_forward', '1')
    writeFileSync('/proc/sys/net/ipv6/conf/all/forwarding', '1')
  })
  after(async () => {
    scope.abort()
    const network = await start()
    for (const each of await network.list()) await network.teardown(each)
    const places = join(directory, 'netns')
    for (const name of readdirSync(places)) await attempt('umount', [join(places, name)])
    ip.close()
    nft.close()
    rmSync(directory, { recursive: true })
  })

  test('setup gives a pod an address, and the machine and other pods reach it', async () => {
    const network = await start()
    const [a, b] = await Promise.all([network.setup(pod(1)), network.setup(pod(2))])
    assert.notEqual(a.ips[0], b.ips[0])
    const server = createServer(socket => socket.end(`you are ${socket.remoteAddress}`)).listen(7000, NODE)
    assert.equal((await inPod(a.netns!, connect(NODE, 7000))).trim(), `you are ${a.ips[0]}`)
    server.close()
    assert.equal((await inPod(a.netns!, connect(b.ips[0]!, 7000))).trim(), 'ECONNREFUSED', 'b answers, nobody listens')
    const { received, sent } = network.traffic!().get(uid(1))!
    assert.ok(received.bytes > 100 && received.packets >= 4, JSON.stringify(received))
    assert.ok(sent.bytes > 100 && sent.packets >= 4, JSON.stringify(sent))
  })

  test('setup is idempotent by uid, also in a program that started again, and at the same time', async () => {
    const network = await start()
    const again = await start()
    const [one, two] = await Promise.all([network.setup(pod(3)), network.setup(pod(3))])
    assert.deepEqual(one, two)
    assert.deepEqual((await (await start()).setup(pod(3))).ips, one.ips)
    assert.deepEqual((await again.list()).toSorted(), [uid(1), uid(2)], 'a list is of one program')
  })

  test('setup gives a pod with users of its own a namespace that belongs to them', async () => {
    const network = await start()
    const userNamespace = [{ hostId: 131_072, containerId: 0, length: 65_536 }]
    const { ips, netns } = await network.setup({ ...pod(5), userNamespace })
    const source = `const { execFileSync } = require('node:child_process')
      const ids = execFileSync('lsns', ['-n', '-t', 'net', '-o', 'ONS', '-p', String(process.pid)], { encoding: 'utf8' })
      console.log(require('node:fs').readlinkSync('/proc/self/ns/user').includes(ids.trim()))`
    assert.equal((await inPod(netns!, source)).trim(), 'false')
    const server = createServer(socket => socket.end(`you are ${socket.remoteAddress}`)).listen(7000, NODE)
    assert.equal((await inPod(netns!, connect(NODE, 7000))).trim(), `you are ${ips[0]}`)
    server.close()
    await network.teardown(uid(5))
  })

  test('teardown removes the namespace, the link and the address, and may be repeated', async () => {
    const network = await start()
    const { netns } = await network.setup(pod(4))
    assert.ok(existsSync(netns!))
    await network.teardown(uid(4))
    await network.teardown(uid(4))
    assert.ok(!existsSync(netns!))
    assert.notEqual((await attempt('ip', ['link', 'show', basename(netns!)])).code, 0)
    assert.ok(!(await network.list()).includes(uid(4)))
  })

  test('setup refuses when the range is used up, and takes an address that was given back', async () => {
    const network = await start()
    const taken: number[] = []
    await assert.rejects(async () => {
      for (let n = 100; n < 120; n++) {
        await network.setup(pod(n))
        taken.push(n)
      }
    }, /no free pod address: all 14 of 10.244.0.0\/28 are in use/)
    await network.teardown(uid(taken[0]!))
    await network.setup(pod(150))
    for (const n of [...taken, 150]) await network.teardown(uid(n))
  })

  test('hostPort leads the machine to the pod, until the pod is gone', async () => {
    const network = await start()
    const { netns } = await network.setup(pod(5, [{ containerPort: 8080, protocol: 'TCP', hostPort: 9090 }]))
    const server = await serveInPod(netns!, 'hello')
    assert.equal((await run(process.execPath, ['-e', connect('127.0.0.1', 9090)])).trim(), 'hello')
    server.kill('SIGKILL')
    await network.teardown(uid(5))
    assert.equal((await run(process.execPath, ['-e', connect('127.0.0.1', 9090)])).trim(), 'ECONNREFUSED')
  })

  test('setup takes a place that was made ahead, of which there are some again after a moment', async () => {
    const network = await start(2)
    const places = () => readdirSync(join(directory, 'netns')).length
    const ready = () => readdirSync(join(directory, 'pods')).filter(name => /^spare-.*json$/.test(name)).length
    const before = places()
    const made = (count: number) =>
      eventually(async () => {
        if (ready() < count) await clock.advance(300)
        assert.equal(ready(), count)
      })
    await made(2)
    const [a, b] = [await network.setup(pod(200)), await network.setup(pod(201))]
    assert.equal(places(), before + 2, 'nothing was made for them')
    assert.equal((await inPod(a.netns!, connect(b.ips[0]!, 7000))).trim(), 'ECONNREFUSED')
    assert.equal(ready(), 0)
    await made(2)
    const again = await start()
    const c = await again.setup(pod(202))
    assert.equal(places(), before + 4, 'a program that started again finds them')
    assert.ok(![a.netns, b.netns].includes(c.netns))
    for (const n of [200, 201, 202]) await again.teardown(uid(n))
  })

  test('setup gives a pod an address of each family, by both of which it is reached', async () => {
    const network = await start(0, true)
    const [a, b] = [await network.setup(pod(300)), await network.setup(pod(301, HOST_PORTS))]
    assert.match(a.ips.join(), /^10\.244\.0\.\d+,fd00:10:244::[0-9a-f]+$/)
    const server = createServer(socket => socket.end(`you are ${socket.remoteAddress}`)).listen(7000, NODE6)
    assert.equal((await inPod(a.netns!, connect(NODE6, 7000))).trim(), `you are ${a.ips[1]}`)
    server.close()
    const inB = await serveInPod(b.netns!, 'hello')
    for (const ip of b.ips) assert.equal((await inPod(a.netns!, connect(ip, 8080))).trim(), 'hello')
    assert.equal((await inPod(a.netns!, connect(NODE6, 9091))).trim(), 'hello')
    inB.kill('SIGKILL')
    for (const n of [300, 301]) await network.teardown(uid(n))
  })

  test('a pod of before the second family keeps what it has, and one that an older program set up is found', async () => {
    const { ips } = await (await start()).setup(pod(320))
    const file = join(directory, 'pods', `${uid(320)}.json`)
    const { ips: _, ...kept } = JSON.parse(readFileSync(file, 'utf8'))
    writeFileSync(file, JSON.stringify({ ...kept, ip: ips[0] }))
    const network = await start(0, true)
    assert.deepEqual((await network.setup(pod(320))).ips, ips)
    const next = await network.setup(pod(321))
    assert.ok(next.ips.length === 2 && next.ips[0] !== ips[0])
    for (const n of [320, 321]) await network.teardown(uid(n))
  })

  test('a pod cannot speak as another, in either family', async () => {
    const network = await start(0, true)
    const a = await network.setup(pod(310))
    const heard: string[] = []
    const server = createServer(socket => heard.push(socket.remoteAddress ?? '')).listen({ port: 7001, host: '::' })
    const other = ['10.244.0.200', 'fd00:10:244::dead']
    for (const [at, host] of [NODE, NODE6].entries()) {
      await run('nsenter', [
        `--net=${a.netns}`,
        'ip',
        'addr',
        'add',
        `${other[at]}/${at ? 128 : 32}`,
        'dev',
        'eth0',
        ...(at ? ['nodad'] : []),
      ])
      const said = await inPod(a.netns!, speakAs(other[at]!, host, 7001))
      assert.match(said, /timeout/)
    }
    assert.deepEqual(heard, [])
    server.close()
    await network.teardown(uid(310))
  })

  test('setup: no place is made ahead while pods come', async () => {
    const network = await start(1)
    const ready = () => readdirSync(join(directory, 'pods')).filter(name => /^spare-.*json$/.test(name)).length
    await network.setup(pod(210))
    for (const n of [211, 212]) {
      await clock.advance(900)
      await network.setup(pod(n))
    }
    await clock.advance(900)
    assert.equal(ready(), 0)
    await clock.advance(100)
    await eventually(() => assert.equal(ready(), 1))
    for (const n of [210, 211, 212]) await network.teardown(uid(n))
  })

  test('a start sweeps namespaces and links that nobody knows', async () => {
    const stray = join(directory, 'netns', 'tutti-stray')
    writeFileSync(stray, '')
    await run('unshare', [`--net=${stray}`, 'true'])
    await run('ip', ['link', 'add', 'tutti-stray', 'type', 'veth', 'peer', 'name', 'peer0'])
    await start()
    assert.ok(!existsSync(stray))
    assert.notEqual((await attempt('ip', ['link', 'show', 'tutti-stray'])).code, 0)
  })
})
