import assert from 'node:assert/strict'
import { Agent, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import type { Address } from '../backends/source.ts'
import { routeTo, startGateway } from './gateway.fixture.ts'

const agent = new Agent({ keepAlive: true, maxSockets: 8 })
const ends: (() => unknown)[] = [() => agent.destroy()]
after(async () => {
  for (const end of ends.reverse()) await end()
})

/** A pod: it answers after a while, and ends as one that is told to: what is under way is finished. */
async function startPod() {
  const server = createServer(async (incoming, response) => {
    let length = 0
    for await (const chunk of incoming) length += chunk.length
    await new Promise(resolve => setImmediate(resolve))
    response.end(`${incoming.method} ${length}`)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address: Address = { host: '127.0.0.1', port: (server.address() as AddressInfo).port }
  const stop = () => new Promise<void>(resolve => server.close(() => resolve()))
  return { address, stop }
}

function ask(port: number, method: string, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, agent }, response => {
      let text = `${response.statusCode} `
      response.setEncoding('utf8').on('data', chunk => (text += chunk))
      response.on('end', () => resolve(text))
      response.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** Replaces three pods three times while clients ask; resolves with answers that were wrong. */
async function rollingUpdate(methods: readonly string[]): Promise<string[]> {
  const own = await startGateway([routeTo('web')])
  ends.push(() => own.close())
  let pods = await Promise.all([startPod(), startPod(), startPod()])
  ends.push(() => Promise.all(pods.map(({ stop }) => stop())))
  const publish = () =>
    own.services.set(
      'web',
      pods.map(({ address }) => address),
    )
  publish()
  let going = true
  const wrong: string[] = []
  let asked = 0
  const client = async (method: string) => {
    const body = method === 'GET' ? '' : 'x'.repeat(20_000)
    while (going) {
      asked++
      const answer = await ask(own.port, method, body).catch(error => `${error}`)
      if (answer !== `200 ${method} ${body.length}`) wrong.push(answer)
    }
  }
  const clients = methods.map(client)
  const someRequests = async () => {
    for (const until = asked + 12; asked < until; ) await new Promise(resolve => setImmediate(resolve))
  }
  for (let turn = 0; turn < 5; turn++) {
    const [old, ...others] = pods
    pods = [...others, await startPod()]
    await someRequests()
    // A pod may end before it is heard of: its idle connections are closed, and it takes no new ones. What waits to be
    // accepted is lost then, so requests that may not be repeated need the usual order.
    if (methods.every(method => method === 'GET')) {
      const stopped = old!.stop()
      await new Promise(resolve => setImmediate(resolve))
      publish()
      await stopped
    } else {
      publish()
      await someRequests()
      await old!.stop()
    }
    await someRequests()
  }
  going = false
  await Promise.all(clients)
  return wrong
}

test('a rolling update loses no GET, though pods end before the gateway hears of it', async () => {
  assert.deepEqual(await rollingUpdate(['GET', 'GET', 'GET', 'GET']), [])
})

test('a rolling update loses no request with a body', async () => {
  assert.deepEqual(await rollingUpdate(['POST', 'PUT', 'POST', 'PUT']), [])
})
