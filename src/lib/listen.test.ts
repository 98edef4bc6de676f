import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { listenOn } from './listen.ts'

const options = { skip: process.platform === 'linux' ? false : 'elsewhere loopback has one address' }

/** Whether somebody accepts there. */
async function isOpen(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

test(
  'listenOn takes one port at every host, also where one is said twice, and leaves none open when one is taken',
  options,
  async t => {
    const listening = await listenOn(['127.0.0.1', '127.0.0.2', '127.0.0.1'], 0, socket => socket.destroy())
    t.after(listening.close)
    assert.deepEqual(await Promise.all(['127.0.0.1', '127.0.0.2'].map(host => isOpen(host, listening.port))), [
      true,
      true,
    ])
    const again = listenOn(['127.0.0.3', '127.0.0.1'], listening.port, () => {})
    await assert.rejects(again, { code: 'EADDRINUSE' })
    assert.equal(await isOpen('127.0.0.3', listening.port), false)
  },
)
