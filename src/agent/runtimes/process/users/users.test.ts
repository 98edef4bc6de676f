/** Pods with users of their own on images (`hostUsers: false`), as far as the contract of runtimes does not say it. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { eventually, PATIENCE } from '../../../../lib/eventually.fixture.ts'
import { removeTree } from '../../../../lib/mounts.ts'
import { ociArchive } from '../../../../lib/oci-archive.ts'
import { makeOwnedNetns } from '../../../../lib/owned-netns.ts'
import { programs } from '../../../images/programs.fixture.ts'
import { plainContainer, plainSandbox } from '../../configs.fixture.ts'
import type { ContainerConfig, RuntimeDriver } from '../../runtime.ts'
import { capableProgram, openWithImages } from '../images.fixture.ts'
import { findPlatform } from '../platform.ts'
import { podUsersProblem } from './calls.ts'

const cgroupRoot = `tutti-test-${process.pid}-users`
const skip = podUsersProblem(findPlatform({ cgroupRoot })) ?? false
const BASE = 655_360
const IMAGE = 'example.com/users:1'
const TOOLS = ['dash', 'sleep', 'cat', 'id', 'ls', 'stat', 'touch', 'chown', 'hostname', 'mount', 'tty', 'mkdir']

describe('openProcessDriver with users of a pod', { skip }, () => {
  const root = mkdtempSync(join(tmpdir(), 'tutti-users-'))
  const podDirectory = join(root, 'pods', 'pod')
  let driver: RuntimeDriver
  let sandbox: string
  let count = 0
  before(async () => {
    const opened = await openWithImages(root, cgroupRoot)
    driver = opened.driver
    const paths = TOOLS.map(name => `/usr/bin/${name}`)
    const layers = [
      [...programs(...paths), { name: 'bin', link: 'usr/bin' }, { name: 'usr/bin/sh', link: 'dash' }],
      [
        { name: 'etc/passwd', bytes: 'root:x:0:0:root:/root:/bin/sh\nweb:x:101:102:web:/:/bin/sh\n' },
        capableProgram(),
        { name: 'srv/', uid: 101, gid: 102, mode: 0o700 },
        { name: 'srv/page', bytes: 'page', uid: 101, gid: 102, mode: 0o600 },
      ],
    ]
    writeFileSync(join(root, 'image.tar'), ociArchive({ name: IMAGE, layers, config: { Env: ['PATH=/usr/bin'] } }))
    await opened.store.import(join(root, 'image.tar'))
    mkdirSync(podDirectory, { recursive: true })
    const netns = join(root, 'net')
    writeFileSync(netns, '')
    writeFileSync(join(root, 'hosts'), 'hosts\n')
    const userNamespace = [{ hostId: BASE, containerId: 0, length: 65_536 }]
    await makeOwnedNetns(netns, userNamespace)
    const place = { netns, userNamespace, hostsFile: join(root, 'hosts') }
    sandbox = await driver.runSandbox(plainSandbox('pod', podDirectory, place))
  })
  after(async () => {
    await driver.removeSandbox(sandbox)
    await driver.close()
    await removeTree(root)
  })

  const start = async (config: Partial<ContainerConfig> = {}) => {
    const plain = plainContainer(IMAGE, { attempt: ++count, command: ['sleep', '1000'], ...config })
    const id = await driver.createContainer(sandbox, plain)
    await driver.startContainer(id)
    return id
  }
  const run = async (id: string, script: string, tty = false) => {
    let text = ''
    const take = async (chunk: Uint8Array) => void (text += Buffer.from(chunk))
    const streams = { signal: AbortSignal.timeout(PATIENCE), stdout: take, stderr: take }
    await driver.exec(id, ['sh', '-c', script], tty, streams)
    return text.replaceAll('\r', '').trimEnd()
  }

  it('shows the owners of the layers, and is another user on the machine', async () => {
    const id = await start()
    assert.equal(
      await run(id, 'stat -c %u:%g / /etc /dev /dev/shm/.. /srv /srv/page /etc/hosts'),
      [...['0:0', '0:0', '0:0', '0:0', '101:102', '101:102', '0:0']].join('\n'),
    )
    const { pid } = (await driver.containerStatus(id))!
    assert.deepEqual([statSync(`/proc/${pid}`).uid, statSync(`/proc/${pid}`).gid], [BASE, BASE])
    await run(id, 'echo more >>/etc/hosts; chown 7:8 /etc/hosts; mkdir /made; chown 101 /srv/page')
    assert.equal(
      await run(id, 'cat /etc/hosts; cat /srv/page; stat -c %u:%g /made /etc/hosts'),
      'hosts\nmore\npage0:0\n7:8',
    )
    assert.deepEqual([statSync(join(root, 'hosts')).uid, statSync(join(root, 'hosts')).gid], [7, 8])
  })

  it('runs as another user of the image, in exec too, with terminals', async () => {
    const id = await start({ runAsUser: 101, supplementalGroups: [2000], noNewPrivileges: true })
    assert.equal(await run(id, 'id; cat /srv/page'), 'uid=101(web) gid=102 groups=102,2000\npage')
    assert.equal(await run(id, 'id -u; tty', true), '101\n/dev/pts/0')
    const { pid } = (await driver.containerStatus(id))!
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    assert.match(status, new RegExp(`^Uid:\t${BASE + 101}\t.*\nGid:\t${BASE + 102}\t`, 'm'))
    assert.match(status, new RegExp(`^Groups:\t${BASE + 2000} `, 'm'))
  })

  it('gives a program of the image its capabilities, among its own users', async () => {
    assert.match(await run(await start({ runAsUser: 101 }), 'may /proc/self/status'), /^CapEff:\t0000000000000400$/m)
  })

  it('may open its output anew, as root and as another user', async () => {
    const command = ['sh', '-c', 'echo one; echo two >/dev/stdout; cat /etc/none 2>/dev/stderr; exec sleep 1000']
    for (const runAsUser of [0, 101]) {
      const id = await start({ command, runAsUser })
      let text = ''
      await eventually(async () => {
        text = ''
        for await (const chunk of await driver.logs(id, { container: 'main' }, AbortSignal.timeout(PATIENCE)))
          text += chunk
        return text.includes('none')
      })
      assert.equal(text, 'one\ntwo\ncat: /etc/none: No such file or directory\n')
    }
  })

  it('keeps its rights to itself: nothing of the machine obeys them', async () => {
    const capabilities = { add: ['SYS_ADMIN'] }
    const id = await start({ capabilities })
    assert.equal(await run(id, 'hostname other && hostname'), 'other')
    assert.equal(await run(id, 'mkdir -p /t; mount -t tmpfs none /t && touch /t/f && ls /t'), 'f')
    assert.match(await run(id, 'echo 1 >/proc/sys/kernel/panic'), /Permission denied|cannot create/)
    assert.match(
      await run(id, 'mount -o remount,rw /proc/sys; echo 1 >/proc/sys/kernel/panic'),
      /permission|cannot create/,
    )
    assert.equal(await run(await start(), 'mount -t tmpfs none /etc >/dev/null 2>&1 || echo no'), 'no')
  })

  it('takes volumes read-only, and a profile of system calls', async () => {
    const volume = join(root, 'volume')
    mkdirSync(volume)
    writeFileSync(join(volume, 'f'), 'f')
    const mounts = [
      { volume: 'v', hostPath: volume, containerPath: '/etc/a b', readOnly: true },
      { volume: 'w', hostPath: volume, containerPath: '/etc/a b/../w', readOnly: false },
    ]
    const id = await start({ mounts, seccomp: { type: 'RuntimeDefault' }, readOnlyRootFilesystem: true })
    assert.match(await run(id, 'touch "/etc/a b/f"'), /Read-only file system/)
    assert.equal(await run(id, 'cat "/etc/a b/f"; touch /etc/w/new; stat -c %u /etc/w/new'), 'f0')
    assert.match(await run(id, 'touch /new'), /Read-only file system/)
    assert.match(await run(id, 'cat /proc/self/status'), /Seccomp:\t2/)
  })

  for (const [what, config, message] of [
    ["the machine's own files", { image: 'host' }, /hostUsers: false\) cannot run image "host"/],
    [
      'a volume of a file system that has no other owners',
      { mounts: [{ volume: 'v', hostPath: '/sys/kernel', containerPath: '/v', readOnly: true }] },
      /the file system of \/sys\/kernel cannot show its files to users of a pod: mount_setattr: Invalid argument/,
    ],
    [
      'a user beyond its own',
      { runAsUser: 65_536 },
      /cannot run as user 65536: the last user that there is here is 65535/,
    ],
  ] as const) {
    it(`refuses ${what}`, () => assert.rejects(start(config), message))
  }
})
