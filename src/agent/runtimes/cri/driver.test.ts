import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import {
  type handleUnaryCall,
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServerWritableStream,
} from '@grpc/grpc-js'
import { type Clock, realClock } from '../../../lib/clock.ts'
import { silent } from '../../../lib/log.ts'
import { virtualClock } from '../../../lib/virtual-clock.ts'
import { plainSandbox } from '../configs.fixture.ts'
import { openCriDriver } from './driver.ts'
import { sandboxId, versionResponse } from './messages.ts'

const bytes = (value: Buffer) => value
const method = (service: string, name: string, responseStream = false): MethodDefinition<Buffer, Buffer> => ({
  path: `/runtime.v1.${service}/${name}`,
  requestStream: false,
  responseStream,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
})
const runtimeCalls = ['Status', 'ListPodSandbox', 'ListContainers', 'PodSandboxStatus'].map(name =>
  method('RuntimeService', name),
)
const EMPTY = [...runtimeCalls, method('ImageService', 'ListImages')]
const VERSION = method('RuntimeService', 'Version')
const EVENTS = method('RuntimeService', 'GetContainerEvents', true)

const RUN = method('RuntimeService', 'RunPodSandbox')

/** Starts a runtime in which nothing runs; the function that it gives ends it. `run` makes sandboxes. */
async function startRuntime(
  t: TestContext,
  socket: string,
  runtimeVersion: string,
  run: handleUnaryCall<Buffer, Buffer> = () => {},
) {
  const server = new Server()
  const answer =
    (bytes: Buffer): handleUnaryCall<Buffer, Buffer> =>
    (_, tell) =>
      tell(null, bytes)
  server.addService(
    { version: VERSION, events: EVENTS, run: RUN, ...Object.fromEntries(EMPTY.map(each => [each.path, each])) },
    {
      version: answer(versionResponse.encode({ runtimeName: 'small', runtimeVersion })),
      events: (_: ServerWritableStream<Buffer, Buffer>) => {},
      run,
      ...Object.fromEntries(EMPTY.map(each => [each.path, answer(Buffer.alloc(0))])),
    },
  )
  rmSync(socket, { force: true })
  await promisify(server.bindAsync.bind(server))(`unix://${socket}`, ServerCredentials.createInsecure())
  t.after(() => server.forceShutdown())
  return () => server.forceShutdown()
}

/** A driver on one of release 1. */
async function start(t: TestContext, clock: Clock, run?: handleUnaryCall<Buffer, Buffer>) {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-cri-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const socket = join(folder, 'cri.sock')
  const stop = await startRuntime(t, socket, '1', run)
  const lost = Promise.withResolvers<void>()
  const driver = await openCriDriver({
    socket,
    clock,
    logger: silent,
    owner: 'us',
    handlers: [''],
    ownNetwork: true,
    unifiedGroups: false,
    cgroupParent: () => '/x',
    lost: lost.resolve,
  })
  t.after(driver.close)
  return { driver, folder, socket, stop, lost: lost.promise }
}

test('openCriDriver lets nobody wait for a runtime that has been away for long', async t => {
  const clock = virtualClock()
  const { driver, stop, lost } = await start(t, clock)
  assert.deepEqual(await driver.images?.list(), [])
  stop()
  await lost
  const patient = assert.rejects(driver.images!.list())
  await clock.advance(30_000)
  await patient
  await assert.rejects(driver.images!.list(), { code: 14 })
})

test('openCriDriver tells the release as which a runtime came back', async t => {
  const { driver, socket, stop, lost } = await start(t, realClock)
  assert.equal(driver.version, 'small://1')
  stop()
  await lost
  await startRuntime(t, socket, '2')
  assert.deepEqual(await driver.images?.list(), [])
  assert.equal(driver.version, 'small://2')
})

test('openCriDriver does not let go of a runtime that is making a sandbox', async t => {
  const asked = Promise.withResolvers<() => void>()
  const { driver, folder } = await start(t, realClock, (_, tell) =>
    asked.resolve(() => tell(null, sandboxId.encode({ podSandboxId: 'made' }))),
  )
  const made = driver.runSandbox(plainSandbox('uid', folder))
  const answer = await asked.promise
  const order: string[] = []
  const closed = driver.close().then(() => order.push('closed'))
  void made.then(() => order.push('made'))
  answer()
  assert.equal(await made, 'made')
  await closed
  assert.deepEqual(order, ['made', 'closed'])
})
