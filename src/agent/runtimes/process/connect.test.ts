import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:net'
import { type TestContext, test } from 'node:test'
import { connectSandbox } from './connect.ts'

async function listen(t: TestContext, host: string, port = 0): Promise<number> {
  const server: Server = createServer(socket => socket.end(host))
  await new Promise<void>(resolve => server.listen(port, host, resolve))
  t.after(() => server.close())
  return (server.address() as { port: number }).port
}

async function said(ips: string[], port: number, via: 'address' | 'inside'): Promise<string> {
  try {
    const socket = await connectSandbox({ ips }, port, via)
    let text = ''
    for await (const chunk of socket) text += chunk
    socket.destroy()
    return text
  } catch (error) {
    assert.match((error as Error).message, /failed to connect to localhost:\d+ inside namespace of the pod/)
    return 'refused'
  }
}

test('connectSandbox reaches the loopback of a pod on the machine’s network from inside only', async t => {
  const port = await listen(t, '127.0.0.1')
  assert.equal(await said(['127.0.0.2'], port, 'inside'), '127.0.0.1')
  assert.equal(await said(['127.0.0.2'], port, 'address'), 'refused')
  await listen(t, '127.0.0.2', port)
  assert.equal(await said(['127.0.0.2'], port, 'address'), '127.0.0.2')
})

test('connectSandbox reaches a portable pod, whose address is the loopback, either way', async t => {
  const port = await listen(t, '127.0.0.1')
  assert.equal(await said(['127.0.0.1'], port, 'address'), '127.0.0.1')
  assert.equal(await said(['127.0.0.1'], port, 'inside'), '127.0.0.1')
})
