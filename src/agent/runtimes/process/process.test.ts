import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { realClock } from '../../../lib/clock.ts'
import { eventually, PATIENCE } from '../../../lib/eventually.fixture.ts'
import { silent } from '../../../lib/log.ts'
import { plainContainer, plainSandbox } from '../configs.fixture.ts'
import type { ContainerConfig, RuntimeDriver } from '../runtime.ts'
import { filterProblem } from './confinement.ts'
import { openProcessDriver } from './driver.ts'
import { findPlatform } from './platform.ts'

const root = mkdtempSync(join(tmpdir(), 'tutti-process-'))
const podsDirectory = join(root, 'pods')
const options = { podsDirectory, cgroupRoot: `tutti-test-${process.pid}`, clock: realClock, logger: silent }
const platform = findPlatform(options)
const rooted = platform.namespaces ? {} : { skip: 'namespaces may not be made here' }
const limited = platform.cgroups && platform.namespaces ? {} : { skip: 'control groups may not be written here' }
const unfiltered = filterProblem(platform)
const filtered = unfiltered ? { skip: `not here: ${unfiltered}` } : {}
const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

describe('openProcessDriver', () => {
  let driver: RuntimeDriver
  let count = 0
  before(async () => {
    driver = await openProcessDriver(options)
  })
  after(async () => {
    for (const { id } of await driver.listSandboxes()) await driver.removeSandbox(id)
    await driver.close()
    rmSync(root, { recursive: true, force: true })
  })

  const start = async (config: Partial<ContainerConfig> & { command: readonly string[] }, qosClass = 'BestEffort') => {
    const uid = `10000000-0000-4000-8000-${String(++count).padStart(12, '0')}`
    const directory = join(podsDirectory, uid)
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, 'hosts'), '127.0.0.1 localhost\n10.1.1.1 of-this-pod\n')
    const sandbox = await driver.runSandbox(
      plainSandbox(uid, directory, { hostname: 'pod-name', hostsFile: join(directory, 'hosts'), qosClass }),
    )
    const id = await driver.createContainer(sandbox, plainContainer('host', config))
    await driver.startContainer(id)
    return { id, uid, sandbox, directory }
  }
  const ended = async (id: string) => {
    await eventually(async () => (await driver.containerStatus(id))?.state === 'exited')
    return (await driver.containerStatus(id))!
  }
  const log = async (id: string, more = {}) => {
    const chunks: Uint8Array[] = []
    for await (const chunk of await driver.logs(id, { container: 'main', ...more }, AbortSignal.timeout(PATIENCE))) {
      chunks.push(chunk)
    }
    return Buffer.concat(chunks).toString()
  }
  const shell = async (script: string, config: Partial<ContainerConfig> = {}) => {
    const { id } = await start({ command: ['/bin/sh', '-c', script], ...config })
    const status = await ended(id)
    return { output: await log(id), status }
  }

  it('passes every variable on, those with names that a shell cannot have too', async () => {
    const env = [
      { name: 'PLAIN', value: 'a b\n"c"' },
      { name: 'spring.datasource.url', value: "it's" },
      { name: 'X-Y', value: '$(HOME)' },
    ]
    const { id } = await start({ command: ['env', '-0'], env })
    await ended(id)
    const seen = Object.fromEntries((await log(id)).split('\0').map(line => line.split(/=(.*)/s).slice(0, 2)))
    for (const { name, value } of env) assert.equal(seen[name], value)
    assert.equal(seen.HOSTNAME, 'pod-name')
    assert.deepEqual(
      Object.keys(seen).filter(name => /^(tt_|TUTTI_ENV)/.test(name)),
      [],
    )
  })

  it(
    'mounts volumes at their places, also where nothing stands, and leaves no trace on the machine',
    rooted,
    async () => {
      const volume = join(root, 'volume')
      mkdirSync(volume, { recursive: true })
      writeFileSync(join(volume, 'file'), 'content')
      const places = [`/tutti-test-${process.pid}/deep/er`, `/etc/tutti-test-${process.pid}`, '/mnt']
      const mounts = places.map((containerPath, index) => ({
        volume: `v${index}`,
        hostPath: volume,
        containerPath,
        readOnly: index === 0,
      }))
      const { output } = await shell(
        `cat ${places.map(place => `${place}/file`).join(' ')}; touch ${places[0]}/x 2>&1; touch ${places[2]}/y && hostname && grep -c of-this-pod /etc/hosts; cd ${places[1]}; ls; test -c /dev/null && ls /proc | head -1`,
        { mounts },
      )
      assert.match(output, /^contentcontentcontenttouch: .*Read-only file system\npod-name\n1\nfile\ny\n1\n$/)
      assert.ok(existsSync(join(volume, 'y')))
      for (const place of places.slice(0, 2)) assert.equal(existsSync(place), false)
    },
  )

  it('mounts a volume in a volume', rooted, async () => {
    const [outer, inner] = [join(root, 'outer'), join(root, 'inner')]
    for (const folder of [outer, inner]) mkdirSync(folder)
    writeFileSync(join(inner, 'file'), 'inner')
    const mount = (volume: string, hostPath: string, containerPath: string) => ({
      volume,
      hostPath,
      containerPath,
      readOnly: false,
    })
    const { output } = await shell('cat /tutti-outer/sub/file', {
      mounts: [mount('b', inner, '/tutti-outer/sub'), mount('a', outer, '/tutti-outer')],
    })
    assert.equal(output, 'inner')
  })

  it('says that a container began after it was made, though the kernel dates files by a clock that is behind', async () => {
    const clock = { ...realClock, now: () => realClock.now() + 60_000 }
    const podsDirectory = join(root, 'behind')
    const directory = join(podsDirectory, 'u')
    mkdirSync(directory, { recursive: true })
    const open = () => openProcessDriver({ ...options, podsDirectory, clock })
    let behind = await open()
    const sandbox = await behind.runSandbox(plainSandbox('u', directory))
    const id = await behind.createContainer(sandbox, plainContainer('host', { command: ['sleep', '1000'] }))
    await behind.startContainer(id)
    const began = async () => {
      const status = await behind.containerStatus(id)
      assert.ok(status && status.startedAt >= status.createdAt, JSON.stringify(status))
    }
    await began()
    await behind.close()
    behind = await open()
    await began()
    await behind.removeSandbox(sandbox)
    await behind.close()
  })

  it('has process ids of its own', rooted, async () => {
    const { output } = await shell('read -r pid rest </proc/self/stat; echo $pid; ls /proc | head -1')
    assert.equal(output, '2\n1\n')
  })

  it('changes user, group and folder', rooted, async () => {
    const { output } = await shell('id -u; id -g; id -G; pwd', {
      runAsUser: 65534,
      runAsGroup: 1234,
      supplementalGroups: [77],
      workingDir: '/usr',
    })
    assert.equal(output, '65534\n1234\n1234 77\n/usr\n')
  })

  it('keeps system calls from a process under the default profile that has not the capability', filtered, async () => {
    const script = 'grep Seccomp: /proc/self/status; unshare -u true; echo $?'
    const confined = { seccomp: { type: 'RuntimeDefault' } as const }
    const dropped = await shell(script, { ...confined, capabilities: { drop: ['ALL'] } })
    assert.equal(dropped.output, 'Seccomp:\t2\nunshare: unshare failed: Operation not permitted\n1\n')
    assert.equal((await shell(script, confined)).output, 'Seccomp:\t2\n0\n')
  })

  it(
    'a pod that forks a thousand times is held to its number of processes, and others start as ever',
    limited,
    async () => {
      const { id, sandbox } = await start({ command: ['sleep', '1000'] })
      await driver.updateSandbox(sandbox, { pidsLimit: 40 })
      const forks = 'i=0; while [ $i -lt 1000 ]; do sleep 1000 & i=$((i+1)); done; echo all'
      let output = ''
      const take = async (chunk: Uint8Array) => {
        output += Buffer.from(chunk).toString()
      }
      const streams = { signal: AbortSignal.timeout(PATIENCE), stdout: take, stderr: take }
      const { exitCode } = await driver.exec(id, ['sh', '-c', forks], false, streams)
      assert.notEqual(exitCode, 0)
      assert.match(output, /fork/i)
      assert.ok(((await driver.stats(id))?.processes ?? 0) <= 40)
      assert.equal((await shell('echo fine')).output, 'fine\n')
      await driver.stopContainer(id, 0)
      assert.equal((await ended(id)).exitCode, 137)
    },
  )

  it("reports the kernel's kill for memory as OOMKilled with 137", limited, async () => {
    const script = 'console.error("last words"); const a = []; for (;;) a.push(Buffer.alloc(1 << 20, 1))'
    const { id } = await start({ command: [process.execPath, '-e', script], resources: { memoryLimit: 60 << 20 } })
    const status = await ended(id)
    assert.equal(status.reason, 'OOMKilled')
    assert.equal(status.exitCode, 137)
    assert.equal(await log(id), 'last words\n')
  })

  it('puts pods where their class belongs, and changes the limits of what runs', limited, async () => {
    const { id, uid, sandbox } = await start(
      { command: ['sleep', '1000'], resources: { memoryLimit: 60 << 20 } },
      'Burstable',
    )
    const groups = readFileSync(`/proc/${(await driver.containerStatus(id))?.pid}/cgroup`, 'utf8')
    assert.match(groups, new RegExp(`:[^:]*memory[^:]*:.*/kubepods/burstable/pod${uid}/main-0-`))
    await driver.updateContainer(id, { memoryLimit: 100 << 20, cpuQuota: 20_000, cpuPeriod: 100_000 })
    await driver.updateSandbox(sandbox, { memoryLimit: 200 << 20 })
    const v2 = platform.cgroups?.version === 2
    const [memory, cpu] = ['memory', 'cpu'].map(name => {
      const path = new RegExp(`^[^:]*:${v2 ? '' : `(?:[^:]*,)?${name}(?:,[^:]*)?`}:(.*)$`, 'm').exec(groups)![1]!
      return v2 ? `/sys/fs/cgroup${path}` : `/sys/fs/cgroup/${name}${path}`
    })
    const limit = v2 ? 'memory.max' : 'memory.limit_in_bytes'
    assert.equal(Number(readFileSync(join(memory!, limit), 'utf8')), 100 << 20)
    assert.equal(Number(readFileSync(join(memory!, '..', limit), 'utf8')), 200 << 20)
    assert.match(readFileSync(join(cpu!, v2 ? 'cpu.max' : 'cpu.cfs_quota_us'), 'utf8'), /^20000\b/)
  })

  it('makes a process one that is killed sooner', rooted, async () => {
    const { output } = await shell('cat /proc/self/oom_score_adj', { oomScoreAdj: 990 })
    assert.equal(output, '990\n')
  })

  it('a container that joins another sees its processes, and ends with it', rooted, async () => {
    const { id, sandbox } = await start({ command: ['sleep', '4711'] })
    const second = await driver.createContainer(
      sandbox,
      plainContainer('host', {
        name: 'debugger',
        command: [
          'sh',
          '-c',
          'until grep -q ^sleep /proc/2/cmdline; do sleep 0.02; done; tr "\\0" " " </proc/2/cmdline; exec sleep 4712',
        ],
        targetId: id,
      }),
    )
    await driver.startContainer(second)
    const printed = () => log(second, { container: 'debugger' })
    await eventually(async () => (await printed()) !== '')
    assert.equal(await printed(), 'sleep 4711 ')
    await driver.stopContainer(id, 0)
    assert.equal((await ended(second)).exitCode, 137)
  })

  it('stopContainer leaves nothing of a process that forks and ignores SIGTERM', async () => {
    const mark = `tutti-${process.pid}-${Math.random()}`
    const script = `trap "" TERM; (setsid sh -c 'trap "" TERM; echo deaf; while :; do sleep 0.1; done; # ${mark}' &); while :; do sleep 0.1; done`
    const { id } = await start({ command: ['/bin/sh', '-c', script] })
    await eventually(async () => (await log(id)) === 'deaf\n')
    const count = () => processesWith(mark)
    assert.ok(count() > 0)
    await driver.stopContainer(id, 200)
    assert.equal((await ended(id)).exitCode, 137)
    await eventually(() => assert.equal(count(), 0))
  })

  it('has all in the log that a process said which is killed with its group', async () => {
    const { output, status } = await shell('seq 100000; kill -9 0')
    assert.equal(status.exitCode, 137)
    assert.equal(output.split('\n').length, 100_001)
  })

  it('another user than ours may open its output anew', rooted, async () => {
    const { output } = await shell('echo one; echo two >/dev/stdout; id -u >/dev/stderr', { runAsUser: 65534 })
    assert.equal(output, 'one\ntwo\n65534\n')
  })

  it('whoever else holds the output of a process does not hold up its end', async () => {
    const { id } = await start({ command: ['/bin/sh', '-c', 'echo up; read line; echo "$line"; exit 6'], stdin: true })
    await eventually(async () => (await log(id)) === 'up\n')
    const { pid } = (await driver.containerStatus(id))!
    const held = openSync(`/proc/${pid}/fd/1`, 'w')
    try {
      const input = (async function* () {
        yield Buffer.from('typed\n')
      })()
      await driver.attach(
        id,
        { container: 'main', tty: false },
        { stdin: input, signal: AbortSignal.timeout(PATIENCE) },
      )
      assert.equal((await ended(id)).exitCode, 6)
      assert.equal(await log(id), 'up\ntyped\n')
    } finally {
      closeSync(held)
    }
  })

  it('keeps the termination message', rooted, async () => {
    const { status } = await shell('echo -n because >/mnt/why; exit 4', { terminationMessagePath: '/mnt/why' })
    assert.equal(status.exitCode, 4)
    assert.equal(status.message, 'because')
  })

  it('exec gives a terminal of the size asked for and passes input and exit code on', async () => {
    const { id } = await start({ command: ['sleep', '1000'], env: [{ name: 'A', value: 'of the container' }] })
    let output = ''
    const input = (async function* () {
      yield Buffer.from('stty size; tty; echo $A; exit 9\r')
    })()
    const resize = (async function* () {
      yield { rows: 33, columns: 101 }
    })()
    const result = await driver.exec(id, ['/bin/sh'], true, {
      stdin: input,
      resize,
      signal: AbortSignal.timeout(PATIENCE),
      stdout: async chunk => {
        output += Buffer.from(chunk)
      },
    })
    assert.equal(result.exitCode, 9, output)
    assert.match(output, /33 101\r\n\/dev\/pts\/\d+\r\nof the container/)
  })

  it('exec passes 4 MB of input through to its end', async () => {
    const { id } = await start({ command: ['sleep', '1000'] })
    let bytes = 0
    const input = (async function* () {
      for (let turn = 0; turn < 64; turn++) yield Buffer.alloc(65536, turn)
    })()
    await driver.exec(id, ['cat'], false, {
      stdin: input,
      signal: AbortSignal.timeout(PATIENCE),
      stdout: async chunk => {
        bytes += chunk.length
        await pause(1)
      },
    })
    assert.equal(bytes, 64 * 65536)
  })

  it('exec lets another user than ours open its streams anew', rooted, async () => {
    const { id } = await start({ command: ['sleep', '1000'], runAsUser: 65534 })
    let text = ''
    const input = (async function* () {
      yield Buffer.from('typed\n')
    })()
    const stderr = async (chunk: Uint8Array) => {
      text += Buffer.from(chunk)
    }
    const streams = { stdin: input, stderr, signal: AbortSignal.timeout(PATIENCE) }
    const { exitCode } = await driver.exec(id, ['sh', '-c', 'id -u >/dev/stderr; cat /dev/stdin >&2'], false, streams)
    assert.deepEqual([exitCode, text], [0, '65534\ntyped\n'])
  })

  it('exec ends with its command, whose input may go on', async () => {
    const { id } = await start({ command: ['sleep', '1000'] })
    const signal = AbortSignal.timeout(PATIENCE)
    const input = (async function* () {
      yield Buffer.from('typed\n')
      await new Promise(() => {})
    })()
    assert.deepEqual(await driver.exec(id, ['sh', '-c', 'read line; exit 5'], false, { stdin: input, signal }), {
      exitCode: 5,
    })
  })

  it('exec kills what it started when the client goes away', async () => {
    const { id } = await start({ command: ['sleep', '1000'] })
    const abort = new AbortController()
    const { exitCode } = await driver.exec(id, ['sh', '-c', 'echo up; exec sleep 999'], false, {
      signal: abort.signal,
      stdout: async () => abort.abort(),
    })
    assert.equal(exitCode, 137)
  })

  it('attach reaches the main process and its end', async () => {
    const { id } = await start({ command: ['cat'], stdin: true, stdinOnce: true })
    let output = ''
    const input = (async function* () {
      yield Buffer.from('typed\n')
    })()
    await driver.attach(
      id,
      { container: 'main', tty: false },
      {
        stdin: input,
        signal: AbortSignal.timeout(PATIENCE),
        stdout: async chunk => {
          output += Buffer.from(chunk)
        },
      },
    )
    assert.equal(output, 'typed\n')
    assert.equal((await ended(id)).exitCode, 0)
  })

  it('attach gives a container with a terminal one', async () => {
    const { id } = await start({ command: ['/bin/sh'], stdin: true, tty: true })
    let output = ''
    const input = (async function* () {
      yield Buffer.from('tty; exit 3\r')
    })()
    await driver.attach(
      id,
      { container: 'main', tty: true },
      {
        stdin: input,
        signal: AbortSignal.timeout(PATIENCE),
        stdout: async chunk => {
          output += Buffer.from(chunk)
        },
      },
    )
    assert.match(output, /\/dev\/pts\/\d+/)
    assert.equal((await ended(id)).exitCode, 3)
  })

  it('logs follows until the end and dates lines', async () => {
    const go = join(root, 'go')
    const script = `echo one; until [ -e ${go} ]; do sleep 0.02; done; echo two; sleep 0.1; printf three`
    const { id } = await start({ command: ['/bin/sh', '-c', script] })
    const dates = async () =>
      (await log(id, { timestamps: true })).split('\n').map(line => Date.parse(line.split(' ')[0] ?? ''))
    const following = log(id, { follow: true })
    await eventually(async () => realClock.now() - (await dates())[0]! > 300)
    writeFileSync(go, '')
    assert.equal(await following, 'one\ntwo\nthree')
    const [one, two] = await dates()
    assert.ok(two! - one! >= 300, `${one} ${two}`)
    const sinceTime = new Date(one! + 200).toISOString()
    assert.equal(await log(id, { sinceTime }), 'two\nthree')
  })

  it('stats counts processor time and memory', async () => {
    const { id } = await start({
      command: ['/bin/sh', '-c', 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; sleep 1000'],
    })
    await eventually(async () => {
      const stats = await driver.stats(id)
      assert.ok(
        stats && stats.cpuUsage > 1_000_000 && stats.memoryUsage > 10_000 && stats.processes >= 1,
        JSON.stringify(stats),
      )
    })
  })

  it('connect reaches a server on the loopback', async () => {
    const server = net.createServer(socket => socket.end('hello')).listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const { sandbox } = await start({ command: ['sleep', '1000'] })
    const socket = await driver.connect(sandbox, (server.address() as net.AddressInfo).port, 'inside')
    let text = ''
    for await (const chunk of socket) text += chunk
    assert.equal(text, 'hello')
    socket.destroy()
    server.close()
    await assert.rejects(driver.connect(sandbox, 1, 'inside'), /connection refused/)
  })

  it('finds a container of a program that was killed, with its log and its exit code', async () => {
    const folder = join(root, 'other')
    const go = join(root, 'end-now')
    const script = `
      import { mkdirSync } from 'node:fs'
      const { openProcessDriver } = await import(${JSON.stringify(new URL('./driver.ts', import.meta.url).href)})
      const { realClock } = await import(${JSON.stringify(new URL('../../../lib/clock.ts', import.meta.url).href)})
      const { silent } = await import(${JSON.stringify(new URL('../../../lib/log.ts', import.meta.url).href)})
      const driver = await openProcessDriver({ podsDirectory: ${JSON.stringify(folder)}, cgroupRoot: ${JSON.stringify(options.cgroupRoot)}, clock: realClock, logger: silent })
      mkdirSync(${JSON.stringify(join(folder, 'u'))}, { recursive: true })
      const sandbox = await driver.runSandbox({ namespace: 'd', name: 'p', uid: 'u', attempt: 0, handler: '', hostname: 'h', directory: ${JSON.stringify(join(folder, 'u'))}, labels: {}, annotations: {}, hostNetwork: false, hostPID: false, hostIPC: false, shareProcessNamespace: false, ips: [], qosClass: 'Burstable', resources: {} })
      for (const name of ['lives', 'ends']) {
        const command = ['/bin/sh', '-c', name === 'lives' ? 'i=0; while :; do echo $i; i=$((i+1)); sleep 0.02; done' : ${JSON.stringify(`until [ -e ${go} ]; do sleep 0.02; done; exit 42`)}]
        const id = await driver.createContainer(sandbox, { name, attempt: 0, image: 'host', command, args: [], env: [], mounts: [], stdin: false, stdinOnce: false, tty: false, resources: {}, supplementalGroups: [], privileged: false, readOnlyRootFilesystem: false, labels: {}, annotations: {} })
        await driver.startContainer(id)
      }
      console.log('up')
      setInterval(() => {}, 1000)
    `
    const program = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await new Promise(resolve => program.stdout.once('data', resolve))
    program.kill('SIGKILL')
    writeFileSync(go, '')
    await eventually(() => processesWith(go) === 0)
    const again = await openProcessDriver({ ...options, podsDirectory: folder })
    let found: Awaited<ReturnType<typeof again.listContainers>> = []
    await eventually(async () => {
      found = await again.listContainers('u')
      assert.deepEqual(found.map(each => [each.name, each.state, each.exitCode]).sort(), [
        ['ends', 'exited', 42],
        ['lives', 'running', undefined],
      ])
    })
    const lives = found.find(each => each.name === 'lives')!
    let told = false
    again.onEvent(event => {
      told ||= event.id === lives.id
    })
    const printed = async () => {
      const chunks: Uint8Array[] = []
      for await (const chunk of await again.logs(lives.id, { container: 'lives' }, AbortSignal.timeout(PATIENCE)))
        chunks.push(chunk)
      return Buffer.concat(chunks).toString().trimEnd().split('\n').map(Number)
    }
    await eventually(async () => (await printed()).length > 20)
    process.kill(lives.pid!, 'SIGKILL')
    await eventually(() => told)
    assert.equal((await again.containerStatus(lives.id))?.exitCode, 137)
    const lines = await printed()
    assert.deepEqual(lines, [...lines.keys()])
    for (const { id } of await again.listSandboxes()) await again.removeSandbox(id)
    await again.close()
  })
})

/** Processes whose command line holds `mark`. */
function processesWith(mark: string): number {
  let found = 0
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    try {
      if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(mark)) found++
    } catch {
      // It ended meanwhile.
    }
  }
  return found
}
