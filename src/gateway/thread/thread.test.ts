import assert from 'node:assert/strict'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import type { Worker } from 'node:worker_threads'
import { realClock } from '../../lib/clock.ts'
import { eventually } from '../../lib/eventually.fixture.ts'
import { silent } from '../../lib/log.ts'
import { countedElsewhere } from '../metrics.ts'
import { routeTo } from '../proxy/gateway.fixture.ts'
import { idOfTarget } from '../routing/route.ts'
import { keyOfRoute } from '../routing/table.ts'
import type { PortWish } from '../server/ports.ts'
import { startDataPlane, startWorker } from './start.ts'

const ends: (() => unknown)[] = []
after(async () => {
  for (const end of ends.reverse()) await end()
})

/** A thread with a route to a server that answers `hello`. */
async function start(http: PortWish = { port: 0 }) {
  const server = createServer((_, response) => response.end('hello'))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  ends.push(() => {
    server.close()
    server.closeAllConnections()
  })
  const counted = countedElsewhere(realClock)
  const threads: Worker[] = []
  const failures: string[] = []
  let wake = () => {}
  const own = startDataPlane({
    hosts: ['127.0.0.1'],
    ports: { http, https: { port: 0 } },
    trustedProxies: [],
    ...{ counted, clock: realClock, logger: silent },
    startThread(data) {
      const thread = startWorker(data)
      threads.push(thread)
      return thread
    },
    changed: () => wake(),
    failed: why => failures.push(why),
  })
  ends.push(() => own.close(0))
  const route = routeTo('web')
  const address = {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    external: false,
    protocol: 'http',
  } as const
  own.apply({
    endpoints: [[idOfTarget(route.target!), [address]]],
    routes: [[keyOfRoute(route), route]],
  })
  await own.plain.open()
  const changed = () => new Promise<void>(resolve => (wake = resolve))
  return { own, counted, threads, failures, changed }
}

const ask = (port: number) =>
  new Promise<string>((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, agent: false }, response => {
      let text = `${response.statusCode} `
      response.setEncoding('utf8').on('data', chunk => (text += chunk))
      response.on('end', () => resolve(text))
    })
    sent.on('error', reject)
    sent.end()
  })

test('startDataPlane carries requests in a thread, and tells their numbers when it is asked', async () => {
  const { own, counted } = await start()
  assert.ok(own.plain.isOpen())
  assert.deepEqual([own.secure.isOpen(), own.plain.why()], [false, undefined])
  assert.equal(await ask(own.plain.number()), '200 hello')
  const [requests] = counted.families
  assert.deepEqual([...requests!.samples()], [])
  await Promise.all(counted.families.map(({ refresh }) => refresh!()))
  const labels = { namespace: 'default', ingress: 'web', method: 'GET', code: '200' }
  assert.deepEqual([...requests!.samples()], [{ labels, value: 1 }])
})

test('startDataPlane replaces a thread that ends by one that knows the same, and tells of it', async () => {
  const { own, threads, failures, changed } = await start()
  assert.equal(await ask(own.plain.number()), '200 hello')
  const again = changed()
  await threads[0]!.terminate()
  assert.deepEqual([failures.length, own.plain.isOpen(), own.plain.isBroken()], [1, false, true])
  await again
  assert.deepEqual([threads.length, own.plain.isOpen(), own.plain.isBroken()], [2, true, false])
  assert.equal(await ask(own.plain.number()), '200 hello')
})

test('startDataPlane says why a port cannot be had, and gives ports back', async () => {
  const first = await start()
  const port = first.own.plain.number()
  const { own } = await start({ port })
  assert.deepEqual([own.plain.isOpen(), own.plain.number(), own.plain.why()], [false, port, 'another program has it'])
  first.own.plain.close()
  assert.equal(first.own.plain.isOpen(), false)
  // Each thread does what it is told in its own time.
  await eventually(async () => {
    await own.plain.open()
    return own.plain.isOpen()
  })
  assert.equal(await ask(port), '200 hello')
})
