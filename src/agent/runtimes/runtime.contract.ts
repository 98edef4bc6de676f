/** What every runtime driver does. A driver's test hands `runtimeContract` a factory. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { PATIENCE } from '../../lib/eventually.fixture.ts'
import { mount, removeTree } from '../../lib/mounts.ts'
import { makeOwnedNetns } from '../../lib/owned-netns.ts'
import { plainContainer } from './configs.fixture.ts'
import type { ContainerConfig, ContainerStatus, RuntimeDriver, RuntimeEvent, SandboxConfig } from './runtime.ts'

/** What a driver's test brings. */
export interface ContractHarness {
  /** A sandbox's configuration with this uid, ready to run. */
  sandbox(uid: string): SandboxConfig | Promise<SandboxConfig>
  readonly driver: RuntimeDriver
  /** Lets time pass: real, or the driver's virtual clock. */
  wait(ms: number): Promise<void>
  /** Commands, in the driver's own terms. Absent ones skip their cases. */
  readonly commands: {
    /** Runs until told to end, and obeys. */
    readonly forever: readonly string[]
    /** Runs until killed; prints `deaf` as soon as it ignores signals, where commands print. */
    readonly stubborn: readonly string[]
    /** Ends at once with this code. */
    exit(code: number): readonly string[]
    /** Prints these lines to stdout and goes on running. */
    print?(lines: readonly string[]): readonly string[]
    /** For exec: prints its text and ends with 0. */
    echo?(text: string): readonly string[]
    /** For start: a command that cannot be run at all. */
    readonly missing?: readonly string[]
  }
  /** Nothing really runs: time passes by `wait` alone, and commands answer at once. */
  readonly isPlayed?: boolean
  /** Image that the driver takes, and one that it refuses. */
  readonly image: string
  readonly badImage?: string
  /** Path of a file in `image` and of a folder that holds it, where files of images can be mounted and `cat` and `sh` run. */
  readonly imageFile?: { readonly folder: string; readonly name: string }
  /** Lets go of the driver as a crash would, and opens it anew on the same state; where it survives. */
  reopen?(): Promise<RuntimeDriver>
  close(): Promise<void>
}

const container = (image: string, name: string, command: readonly string[], attempt = 0): ContainerConfig =>
  plainContainer(image, { name, attempt, command, annotations: { contract: name } })

/** Runs the suite under `title`. */
export function runtimeContract(title: string, make: () => Promise<ContractHarness>) {
  describe(`${title} (runtime contract)`, () => {
    let harness: ContractHarness
    let driver: RuntimeDriver
    let count = 0
    const events: RuntimeEvent[] = []
    before(async () => {
      harness = await make()
      driver = harness.driver
      driver.onEvent(event => events.push(event))
    })
    after(() => harness.close())

    const pod = async () => {
      const uid = `00000000-0000-4000-8000-${String(++count).padStart(12, '0')}`
      return { uid, sandbox: await driver.runSandbox(await harness.sandbox(uid)) }
    }
    /** Waits until it is so, in the time of the driver. */
    const soon = async (check: () => boolean | Promise<boolean>) => {
      for (let waited = 0; !(await check()); waited += 10) {
        assert.ok(waited < PATIENCE, `it does not become true: ${check}`)
        await harness.wait(10)
      }
    }
    const until = async (id: string, state: ContainerStatus['state']) => {
      let status: ContainerStatus | undefined
      await soon(async () => (status = await driver.containerStatus(id))?.state === state)
      return status!
    }
    /** Runs what ignores the signal to end; resolves when it does. */
    const runStubborn = async () => {
      const running = await run(harness.commands.stubborn)
      await until(running.id, 'running')
      if (harness.commands.print) await soon(async () => (await read(running.id)).includes('deaf'))
      return running
    }
    const run = async (command: readonly string[], name = 'main') => {
      const { uid, sandbox } = await pod()
      const id = await driver.createContainer(sandbox, container(harness.image, name, command))
      await driver.startContainer(id)
      return { uid, sandbox, id }
    }
    const read = async (id: string, options = {}) => {
      const stream = await driver.logs(id, { container: 'main', ...options }, AbortSignal.timeout(PATIENCE))
      const chunks: Uint8Array[] = []
      for await (const chunk of stream) chunks.push(chunk)
      return Buffer.concat(chunks).toString()
    }

    it('runSandbox makes a ready sandbox that is listed', async () => {
      const { uid, sandbox } = await pod()
      assert.equal((await driver.sandboxStatus(sandbox))?.state, 'ready')
      assert.deepEqual(
        (await driver.listSandboxes()).filter(s => s.uid === uid).map(s => s.id),
        [sandbox],
      )
      await driver.removeSandbox(sandbox)
      assert.equal(await driver.sandboxStatus(sandbox), undefined)
      await driver.removeSandbox(sandbox)
    })

    it('startContainer runs the command, and createContainer alone does not', async () => {
      const { uid, sandbox } = await pod()
      const id = await driver.createContainer(sandbox, container(harness.image, 'main', harness.commands.forever))
      assert.equal((await driver.containerStatus(id))?.state, 'created')
      await driver.startContainer(id)
      const status = await until(id, 'running')
      assert.ok(status.startedAt > 0 && status.startedAt >= status.createdAt)
      assert.equal(status.podUid, uid)
      assert.equal(status.annotations.contract, 'main')
      await driver.removeSandbox(sandbox)
    })

    for (const code of [0, 3]) {
      it(`containerStatus knows exit code ${code}, and the exit is pushed`, async () => {
        const { id, sandbox, uid } = await run(harness.commands.exit(code))
        const status = await until(id, 'exited')
        assert.equal(status.exitCode, code)
        assert.equal(status.reason, code === 0 ? 'Completed' : 'Error')
        assert.ok(status.finishedAt >= status.startedAt)
        assert.ok(events.some(event => event.type === 'container' && event.id === id && event.podUid === uid))
        await driver.removeSandbox(sandbox)
      })
    }

    it('stopContainer ends what obeys before the grace is over', async () => {
      const { id, sandbox } = await run(harness.commands.forever)
      await until(id, 'running')
      await harness.wait(50)
      let stopped = false
      const stop = driver.stopContainer(id, 600_000).then(() => {
        stopped = true
      })
      await soon(() => stopped)
      await stop
      assert.equal((await driver.containerStatus(id))?.state, 'exited')
      await driver.stopContainer(id, 0)
      await driver.removeSandbox(sandbox)
    })

    it('stopContainer kills what ignores the signal, and a later call shortens the grace', async () => {
      const { id, sandbox } = await runStubborn()
      const first = driver.stopContainer(id, 600_000)
      await harness.wait(50)
      assert.equal((await driver.containerStatus(id))?.state, 'running')
      const second = driver.stopContainer(id, 0)
      const status = await until(id, 'exited')
      await Promise.all([first, second])
      assert.equal(status.exitCode, 137)
      await driver.removeSandbox(sandbox)
    })

    it('stats tells what a running container uses, and nothing of one that has ended', async () => {
      const { id, sandbox, uid } = await run(harness.commands.forever)
      await until(id, 'running')
      const found = await driver.stats(id)
      assert.deepEqual([found?.id, found?.podUid, found?.name], [id, uid, 'main'])
      assert.ok(found!.processes >= 1, `${found!.processes} processes`)
      assert.ok(found!.cpuUsage >= 0 && found!.memoryUsage >= found!.memoryWorkingSet)
      const stop = driver.stopContainer(id, 0)
      await until(id, 'exited')
      await stop
      assert.equal(await driver.stats(id), undefined)
      await driver.removeSandbox(sandbox)
    })

    it('updateContainer changes limits of a running container, and its status shows them', async () => {
      const { id, sandbox } = await run(harness.commands.forever)
      await until(id, 'running')
      await driver.updateContainer(id, { cpuShares: 512 })
      await driver.updateContainer(id, { memoryLimit: 64 << 20 })
      await driver.updateSandbox(sandbox, { cpuShares: 600 })
      const { state, resources } = (await driver.containerStatus(id))!
      assert.deepEqual([state, resources?.cpuShares, resources?.memoryLimit], ['running', 512, 64 << 20])
      await driver.removeSandbox(sandbox)
    })

    it('removeContainer forgets one instance and leaves its neighbours', async () => {
      const { sandbox, uid } = await pod()
      const gone = await driver.createContainer(sandbox, container(harness.image, 'a', harness.commands.exit(1)))
      const stays = await driver.createContainer(sandbox, container(harness.image, 'b', harness.commands.forever))
      await driver.startContainer(gone)
      await driver.startContainer(stays)
      await until(gone, 'exited')
      await driver.removeContainer(gone)
      await driver.removeContainer(gone)
      assert.deepEqual(
        (await driver.listContainers(uid)).map(c => c.id),
        [stays],
      )
      assert.equal((await until(stays, 'running')).name, 'b')
      await driver.removeSandbox(sandbox)
    })

    it('stopSandbox ends its containers, which keep their status until removed', async () => {
      const { id, sandbox, uid } = await runStubborn()
      await driver.stopSandbox(sandbox)
      assert.equal((await driver.sandboxStatus(sandbox))?.state, 'stopped')
      await until(id, 'exited')
      await driver.removeSandbox(sandbox)
      assert.deepEqual(await driver.listContainers(uid), [])
    })

    it('logs gives what was printed, its tail, and both instances apart', async t => {
      const print = harness.commands.print
      if (!print) return t.skip('the driver prints nothing')
      const { id, sandbox } = await run(print(['one', 'two', 'three']))
      await soon(async () => (await read(id)).includes('three'))
      assert.equal(await read(id), 'one\ntwo\nthree\n')
      assert.equal(await read(id, { tailLines: 1 }), 'three\n')
      assert.equal(await read(id, { limitBytes: 5 }), 'one\nt')
      assert.match(await read(id, { timestamps: true }), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z one\n/)
      await driver.removeSandbox(sandbox)
    })

    it('a process may open its output anew by its names, as scripts do', async t => {
      if (harness.isPlayed) return t.skip('nothing runs')
      const script = 'echo one; echo two >/dev/stdout; echo oops >/dev/stderr; echo three; echo >&2 last; exit 3'
      const { id, sandbox } = await run(['/bin/sh', '-c', script])
      await until(id, 'exited')
      // Two streams may come one after the other, and the end of one after that of the process.
      await soon(async () => (await read(id)).split('\n').length === 6)
      const lines = (await read(id)).split('\n')
      const isError = (line: string) => line === 'oops' || line === 'last'
      assert.deepEqual(
        lines.filter(line => !isError(line)),
        ['one', 'two', 'three', ''],
      )
      assert.deepEqual(lines.filter(isError), ['oops', 'last'])
      await driver.removeSandbox(sandbox)
    })

    it('exec runs a command beside the main process and gives its output and exit code', async t => {
      const echo = harness.commands.echo
      if (!echo) return t.skip('the driver runs no commands')
      const { id, sandbox } = await run(harness.commands.forever)
      await until(id, 'running')
      let output = ''
      const streams = {
        signal: AbortSignal.timeout(PATIENCE),
        stdout: async (chunk: Uint8Array) => {
          output += Buffer.from(chunk).toString()
        },
      }
      assert.deepEqual(await driver.exec(id, echo('hello'), false, streams), { exitCode: 0 })
      assert.equal(output.trimEnd(), 'hello')
      assert.deepEqual(await driver.exec(id, harness.commands.exit(7), false, streams), { exitCode: 7 })
      await driver.removeSandbox(sandbox)
    })

    it('a command may open its streams anew by their names, as scripts do', async t => {
      if (harness.isPlayed) return t.skip('the driver runs no commands')
      const { id, sandbox } = await run(harness.commands.forever)
      await until(id, 'running')
      const script =
        'cat /dev/stdin >/dev/stdout; echo more >/dev/stdout; echo oops >/dev/stderr; echo last >&2; exit 3'
      const input = (async function* () {
        yield Buffer.from('typed\n')
      })()
      const heard = { stdout: '', stderr: '' }
      const take = (stream: keyof typeof heard) => async (chunk: Uint8Array) => {
        heard[stream] += Buffer.from(chunk).toString()
      }
      const streams = {
        stdin: input,
        stdout: take('stdout'),
        stderr: take('stderr'),
        signal: AbortSignal.timeout(PATIENCE),
      }
      assert.deepEqual(await driver.exec(id, ['/bin/sh', '-c', script], false, streams), { exitCode: 3 })
      assert.deepEqual(heard, { stdout: 'typed\nmore\n', stderr: 'oops\nlast\n' })
      await driver.removeSandbox(sandbox)
    })

    it('exec into a container that is ending ends with it, and into one that has ended is refused', async t => {
      const echo = harness.commands.echo
      if (!echo || harness.isPlayed) return t.skip('the driver runs no commands')
      const { id, sandbox } = await runStubborn()
      const streams = { signal: AbortSignal.timeout(PATIENCE) }
      const stopping = driver.stopContainer(id, 1000)
      const command = driver.exec(id, harness.commands.forever, false, streams).catch((error: Error) => error)
      await stopping
      const ended = await command
      assert.ok(!streams.signal.aborted)
      assert.ok(ended instanceof Error || ended.exitCode !== 0, JSON.stringify(ended))
      await assert.rejects(driver.exec(id, echo('late'), false, streams))
      await driver.removeSandbox(sandbox)
    })

    it('execSync kills a command that takes too long, and says so', async t => {
      if (!driver.execSync) return t.skip('the driver has exec alone')
      const { id, sandbox } = await run(harness.commands.forever)
      await until(id, 'running')
      const reason = 'DeadlineExceeded'
      await assert.rejects(driver.execSync(id, harness.commands.forever, 1000), { name: 'RuntimeError', reason })
      await driver.removeSandbox(sandbox)
    })

    it('startContainer rejects what cannot be run', async t => {
      const missing = harness.commands.missing
      if (!missing) return t.skip('the driver runs anything')
      const { sandbox } = await pod()
      const id = await driver.createContainer(sandbox, container(harness.image, 'main', missing))
      await assert.rejects(driver.startContainer(id), { name: 'RuntimeError' })
      const status = await driver.containerStatus(id)
      assert.equal(status?.state, 'exited')
      await driver.removeSandbox(sandbox)
    })

    it('findImage or pullImage refuses what the driver cannot run', async t => {
      if (!harness.badImage) return t.skip('the driver takes any image')
      const get = async (image: string) => (await driver.findImage(image)) ?? (await driver.pullImage(image))
      await get(harness.image)
      await assert.rejects(get(harness.badImage), { name: 'RuntimeError' })
    })

    it('a container sees the files of an image that is mounted into it, and cannot change them', async t => {
      if (!harness.imageFile) return t.skip('the driver mounts no images')
      const { folder, name } = harness.imageFile
      const { imageId: id } = (await driver.findImage(harness.image))!
      const { sandbox } = await pod()
      const seen = await driver.imageFolder?.(sandbox, id)
      const mounts = ['', folder].map((subPath, at) => ({
        volume: `v${at}`,
        hostPath: seen === undefined ? '' : join(seen, subPath),
        containerPath: `/mnt/v${at}`,
        readOnly: true,
        noExec: true,
        image: { id, name: harness.image, subPath },
      }))
      const config = plainContainer(harness.image, { command: harness.commands.forever, mounts })
      const main = await driver.createContainer(sandbox, config)
      await driver.startContainer(main)
      assert.deepEqual((await until(main, 'running')).volumeImages, [id, id])
      const code = async (script: string) =>
        (await driver.exec(main, ['sh', '-c', script], false, { signal: AbortSignal.timeout(PATIENCE) })).exitCode
      assert.equal(await code(`cat /mnt/v0/${folder}/${name} && cat /mnt/v1/${name}`), 0)
      assert.notEqual(await code('echo > /mnt/v0/new'), 0)
      assert.notEqual(await code('echo > /mnt/v1/new'), 0)
      await driver.removeSandbox(sandbox)
      if (seen) assert.equal(existsSync(seen), false)
    })

    it('a mount is read-only with all that is mounted below it, where that is asked for', async t => {
      if (!driver.capabilities.recursiveReadOnly || !harness.imageFile) return t.skip('the driver has no such mounts')
      const outer = mkdtempSync(join(tmpdir(), 'tutti-contract-'))
      mkdirSync(join(outer, 'inner'))
      await mount('-t', 'tmpfs', 'tmpfs', join(outer, 'inner'))
      try {
        const { sandbox } = await pod()
        const shared = { volume: 'v', hostPath: outer, readOnly: true }
        const mounts = [
          { ...shared, containerPath: '/mnt/all', recursiveReadOnly: true },
          { ...shared, containerPath: '/mnt/top' },
        ]
        const config = plainContainer(harness.image, { command: harness.commands.forever, mounts })
        const main = await driver.createContainer(sandbox, config)
        await driver.startContainer(main)
        await until(main, 'running')
        const script = (path: string) => ['sh', '-c', `echo > ${path}/new`]
        const writes = async (path: string) =>
          (await driver.exec(main, script(path), false, { signal: AbortSignal.timeout(PATIENCE) })).exitCode === 0
        const written = []
        for (const path of ['/mnt/all', '/mnt/all/inner', '/mnt/top', '/mnt/top/inner'])
          if (await writes(path)) written.push(path)
        assert.deepEqual(written, ['/mnt/top/inner'])
        await driver.removeSandbox(sandbox)
      } finally {
        await removeTree(outer)
      }
    })

    it('says where its images lie, where that is a folder of its own', async t => {
      if (!driver.images?.folder) return t.skip('the driver has them in the folder of the node')
      const folder = await driver.images.folder()
      assert.ok(existsSync(folder ?? ''), folder ?? 'unknown')
    })

    it('a sandbox has users of its own, to whom its volumes belong, where that is asked for', async t => {
      if (!driver.capabilities.userNamespaces || !harness.imageFile) return t.skip('the driver has no such users')
      const folder = mkdtempSync(join(tmpdir(), 'tutti-contract-'))
      const netns = join(folder, 'net')
      writeFileSync(netns, '')
      writeFileSync(join(folder, 'file'), '')
      const userNamespace = [{ hostId: 131_072, containerId: 0, length: 65_536 }]
      await makeOwnedNetns(netns, userNamespace)
      try {
        const uid = `00000000-0000-4000-8000-${String(++count).padStart(12, '0')}`
        const sandbox = await driver.runSandbox({ ...(await harness.sandbox(uid)), netns, userNamespace })
        const mounts = [{ volume: 'v', hostPath: folder, containerPath: '/mnt', readOnly: false }]
        const command = [
          'sh',
          '-c',
          'cat /proc/self/uid_map; id -u; stat -c %u /mnt/file; touch /mnt/new; exec sleep 1000',
        ]
        const main = await driver.createContainer(sandbox, plainContainer(harness.image, { command, mounts }))
        await driver.startContainer(main)
        await soon(() => existsSync(join(folder, 'new')))
        assert.deepEqual((await read(main)).trim().split(/\s+/), ['0', '131072', '65536', '0', '0'])
        assert.equal(statSync(join(folder, 'new')).uid, 0)
        await driver.removeSandbox(sandbox)
      } finally {
        await removeTree(folder)
      }
    })

    it('a driver that survives finds running and ended containers again', async t => {
      if (!driver.capabilities.survives || !harness.reopen) return t.skip('the driver does not survive')
      const { id, sandbox, uid } = await run(harness.commands.forever)
      const ended = await driver.createContainer(sandbox, container(harness.image, 'ended', harness.commands.exit(5)))
      await driver.startContainer(ended)
      const before = await until(id, 'running')
      await until(ended, 'exited')
      driver = await harness.reopen()
      const found = await until(id, 'running')
      assert.equal(found.pid, before.pid)
      assert.equal(found.startedAt, before.startedAt)
      assert.equal((await driver.containerStatus(ended))?.exitCode, 5)
      assert.deepEqual(
        (await driver.listSandboxes()).filter(s => s.uid === uid).map(s => s.id),
        [sandbox],
      )
      await driver.stopContainer(id, 5000)
      await until(id, 'exited')
      await driver.removeSandbox(sandbox)
    })
  })
}
