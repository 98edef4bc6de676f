import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import { plainSandbox } from '../agent/runtimes/configs.fixture.ts'
import { findPrograms } from '../agent/runtimes/containerd/find.ts'
import { openContainerd } from '../agent/runtimes/containerd/open.ts'
import { shimsOf } from '../agent/runtimes/containerd/run-folder.ts'
import { superviseContainerd } from '../agent/runtimes/containerd/supervise.ts'
import { realClock } from '../lib/clock.ts'
import { silent } from '../lib/log.ts'
import { openContainers } from './runtimes.ts'

const found = await findPrograms(process.env.PATH ?? '')
const problem = process.getuid?.() !== 0 ? 'needs root' : 'missing' in found ? found.missing : undefined

const CGROUPS = '/sys/fs/cgroup'
const NODE = `test-${process.pid}`

const deps = (dataDir: string, runtimeEndpoint: string, cgroupDriver?: 'cgroupfs' | 'systemd') => ({
  settings: { registries: [], ...(cgroupDriver && { cgroupDriver }) },
  options: { dataDir, port: 0, network: 'kernel', runtime: 'auto', nodes: 1, runtimeEndpoint } as const,
  nodeName: NODE,
  mode: 'kernel',
  clock: realClock,
  logger: silent,
})

test('openContainers refuses an endpoint that is no unix socket', async () => {
  await assert.rejects(openContainers(deps(tmpdir(), 'containerd.sock')), /is not the address of a unix socket/)
})

test('openContainers says of what is no container runtime that it is none', async t => {
  const socket = join(mkdtempSync(join(tmpdir(), 'tutti-given-')), 'x.sock')
  t.after(() => rmSync(dirname(socket), { recursive: true, force: true }))
  const server = new Server()
  const port = promisify(server.bindAsync.bind(server))
  await port(`unix://${socket}`, ServerCredentials.createInsecure())
  t.after(() => server.forceShutdown())
  await assert.rejects(openContainers(deps(tmpdir(), `unix://${socket}`)), {
    message: new RegExp(`^what answers at ${socket} does not speak CRI v1: .`),
    hint: /disabled_plugins/,
  })
})

test('openContainers takes no other runtime while containers of the cluster run', {
  skip: process.platform !== 'linux',
}, async t => {
  const dataDir = mkdtempSync(join(tmpdir(), 'tutti-shims-'))
  t.after(() => rmSync(dataDir, { recursive: true, force: true }))
  const directory = join(dataDir, 'containerd')
  const { options, ...rest } = deps(dataDir, '')
  const { runtimeEndpoint: _, ...own } = options
  const open = () => openContainers({ ...rest, options: { ...own, runtime: 'process' } })
  assert.deepEqual((await open()).drivers, [])
  mkdirSync(directory)
  assert.deepEqual((await open()).drivers, [])
  // What looks like a shim of it: a shell that waits for its input.
  const words = ['-c', 'read x', '-address', shimsOf(directory).socket, '-id', 'x']
  const shim = spawn('/bin/sh', words, { argv0: '/bin/containerd-shim-runc-v2', stdio: ['pipe', 'ignore', 'ignore'] })
  t.after(() => shim.kill('SIGKILL'))
  await once(shim, 'spawn')
  await assert.rejects(open(), {
    message:
      'pods of this cluster run in containerd (1), and in another runtime they would run twice (--runtime process)',
    hint: /tutti down/,
  })
})

test('openContainers makes control groups as the runtime that was given does', { skip: problem ?? false }, async t => {
  if ('missing' in found) return
  const root = mkdtempSync(join(tmpdir(), 'tutti-given-'))
  const place = (name: string) => join(root, name)
  const socket = place('containerd.sock')
  const layout = { socket, root: place('root'), state: place('state'), registries: place('registries') }
  const theirs = await superviseContainerd({
    programs: found,
    settings: {
      major: Number(found.version.split('.')[0]),
      layout: { ...layout, cniBin: place('bin'), cniConf: place('conf') },
      cgroupDriver: 'systemd',
      restrictOom: true,
    },
    directory: root,
    clock: realClock,
    logger: silent,
  })
  t.after(async () => {
    await theirs.stop()
    rmSync(root, { recursive: true, force: true })
  })
  const endpoint = `unix://${socket}`
  const { drivers, cgroupDriver } = await openContainers(deps(join(root, 'ours'), endpoint))
  for (const driver of drivers) await driver.close()
  assert.equal(cgroupDriver, 'systemd')
  await assert.rejects(openContainers(deps(join(root, 'ours'), endpoint, 'cgroupfs')), {
    message: `containers.cgroupDriver is cgroupfs, and the container runtime at ${socket} makes control groups by systemd`,
  })
})

test('openContainers leaves nothing of its own in a runtime that was given, and what is of others', {
  skip: problem ?? false,
}, async t => {
  if ('missing' in found) return
  const root = mkdtempSync(join(tmpdir(), 'tutti-given-'))
  const theirs = await openContainerd({
    programs: found,
    directory: join(root, 'containerd'),
    cgroupRoot: `tutti-test-${process.pid}-given`,
    clock: realClock,
    logger: silent,
    handlers: [''],
  })
  t.after(async () => {
    await theirs.stop()
    rmSync(root, { recursive: true, force: true })
  })
  const open = (name: string) => openContainers(deps(join(root, name), `unix://${theirs.socket}`))
  const run = async (name: string) => {
    const containers = await open(name)
    const [driver] = containers.drivers
    const directory = join(root, name, 'pods/uid')
    mkdirSync(directory, { recursive: true })
    await driver!.runSandbox(plainSandbox(`${name}-${process.pid}`, directory, { name, hostNetwork: true }))
    return containers
  }
  const [ours, others] = [await run('ours'), await run('others')]
  await ours.leave()
  await ours.drivers[0]!.close()
  const again = await open('ours')
  assert.deepEqual(await again.drivers[0]!.listSandboxes(), [])
  assert.equal((await others.drivers[0]!.listSandboxes()).length, 1)
  await others.leave()
  await others.drivers[0]!.close()
  await again.drivers[0]!.close()
  const hierarchies = existsSync(`${CGROUPS}/cgroup.controllers`) ? ['.'] : readdirSync(CGROUPS)
  const left = hierarchies.filter(each => existsSync(join(CGROUPS, each, 'tutti', NODE)))
  assert.deepEqual(left, [], 'control groups are left')
})
