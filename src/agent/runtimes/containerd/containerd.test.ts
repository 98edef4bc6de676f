import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { readJsonFile } from '../../../lib/atomic-file.ts'
import { type Clock, realClock } from '../../../lib/clock.ts'
import { eventually } from '../../../lib/eventually.fixture.ts'
import { silent } from '../../../lib/log.ts'
import { isBootedBySystemd } from '../../../lib/systemd.ts'
import { membersOf } from '../../cgroups/members.ts'
import { plainContainer, plainSandbox } from '../configs.fixture.ts'
import { type ContractHarness, runtimeContract } from '../runtime.contract.ts'
import { shellCommands } from '../shell-commands.fixture.ts'
import { BUSYBOX, busyboxArchive, busyboxProblem } from './busybox.fixture.ts'
import { importArchive } from './ctr.ts'
import { findPrograms, type Programs } from './find.ts'
import { openContainerd } from './open.ts'
import { runDirectory, shimsOf } from './run-folder.ts'
import { findShims } from './shims.ts'

async function make(programs: Programs, cgroupDriver: 'cgroupfs' | 'systemd'): Promise<ContractHarness> {
  const root = mkdtempSync(join(tmpdir(), 'tutti-containerd-'))
  const options = {
    programs,
    directory: join(root, 'containerd'),
    cgroupRoot: `tutti-test-${process.pid}-containerd`,
    clock: realClock,
    logger: silent,
    handlers: ['', 'containers'],
    cgroupDriver,
  }
  let own = await openContainerd(options)
  await importArchive({ ctr: programs.ctr, socket: own.socket }, Readable.from([busyboxArchive()]))
  return {
    driver: own.driver,
    image: BUSYBOX,
    badImage: 'Not/An:Image:Name',
    imageFile: { folder: 'etc', name: 'passwd' },
    sandbox(uid) {
      const directory = join(root, 'pods', uid)
      mkdirSync(directory, { recursive: true })
      return plainSandbox(uid, directory)
    },
    wait: ms => new Promise(resolve => setTimeout(resolve, ms)),
    // The first process of a pid namespace obeys only by its own hand.
    commands: { ...shellCommands, forever: ['sh', '-c', 'trap "exit 0" TERM; sleep 1000 & wait'] },
    async reopen() {
      await own.driver.close()
      own = await openContainerd(options)
      return own.driver
    },
    async close() {
      await own.stop()
      rmSync(root, { recursive: true, force: true })
    },
  }
}

const found = await findPrograms(process.env.PATH ?? '')
const problem = process.getuid?.() !== 0 ? 'needs root' : 'missing' in found ? found.missing : busyboxProblem()
test('openContainerd leaves no containerd running that it cannot use', { skip: problem ?? false }, async t => {
  const root = mkdtempSync(join(tmpdir(), 'tutti-containerd-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const directory = join(root, 'containerd')
  const programs = { ...(found as Programs), ctr: join(root, 'no-such-ctr') }
  const cgroupRoot = `tutti-test-${process.pid}-unusable`
  const opened = openContainerd({ programs, directory, cgroupRoot, clock: realClock, logger: silent, handlers: [''] })
  await assert.rejects(opened, /no-such-ctr/)
  t.after(() => rmSync(runDirectory(directory), { recursive: true, force: true }))
  const socket = connect(shimsOf(directory).socket)
  socket.once('connect', () => socket.destroy(new Error('it runs')))
  const [error] = await once(socket, 'error')
  assert.match(String(error), /ENOENT|ECONNREFUSED/)
})
for (const returns of [true, false])
  test(`openContainerd stops what runs, also when its containerd was killed and ${returns ? 'comes' : 'never comes'} back`, {
    skip: problem ?? false,
  }, async t => {
    const root = mkdtempSync(join(tmpdir(), 'tutti-containerd-'))
    t.after(() => rmSync(root, { recursive: true, force: true }))
    const directory = join(root, 'containerd')
    const cgroupRoot = `tutti-test-${process.pid}-killed`
    const programs = { ...(found as Programs), containerd: join(root, 'program') }
    symlinkSync((found as Programs).containerd, programs.containerd)
    // What is waited for in vain is over soon.
    let pace = 1
    const clock: Clock = {
      ...realClock,
      elapsed: () => pace * realClock.elapsed(),
      after: (ms, fn) => realClock.after(ms / pace, fn),
    }
    const own = await openContainerd({ programs, directory, cgroupRoot, clock, logger: silent, handlers: [''] })
    const pod = join(root, 'pods/uid')
    mkdirSync(pod, { recursive: true })
    const sandbox = await own.driver.runSandbox(plainSandbox('uid', pod))
    await importArchive({ ctr: programs.ctr, socket: own.socket }, Readable.from([busyboxArchive()]))
    const command = ['sh', '-c', 'sleep 1000 & sleep 2000']
    await own.driver.startContainer(await own.driver.createContainer(sandbox, plainContainer(BUSYBOX, { command })))
    assert.equal(membersOf([cgroupRoot]).length > 1, true)
    if (!returns) {
      rmSync(programs.containerd)
      pace = 10
    }
    process.kill((readJsonFile(join(directory, 'pid')) as { pid: number }).pid, 'SIGKILL')
    await own.stop()
    await own.driver.close()
    assert.deepEqual(membersOf([cgroupRoot]), [])
    assert.deepEqual(findShims(shimsOf(directory), false), [])
    assert.equal(existsSync(runDirectory(directory)), false)
  })
test('openContainerd tells the release as which its containerd came back', { skip: problem ?? false }, async t => {
  const root = mkdtempSync(join(tmpdir(), 'tutti-containerd-'))
  const directory = join(root, 'containerd')
  const original = found as Programs
  const programs = { ...original, containerd: join(root, 'program') }
  const place = (bytes: Buffer) => {
    writeFileSync(`${programs.containerd}.new`, bytes, { mode: 0o755 })
    renameSync(`${programs.containerd}.new`, programs.containerd)
  }
  const bytes = readFileSync(original.containerd)
  place(bytes)
  const own = await openContainerd({
    programs,
    directory,
    cgroupRoot: `tutti-test-${process.pid}-release`,
    clock: realClock,
    logger: silent,
    handlers: [''],
  })
  t.after(async () => {
    await own.stop()
    rmSync(root, { recursive: true, force: true })
  })
  const [, release = ''] = own.driver.version.split('://')
  // As long, so that a program with it in its place runs.
  const next = release.replace(/\d/, digit => (digit === '7' ? '6' : '7'))
  for (let at = bytes.indexOf(release); at >= 0; at = bytes.indexOf(release, at + 1)) bytes.write(next, at)
  place(bytes)
  process.kill((readJsonFile(join(directory, 'pid')) as { pid: number }).pid, 'SIGKILL')
  await eventually(() => assert.equal(own.driver.version, `containerd://${next}`))
})
test('openContainerd makes devices by their CDI names, or says that its release cannot', {
  skip: problem ?? false,
}, async t => {
  const specification = {
    cdiVersion: '0.6.0',
    kind: 'tutti.dev/gadget',
    devices: [
      {
        name: 'one',
        containerEdits: { env: ['GADGET=one'], deviceNodes: [{ path: '/dev/gadget', hostPath: '/dev/null' }] },
      },
    ],
  }
  const file = `/run/cdi/tutti-test-${process.pid}.json`
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, JSON.stringify(specification))
  t.after(() => rmSync(file))
  const { driver, image, sandbox, close } = await make(found as Programs, 'cgroupfs')
  t.after(close)
  const id = await driver.runSandbox(await sandbox('gadget'))
  const command = ['sh', '-c', 'test -c /dev/gadget && exec sleep 1000']
  const container = driver.createContainer(id, plainContainer(image, { command, cdiDevices: ['tutti.dev/gadget=one'] }))
  if (/:\/\/v?1\.6\./.test(driver.version))
    return assert.rejects(container, { reason: 'NotSupported', message: /^the device tutti\.dev\/gadget=one .* 1\.7/ })
  await driver.startContainer(await container)
  const { output } = await driver.execSync!(
    await container,
    ['sh', '-c', 'ls -l /dev/gadget; tr "\\0" "\\n" </proc/1/environ'],
    10_000,
  )
  assert.match(output, /^crw.* 1, +3 [\s\S]*^GADGET=one$/m)
})
for (const [cgroupDriver, obstacle] of [
  ['cgroupfs', problem],
  ['systemd', problem ?? (isBootedBySystemd() ? undefined : 'systemd does not run this machine')],
] as const) {
  const name = `containerd driver, groups by ${cgroupDriver}`
  if (obstacle) test(`${name} (runtime contract)`, { skip: obstacle }, () => {})
  else runtimeContract(name, () => make(found as Programs, cgroupDriver))
}
