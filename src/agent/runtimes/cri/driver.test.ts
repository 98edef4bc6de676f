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
import { silent } from '../../../lib/log.ts'
import { virtualClock } from '../../../lib/virtual-clock.ts'
import { openCriDriver } from './driver.ts'

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
const UNARY = ['Version', 'Status', 'ListPodSandbox', 'ListContainers'].map(name => method('RuntimeService', name))

/** A runtime in which nothing runs, and its socket. */
async function emptyRuntime(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-cri-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const socket = join(folder, 'cri.sock')
  const server = new Server()
  const empty: handleUnaryCall<Buffer, Buffer> = (_, answer) => answer(null, Buffer.alloc(0))
  const events = (_: ServerWritableStream<Buffer, Buffer>) => {}
  const all = [...UNARY, method('ImageService', 'ListImages')]
  server.addService(
    Object.fromEntries([
      ...all.map(each => [each.path, each]),
      ['events', method('RuntimeService', 'GetContainerEvents', true)],
    ]),
    { ...Object.fromEntries(all.map(each => [each.path, empty])), events },
  )
  await promisify(server.bindAsync.bind(server))(`unix://${socket}`, ServerCredentials.createInsecure())
  t.after(() => server.forceShutdown())
  return { socket, stop: () => server.forceShutdown() }
}

test('openCriDriver lets nobody wait for a runtime that has been away for long', async t => {
  const { socket, stop } = await emptyRuntime(t)
  const clock = virtualClock()
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
  assert.deepEqual(await driver.images?.list(), [])
  stop()
  await lost.promise
  const patient = assert.rejects(driver.images!.list())
  await clock.advance(30_000)
  await patient
  await assert.rejects(driver.images!.list(), { code: 14 })
})
