/** Device plugins that register and then say nothing, on a clock that is set. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createNodeDevices } from '../../../src/agent/devices/devices.ts'
import * as messages from '../../../src/agent/devices/messages.ts'
import { silent } from '../../../src/lib/log.ts'
import type { Message } from '../../../src/lib/protobuf/message.ts'
import { virtualClock } from '../../../src/lib/virtual-clock.ts'
import { serve } from './grpc-service.ts'

const of = (type: unknown) => type as Message<never>

test('a plugin that names no devices is waited for five minutes, until it registers again, or until the node ends', async t => {
  const directory = mkdtempSync(join(tmpdir(), 'tutti-silent-'))
  /** What waits for the next connection. */
  let connected = (_ended: AbortSignal) => {}
  let tell = (_devices: object) => {}
  const server = await serve(
    join(directory, 'p.sock'),
    messages.PLUGIN,
    {},
    {
      ListAndWatch: [
        of(messages.empty),
        of(messages.listResponse),
        (send, ended) => {
          tell = send
          connected(ended)
        },
      ],
    },
  )
  const scope = new AbortController()
  t.after(() => {
    scope.abort()
    server.forceShutdown()
    rmSync(directory, { recursive: true })
  })
  const clock = virtualClock()
  const changes: (() => void)[] = []
  const devices = createNodeDevices(
    { directory, clock, logger: silent, isHeld: () => false, changed: () => changes.shift()?.() },
    scope.signal,
  )
  /** Resolves when the node has asked the plugin, with what resolves when it asks no more. */
  async function register() {
    const asked = new Promise<AbortSignal>(resolve => (connected = resolve))
    await devices.register({
      version: messages.VERSION,
      endpoint: 'p.sock',
      resourceName: 'example.com/dongle',
      options: { preStartRequired: false, preferredAllocation: false },
    })
    const signal = await asked
    return { over: new Promise(resolve => signal.addEventListener('abort', resolve, { once: true })) }
  }
  const first = await register()
  await clock.advance(299_000)
  const second = await register()
  await first.over
  await clock.advance(300_000)
  await second.over
  assert.deepEqual(devices.resources(), { capacity: {}, allocatable: {} })
  await register()
  await clock.advance(290_000)
  const known = new Promise<void>(resolve => changes.push(resolve))
  tell({ devices: [{ id: 'one', health: 'Healthy' }] })
  await known
  await clock.advance(600_000)
  assert.deepEqual(devices.resources().allocatable, { 'example.com/dongle': '1' })
  const last = await register()
  scope.abort()
  await last.over
})
