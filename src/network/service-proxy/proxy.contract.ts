/** What every service proxy does, shown with real connections. An implementation's test hands over a factory. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { after, test } from 'node:test'
import type { ServiceProxy } from './proxy.ts'
import type { Backend, ServicePort } from './service-ports.ts'

export interface ProxyUnderTest {
  readonly proxy: ServiceProxy
  /** Seconds of affinity pass, as far as this proxy is concerned. */
  passSeconds(seconds: number): Promise<void>
  /** What a connection meets that must not be answered: nothing where the kernel carries it, else a refusal. */
  readonly unanswered: 'no answer' | 'ECONNREFUSED'
  /** Why flows of UDP that stand do not follow a change; false: they do. */
  readonly flowsStay: string | false
}

/** What a new connection gets: the backend's name, or an error code. */
export function ask(host: string, port: number, timeout = 3000): Promise<string> {
  return new Promise(resolve => {
    const socket = connect({ host, port, timeout })
    let said = ''
    socket.on('data', data => (said += data))
    socket.on('timeout', () => socket.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })))
    socket.on('error', error => resolve((error as NodeJS.ErrnoException).code ?? error.message))
    socket.on('end', () => {
      socket.end()
      resolve(said)
    })
  })
}

/** A server that says its name and ends, or, asked to `stay`, echoes. */
function backend(name: string, stay = false): Promise<Backend & { server: Server; name: string }> {
  return new Promise(resolve => {
    const server = createServer(socket => (stay ? socket.pipe(socket) : socket.end(name)))
    server.listen(0, '127.0.0.1', () =>
      resolve({ name, server, address: '127.0.0.1', port: (server.address() as { port: number }).port }),
    )
  })
}

/** A server that answers each packet with its name. */
function udpBackend(name: string): Promise<Backend & { close(): void }> {
  return new Promise(resolve => {
    const socket = createSocket('udp4')
    socket.on('message', (_, from) => socket.send(name, from.port, from.address))
    socket.bind(0, '127.0.0.1', () =>
      resolve({ address: '127.0.0.1', port: socket.address().port, close: () => socket.close() }),
    )
  })
}

/** One client: its packets are one flow. Asking resolves with the answer, or an error's code. */
function udpClient(): { ask(host: string, port: number): Promise<string>; close(): void } {
  const socket = createSocket('udp4')
  return {
    ask: (host, port) =>
      new Promise(resolve => {
        const send = () => socket.send('?', error => error && finish((error as NodeJS.ErrnoException).code ?? ''))
        // A packet may be lost, and so is asked for again.
        const again = setInterval(send, 500)
        const finish = (answer: string) => {
          clearInterval(again)
          socket.removeAllListeners().disconnect()
          resolve(answer)
        }
        socket.once('message', message => finish(String(message)))
        socket.once('error', (error: NodeJS.ErrnoException) => finish(error.code ?? error.message))
        socket.connect(port, host, send)
      }),
    close: () => socket.close(),
  }
}

const SERVICE = 'default/web'

/** Registers the suite. `start` makes one proxy for all of it. */
export function proxyContract(name: string, start: () => Promise<ProxyUnderTest>): void {
  const servers: Server[] = []
  const make = async (title: string, stay?: boolean) => {
    const made = await backend(title, stay)
    servers.push(made.server)
    return made
  }
  const port = (backends: readonly Backend[], more: Partial<ServicePort> = {}): ServicePort => ({
    id: `${SERVICE}:80`,
    protocol: 'tcp',
    frontends: [
      { kind: 'cluster', address: '10.96.7.7', port: 80 },
      { kind: 'node', port: 30_080 },
    ],
    backends: backends.map(({ address, port: number }) => ({ address, port: number })),
    ...more,
  })
  let started: Promise<ProxyUnderTest> | undefined
  const under = () => (started ??= start())
  const set = async (...ports: ServicePort[]) => (await under()).proxy.apply(new Map([[SERVICE, ports]]))
  const where = async (service = SERVICE, at = 80, clusterIp = '10.96.7.7') =>
    (await under()).proxy.localAddress(service, at, 'tcp') ?? { host: clusterIp, port: at }
  const times = async (count: number, host: string, number: number) => {
    const answers = new Map<string, number>()
    for (let n = 0; n < count; n++) {
      const answer = await ask(host, number)
      answers.set(answer, (answers.get(answer) ?? 0) + 1)
    }
    return answers
  }

  after(async () => {
    await (await started)?.proxy.close()
    for (const server of servers) server.close()
  })

  test(`${name} apply: connections are spread over all backends, and follow a change`, async () => {
    const [a, b, c] = [await make('a'), await make('b'), await make('c')]
    await set(port([a, b, c]))
    const { host, port: at } = await where()
    assert.deepEqual([...(await times(60, host, at)).keys()].toSorted(), ['a', 'b', 'c'])
    await set(port([a, b]))
    assert.deepEqual([...(await times(40, host, at)).keys()].toSorted(), ['a', 'b'])
    await set(port([c]))
    assert.deepEqual(await times(5, host, at), new Map([['c', 5]]))
  })

  test(`${name} apply: a node port answers on the machine's loopback`, async () => {
    const a = await make('a')
    await set(port([a]))
    assert.equal(await ask('127.0.0.1', 30_080), 'a')
    await set(port([a], { frontends: [{ kind: 'cluster', address: '10.96.7.7', port: 80 }] }))
    assert.equal(await ask('127.0.0.1', 30_080), 'ECONNREFUSED')
  })

  test(`${name} apply: without backends connections are refused, and served again when there is one`, async () => {
    const a = await make('a')
    await set(port([]))
    const { host, port: at } = await where()
    assert.equal(await ask(host, at), 'ECONNREFUSED')
    assert.equal(await ask('127.0.0.1', 30_080), 'ECONNREFUSED')
    await set(port([a]))
    const again = await where()
    assert.equal(await ask(again.host, again.port), 'a')
  })

  test(`${name} apply: without backends that it may use, nothing is served, and served again when there is one`, async () => {
    const a = await make('a')
    const { unanswered } = await under()
    const at = (backends: readonly Backend[]) => {
      const target = {
        backends: backends.map(({ address, port: number }) => ({ address, port: number })),
        empty: 'drop',
      } as const
      // Other nodes have backends: this one may not use them.
      return port([a], {
        frontends: [
          { kind: 'cluster', address: '10.96.7.7', port: 80, target },
          { kind: 'node', port: 30_080 },
        ],
      })
    }
    await set(at([]))
    const { host, port: number } = await where()
    // What never comes is not waited for long; what comes may take its time.
    const [silence, patience] = unanswered === 'no answer' ? ['ETIMEDOUT', 400] : [unanswered, 30_000]
    assert.equal(await ask(host, number, patience), silence)
    assert.equal(await ask('127.0.0.1', 30_080), 'a', 'a node port has a policy of its own')
    await set(at([a]))
    const again = await where()
    assert.equal(await ask(again.host, again.port), 'a')
  })

  test(`${name} apply: a service that is gone is refused`, async () => {
    const a = await make('a')
    await set(port([a]))
    const { host, port: at } = await where()
    assert.equal(await ask(host, at), 'a')
    await set()
    assert.equal(await ask(host, at), 'ECONNREFUSED')
  })

  test(`${name} apply and reset: a connection that stands is left alone`, async () => {
    const [echo, b] = [await make('echo', true), await make('b')]
    await set(port([echo]))
    const { host, port: at } = await where()
    const socket: Socket = connect(at, host)
    const say = (text: string) =>
      new Promise<string>((resolve, reject) => {
        socket.once('data', data => resolve(String(data)))
        socket.once('error', reject)
        socket.write(text)
      })
    assert.equal(await say('one'), 'one')
    await set(port([b]))
    assert.equal(await say('two'), 'two')
    await (await under()).proxy.reset(new Map([[SERVICE, [port([b])]]]))
    assert.equal(await say('three'), 'three')
    assert.equal(await ask(host, at), 'b')
    socket.destroy()
  })

  test(`${name} affinity: a client stays with its backend while that is there, and no longer than the timeout`, async () => {
    const three = [await make('a'), await make('b'), await make('c')]
    await set(port(three, { affinitySeconds: 1 }))
    const { host, port: at } = await where()
    const first = await times(15, host, at)
    assert.equal(first.size, 1, 'one backend')
    const name0 = [...first.keys()][0]!
    await set(
      port(
        three.filter(each => each.name !== name0),
        { affinitySeconds: 1 },
      ),
    )
    const second = await times(15, host, at)
    assert.equal(second.size, 1, 'one other backend')
    assert.ok(!second.has(name0))
    await set(port(three, { affinitySeconds: 1 }))
    assert.deepEqual([...(await times(5, host, at)).keys()], [...second.keys()], 'one that came changes nothing')
    const drawn = new Set<string>()
    for (let n = 0; n < 20 && drawn.size < 2; n++) {
      await (await under()).passSeconds(1.1)
      drawn.add(await ask(host, at))
    }
    assert.ok(drawn.size > 1, 'drawn anew after the timeout')
  })

  test(`${name} apply: ports of one service lead to their own backends`, async () => {
    const [a, b] = [await make('http'), await make('admin')]
    const at = (number: number, backends: readonly Backend[]) =>
      port(backends, {
        id: `${SERVICE}:${number}`,
        frontends: [{ kind: 'cluster', address: '10.96.7.7', port: number }],
      })
    await set(at(80, [a]), at(81, [b]))
    const [http, admin] = [await where(SERVICE, 80), await where(SERVICE, 81)]
    assert.equal(await ask(http.host, http.port), 'http')
    assert.equal(await ask(admin.host, admin.port), 'admin')
  })

  test(`${name} apply: an address may move from one service to another within a change`, async () => {
    const [a, b] = [await make('a'), await make('b')]
    await set(port([a]))
    const moved = port([b], { id: 'default/other:80' })
    await (await under()).proxy.apply(
      new Map([
        ['default/other', [moved]],
        [SERVICE, []],
      ]),
    )
    const { host, port: at } = await where('default/other')
    assert.equal(await ask(host, at), 'b')
    await (await under()).proxy.apply(new Map([['default/other', []]]))
  })

  test(`${name} UDP: packets are carried both ways, and a flow goes on to another backend when its own is gone`, async t => {
    const [a, b] = [await udpBackend('a'), await udpBackend('b')]
    const client = udpClient()
    t.after(() => [a, b, client].map(each => each.close()))
    const udp = (...backends: Backend[]) => port(backends, { protocol: 'udp' })
    const { proxy, flowsStay } = await under()
    await set(udp(a))
    const place = () => proxy.localAddress(SERVICE, 80, 'udp') ?? { host: '10.96.7.7', port: 80 }
    assert.equal(await client.ask(place().host, place().port), 'a')
    const stranger = udpClient()
    assert.equal(await stranger.ask('127.0.0.1', 30_080), 'a')
    stranger.close()
    await set(udp(b))
    if (flowsStay) t.diagnostic(flowsStay)
    else assert.equal(await client.ask(place().host, place().port), 'b')
    await set(udp())
    const late = udpClient()
    // The kernel does not even let a packet of its own machine out.
    assert.match(await late.ask(place().host, place().port), /^(ECONNREFUSED|EPERM)$/)
    late.close()
    await set()
  })

  test(`${name} reset: what is not named is gone, what is named answers`, async () => {
    const [a, b] = [await make('a'), await make('b')]
    await set(port([a]))
    const before = await where()
    const services = Array.from({ length: 40 }, (_, n) => {
      const address = `10.96.8.${n}`
      return [
        `default/s${n}`,
        [
          port(n % 2 ? [a] : [a, b], {
            id: `default/s${n}:80`,
            frontends: [{ kind: 'cluster' as const, address, port: 80 }],
          }),
        ],
      ] as const
    })
    await (await under()).proxy.reset(new Map(services))
    for (const n of [0, 1, 39]) {
      const { host, port: at } = await where(`default/s${n}`, 80, `10.96.8.${n}`)
      assert.match(await ask(host, at), /^[ab]$/)
    }
    assert.equal(await ask(before.host, before.port), 'ECONNREFUSED')
    const { host, port: at } = await where('default/s0', 80, '10.96.8.0')
    await (await under()).proxy.reset(new Map())
    assert.equal(await ask(host, at), 'ECONNREFUSED')
  })
}
