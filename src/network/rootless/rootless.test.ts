import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readlinkSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from '../../lib/eventually.fixture.ts'
import { ask } from '../service-proxy/proxy.contract.ts'
import { attempt } from '../tools/command.ts'
import { endHolder, ensureHolder, enterHolder, findHolder } from './holder.ts'
import { startInside } from './porter.ts'

const trial = spawnSync('unshare', ['--user', '--map-root-user', '--net', 'ip', 'link', 'set', 'lo', 'up'], {
  encoding: 'utf8',
})
const skip = trial.status === 0 ? false : `user namespaces cannot be used here: ${trial.error?.message ?? trial.stderr}`

test('ensureHolder keeps one namespace, in which the user is root over the network', { skip }, async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'tutti-holder-'))
  const holder = await ensureHolder(dataDir)
  assert.deepEqual(await ensureHolder(dataDir), holder)
  assert.deepEqual(findHolder(dataDir), holder)
  assert.notEqual(readlinkSync(`/proc/${holder.pid}/ns/net`), readlinkSync('/proc/self/ns/net'))
  const [command, ...args] = enterHolder(holder)
  const inside = await attempt(command!, [
    ...args,
    'sh',
    '-c',
    'id -u && ip link add veth0 type veth peer name veth1 && ip -o link show veth0',
  ])
  assert.match(inside.stdout, /^0\n.*veth0@veth1/, inside.stderr)
  endHolder(dataDir)
  assert.equal(findHolder(dataDir), undefined)
  rmSync(dataDir, { recursive: true })
})

test('openHostPorts listens on the machine from inside the namespace, and is told what is taken', {
  skip,
}, async t => {
  const dataDir = mkdtempSync(join(tmpdir(), 'tutti-porter-'))
  const taken = createServer().listen(0, '127.0.0.1')
  t.after(() => {
    endHolder(dataDir)
    taken.close()
    rmSync(dataDir, { recursive: true })
  })
  await new Promise(resolve => taken.once('listening', resolve))
  const { port: takenPort } = taken.address() as { port: number }
  const program = `
    import { openHostPorts } from ${JSON.stringify(join(import.meta.dirname, 'porter.ts'))}
    import { readlinkSync } from 'node:fs'
    import { Worker } from 'node:worker_threads'
    const { listen, socket } = openHostPorts()
    const server = await listen(0, socket => socket.end(readlinkSync('/proc/self/ns/net')))
    const refused = await listen(${takenPort}, () => {}).catch(error => error.code)
    const refusedSocket = await socket(${takenPort}).catch(error => error.code)
    // The number means the same in every thread.
    const bare = await socket(0)
    const accept = \`
      import(\${JSON.stringify(${JSON.stringify(join(import.meta.dirname, '../../lib/listen.ts'))})}).then(async ({ acceptFrom }) => {
        const { close } = await acceptFrom(\${bare.fd}, socket => socket.end('a thread', () => close()))
        process.getBuiltinModule('node:worker_threads').parentPort.postMessage('accepting')
        setInterval(() => {}, 1e6)
      })\`
    await new Promise(resolve => new Worker(accept, { eval: true }).once('message', resolve))
    console.log(JSON.stringify({ port: server.port, bare: bare.port, refused: [refused, refusedSocket] }))
  `
  const child = await startInside({
    dataDir,
    command: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program],
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill())
  const { port, bare, refused } = JSON.parse(
    await new Promise((resolve, reject) => {
      child.stdout!.once('data', data => resolve(String(data)))
      child.once('exit', code => reject(new Error(`the program inside ended with ${code}`)))
    }),
  )
  assert.deepEqual(refused, ['EADDRINUSE', 'EADDRINUSE'])
  assert.equal(await ask('127.0.0.1', bare), 'a thread')
  // Who accepts gives the port back, a moment after its answer.
  await eventually(async () => assert.equal(await ask('127.0.0.1', bare), 'ECONNREFUSED'))
  assert.equal(await ask('127.0.0.1', port), readlinkSync(`/proc/${findHolder(dataDir)!.pid}/ns/net`))
  const ended = new Promise(resolve => child.once('exit', resolve))
  child.kill()
  await ended
  assert.equal(await ask('127.0.0.1', port), 'ECONNREFUSED', 'the porter kept no copy')
})
