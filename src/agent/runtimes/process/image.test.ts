import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { eventually, PATIENCE } from '../../../lib/eventually.fixture.ts'
import { ociArchive } from '../../../lib/oci-archive.ts'
import { programs } from '../../images/programs.fixture.ts'
import type { ImageStore } from '../../images/store.ts'
import { plainContainer, plainSandbox } from '../configs.fixture.ts'
import { runtimeContract } from '../runtime.contract.ts'
import type { ContainerConfig, RuntimeDriver, SandboxConfig } from '../runtime.ts'
import { shellCommands } from '../shell-commands.fixture.ts'
import { filterProblem } from './confinement.ts'
import { capableProgram, openWithImages } from './images.fixture.ts'
import { findPlatform } from './platform.ts'

const cgroupRoot = `tutti-test-${process.pid}-image`
const platform = findPlatform({ cgroupRoot })
const { namespaces } = platform
const rooted = namespaces ? {} : { skip: 'namespaces may not be made here' }
const unfiltered = filterProblem(platform)
const filtered = unfiltered ? { skip: `not here: ${unfiltered}` } : {}

const image = () =>
  ociArchive({
    name: 'example.com/machine:1',
    layers: [
      [
        { name: 'bin', link: 'usr/bin' },
        ...programs(
          '/usr/bin/dash',
          '/usr/bin/sleep',
          '/usr/bin/cat',
          '/usr/bin/id',
          '/usr/bin/ls',
          '/usr/bin/env',
          '/usr/bin/unshare',
          '/usr/bin/stat',
          '/usr/bin/touch',
        ),
        { name: 'usr/bin/sh', link: 'dash' },
        { name: 'usr/bin/echo', bytes: '#!/bin/sh\nprintf "%s\\n" "$*"\n', mode: 0o755 },
        { name: 'etc/passwd', bytes: 'root:x:0:0:root:/root:/bin/sh\nweb:x:1234:1235:web:/home/web:/bin/sh\n' },
        { name: 'etc/group', bytes: 'web:x:1235:\nmail:x:1300:web\n' },
        { name: 'var/run', link: '/run' },
        { name: 'old', bytes: 'old' },
      ],
      [
        { name: '.wh.old', bytes: '' },
        { name: 'new', bytes: 'new' },
        capableProgram(),
        { name: 'store/', uid: 1234, gid: 1235, mode: 0o700 },
        { name: 'store/first', bytes: 'first', uid: 1234, gid: 1235 },
        { name: 'tmp/', mode: 0o1777 },
      ],
    ],
    config: {
      Entrypoint: ['/bin/sh', '-c'],
      Cmd: ['echo from the image; exec sleep 1000'],
      Env: ['PATH=/bin', 'FROM_IMAGE=yes'],
      WorkingDir: '/work',
      Volumes: { '/store': {}, '/var/run/more': {} },
    },
  })

const open = (root: string) => openWithImages(root, cgroupRoot)

const sandboxOf = (root: string, uid: string): SandboxConfig => {
  const directory = join(root, 'pods', uid)
  mkdirSync(directory, { recursive: true })
  return plainSandbox(uid, directory)
}

if (namespaces) {
  runtimeContract('process driver with an image', async () => {
    const root = mkdtempSync(join(tmpdir(), 'tutti-image-'))
    let { driver, store } = await open(root)
    writeFileSync(join(root, 'archive.tar'), image())
    await store.import(join(root, 'archive.tar'))
    return {
      driver,
      image: 'example.com/machine:1',
      badImage: 'example.com/NOT an image',
      imageFile: { folder: 'etc', name: 'passwd' },
      sandbox: uid => sandboxOf(root, uid),
      wait: ms => new Promise(resolve => setTimeout(resolve, ms)),
      commands: shellCommands,
      async reopen() {
        await driver.close()
        ;({ driver, store } = await open(root))
        return driver
      },
      async close() {
        for (const { id } of await driver.listSandboxes()) await driver.removeSandbox(id)
        await driver.close()
        rmSync(root, { recursive: true, force: true })
      },
    }
  })
}

describe('openProcessDriver with images', rooted, () => {
  const root = mkdtempSync(join(tmpdir(), 'tutti-image-'))
  let driver: RuntimeDriver
  let store: ImageStore
  let count = 0
  before(async () => {
    ;({ driver, store } = await open(root))
    writeFileSync(join(root, 'archive.tar'), image())
    await store.import(join(root, 'archive.tar'))
  })
  after(async () => {
    for (const { id } of await driver.listSandboxes()) await driver.removeSandbox(id)
    await driver.close()
    rmSync(root, { recursive: true, force: true })
  })

  const newSandbox = (config: Partial<SandboxConfig> = {}) => {
    const uid = `20000000-0000-4000-8000-${String(++count).padStart(12, '0')}`
    return driver.runSandbox({ ...sandboxOf(root, uid), ...config })
  }
  const start = async (config: Partial<ContainerConfig> = {}, place?: string) => {
    const sandbox = place ?? (await newSandbox())
    const id = await driver.createContainer(sandbox, plainContainer('example.com/machine:1', config))
    await driver.startContainer(id)
    return id
  }
  const output = async (id: string) => {
    let text = ''
    for await (const chunk of await driver.logs(id, { container: 'main' }, AbortSignal.timeout(PATIENCE))) text += chunk
    return text
  }
  const run = async (id: string, ...command: string[]) => {
    let text = ''
    const take = async (chunk: Uint8Array) => {
      text += Buffer.from(chunk)
    }
    const streams = { signal: AbortSignal.timeout(PATIENCE), stdout: take, stderr: take }
    const { exitCode } = await driver.exec(id, command, false, streams)
    return { text: text.trimEnd(), exitCode }
  }
  const shell = (id: string, script: string) => run(id, '/bin/sh', '-c', script)
  /** The log as soon as it says so. */
  const until = async (id: string, what: RegExp) => {
    let text = ''
    await eventually(async () => assert.match((text = await output(id)), what))
    return text
  }
  const ended = async (id: string) => {
    await eventually(async () => (await driver.containerStatus(id))?.state === 'exited')
    return output(id)
  }

  it('runs the entry point of an image with its arguments, variables and folder', async () => {
    const id = await start({
      args: ['echo $0 $FROM_IMAGE $OF_POD; pwd; ls /'],
      env: [{ name: 'OF_POD', value: 'too' }],
    })
    assert.deepEqual(
      (await ended(id)).split('\n').filter(Boolean),
      [
        '/bin/sh yes too',
        '/work',
        ...['bin', 'dev', 'etc', 'lib', 'lib64', 'new', 'proc', 'run', 'store', 'sys', 'tmp', 'usr', 'var', 'work'],
      ].filter(line => line !== 'lib64' || existsSync('/lib64')),
    )
  })

  it('shows nothing of the machine, and leaves no way back to it', async () => {
    const id = await start()
    assert.equal((await shell(id, 'for each in /proc/[0-9]*; do echo $each; done')).text.split('\n').length <= 4, true)
    assert.match((await run(id, 'ls', '/dev')).text, /^full\nnull\nptmx\npts\nrandom\nshm\n|fd/m)
    assert.equal((await shell(id, `ls ${root} 2>/dev/null; ls /proc/1/root${root} /../..${root} 2>/dev/null`)).text, '')
    const mounts = (await run(id, 'cat', '/proc/self/mountinfo')).text.split('\n').map(line => line.split(' ')[4]!)
    assert.deepEqual(
      mounts.filter(point => !/^\/($|dev|proc|sys|etc\/hostname)/.test(point)),
      [],
    )
  })

  it('applies layers in order and removes what a later one removes', async () => {
    const id = await start()
    assert.equal((await shell(id, 'cat /new; cat /old 2>&1')).text, 'newcat: /old: No such file or directory')
  })

  it('gives each container its own changes', async () => {
    const [one, other] = [await start(), await start()]
    await shell(one, 'echo mine >/new')
    assert.equal((await run(one, 'cat', '/new')).text, 'mine')
    assert.equal((await run(other, 'cat', '/new')).text, 'new')
  })

  it('runs as the user that is asked for, with the groups that the image has for it, in exec too', async () => {
    const id = await start({ runAsUser: 1234, supplementalGroups: [77], args: ['id; exec sleep 1000'] })
    const who = 'uid=1234(web) gid=1235(web) groups=1235(web),77,1300(mail)'
    assert.equal((await run(id, 'id')).text, who)
    assert.match(await until(id, /uid/), /uid=1234\(web\) gid=1235\(web\)/)
    assert.match((await shell(id, 'echo x >/new')).text, /Permission denied|cannot create/)
    assert.deepEqual((await driver.containerStatus(id))?.user, {
      uid: 1234,
      gid: 1235,
      supplementalGroups: [1235, 1300, 77],
    })
    const strict = await start({ runAsUser: 1234, supplementalGroups: [77], strictGroups: true })
    assert.equal((await run(strict, 'id')).text, 'uid=1234(web) gid=1235(web) groups=1235(web),77')
  })

  it('leaves a process of root the capabilities of containers, and those that are asked for', async () => {
    const bounds = async (config: Partial<ContainerConfig>) =>
      /CapBnd:\s*(\w+)/.exec((await run(await start(config), 'cat', '/proc/self/status')).text)?.[1]
    // chown, dac_override, fowner, fsetid, kill, setgid, setuid, setpcap, net_bind_service, net_raw, sys_chroot, audit_write, setfcap
    assert.equal(await bounds({}), '00000000a00425fb')
    assert.equal(await bounds({ capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } }), '0000000000000400')
  })

  it('gives a program of the image its capabilities, unless the pod forbids that', filtered, async () => {
    const effective = async (config: Partial<ContainerConfig>) =>
      /CapEff:\s*(\w+)/.exec(
        (await run(await start({ runAsUser: 1234, ...config }), 'may', '/proc/self/status')).text,
      )?.[1]
    assert.equal(await effective({}), '0000000000000400')
    assert.equal(await effective({ noNewPrivileges: true }), '0000000000000000')
  })

  it('keeps system calls from a process that is to run under the default profile, in exec too', filtered, async () => {
    const config: Partial<ContainerConfig> = {
      seccomp: { type: 'RuntimeDefault' },
      runAsUser: 1234,
      noNewPrivileges: true,
      args: ['env; unshare -U true; exec sleep 1000'],
      env: [
        { name: 'PERL5OPT', value: '-Mnone' },
        { name: 'LC_ALL', value: 'xx_XX' },
      ],
    }
    const id = await start(config)
    const log = await until(id, /unshare/)
    assert.match(log, /^PERL5OPT=-Mnone$/m)
    assert.match(log, /unshare: unshare failed: Operation not permitted/)
    assert.doesNotMatch(log, /PERL_BADLANG|locale/)
    assert.equal((await shell(id, 'unshare -U true 2>/dev/null; echo $?')).text, '1')
    assert.match((await run(id, 'cat', '/proc/self/status')).text, /Seccomp:\t2\nSeccomp_filters:\t1/)
    assert.match((await run(id, 'id')).text, /uid=1234/)
    const open = await start({ ...config, privileged: true, runAsUser: 0 })
    assert.match((await run(open, 'cat', '/proc/self/status')).text, /Seccomp:\t0/)
  })

  it(
    'keeps system calls from a process by a profile of its own, as it was when the container was made',
    filtered,
    async () => {
      const file = join(root, 'profile.json')
      const profile = (...names: string[]) =>
        writeFileSync(
          file,
          JSON.stringify({
            defaultAction: 'SCMP_ACT_ALLOW',
            syscalls: [{ names, action: 'SCMP_ACT_ERRNO', errnoRet: 13 }],
          }),
        )
      const seccomp: ContainerConfig['seccomp'] = { type: 'Localhost', localhost: file }
      profile('unshare')
      const id = await start({ seccomp, args: ['unshare -U true; exec sleep 1000'] })
      assert.match(await until(id, /unshare:/), /unshare: unshare failed: Permission denied/)
      profile('setresuid', 'setuid', 'setgroups')
      assert.match((await shell(id, 'unshare -U true')).text, /unshare: unshare failed: Permission denied/)
      // Where rights can never be gained again, they are set before the profile holds.
      const user = await start({ seccomp, runAsUser: 1234, noNewPrivileges: true })
      assert.match((await run(user, 'id')).text, /uid=1234/)
      await ended(await start({ seccomp, runAsUser: 1234 }))
      rmSync(file)
      const missing = /^cannot load seccomp profile ".*profile\.json": no such file$/
      await assert.rejects(start({ seccomp }), { reason: 'CreateContainerError', message: missing })
    },
  )

  it('lets no loader variable of the container near what still has rights', async () => {
    const id = await start({
      runAsUser: 1234,
      command: ['/bin/env'],
      env: [
        { name: 'LD_PRELOAD', value: '/tmp/none.so' },
        { name: 'odd.name', value: 'kept' },
      ],
    })
    const lines = (await ended(id)).split('\n')
    assert.equal(lines.includes('LD_PRELOAD=/tmp/none.so'), true)
    assert.equal(lines.includes('odd.name=kept'), true)
    // The loader complains in each program that was told of it: that is the command alone.
    assert.equal(lines.filter(line => line.includes('cannot be preloaded')).length, 1)
  })

  it('mounts volumes through links of the image, and makes the rest read-only where that is asked for', async () => {
    const volume = join(root, 'volume')
    mkdirSync(volume)
    writeFileSync(join(volume, 'file'), 'content')
    const id = await start({
      readOnlyRootFilesystem: true,
      mounts: [{ volume: 'v', hostPath: volume, containerPath: '/var/run/secrets/v', readOnly: false }],
    })
    assert.equal(
      (await shell(id, 'cat /run/secrets/v/file; echo x >/run/secrets/v/own && cat /var/run/secrets/v/own')).text,
      'contentx',
    )
    assert.match((await shell(id, 'echo x >/new')).text, /Read-only file system/)
    assert.equal((await shell(id, 'echo x >/dev/null; echo y >/dev/shm/y; cat /dev/shm/y')).text, 'y')
  })

  it('makes the volumes of the image, which can be written to where the rest cannot, and go with the container', async () => {
    const config = { readOnlyRootFilesystem: true, runAsUser: 1234 }
    const id = await start(config)
    assert.equal((await shell(id, 'cat /store/first; echo new >/store/first; cat /store/first')).text, 'firstnew')
    assert.equal((await shell(id, 'ls -d /run/more; echo x >/store/more; ls /store')).text, '/run/more\nfirst\nmore')
    assert.match((await shell(id, 'echo x >/tmp/x')).text, /Read-only/)
    assert.equal((await shell(await start(config), 'ls /store')).text, 'first')
    assert.equal((await shell(await start(), 'echo x >/store/x; ls /store')).text, 'first\nx')
  })

  it("gives a terminal of the container's own", async () => {
    const id = await start()
    let text = ''
    const take = async (chunk: Uint8Array) => {
      text += Buffer.from(chunk)
    }
    await driver.exec(id, ['/bin/sh', '-c', 'test -t 0 && echo a terminal; ls /dev/pts'], true, {
      signal: AbortSignal.timeout(PATIENCE),
      stdout: take,
    })
    assert.match(text, /a terminal\r\n0 {2}ptmx\r\n|a terminal\r\n0\s+ptmx/)
  })

  it('lets the containers of a pod share memory, with each other only', async () => {
    const pod = await newSandbox()
    const [one, two, other] = [await start({}, pod), await start({ name: 'two' }, pod), await start()]
    await shell(one, 'echo shared >/dev/shm/file')
    assert.equal((await shell(two, 'cat /dev/shm/file')).text, 'shared')
    assert.equal((await shell(other, 'ls /dev/shm')).text, '')
    const ipc = async (id: string) => (await shell(id, 'ls -l /proc/self/ns/ipc')).text.split(' ').at(-1)
    assert.equal(await ipc(one), await ipc(two))
    assert.notEqual(await ipc(one), await ipc(other))
  })

  it('sets parameters of the kernel for a pod alone, and says which it does not take', async () => {
    const pod = await newSandbox({ sysctls: { 'kernel.shm_rmid_forced': '1' } })
    const [one, other] = [await start({}, pod), await start()]
    assert.equal((await run(one, 'cat', '/proc/sys/kernel/shm_rmid_forced')).text, '1')
    assert.equal((await run(other, 'cat', '/proc/sys/kernel/shm_rmid_forced')).text, '0')
    await assert.rejects(newSandbox({ sysctls: { 'kernel.none': '1' } }), /kernel\/none/)
    await assert.rejects(
      newSandbox({ sysctls: { 'net.ipv4.ip_forward': '1' } }),
      /"net.ipv4.ip_forward" cannot be set for this pod alone/,
    )
  })

  it('gives containers that share their process ids one namespace, also those that come later', async () => {
    const pod = await newSandbox({ shareProcessNamespace: true })
    const [one, two] = [await start({}, pod), await start({ name: 'two', command: ['sleep', '4321'] }, pod)]
    const other = await start({ command: ['sleep', '9876'] })
    const seen = async (id: string) => (await shell(id, 'cat /proc/*/cmdline')).text.replaceAll('\0', ' ')
    await eventually(async () => assert.match(await seen(one), /sleep 4321/))
    assert.doesNotMatch(await seen(one), /sleep 9876/)
    assert.doesNotMatch(await seen(other), /sleep 4321/)
    assert.match((await shell(one, 'cat /proc/1/cmdline')).text, /\/pause\0?$/)
    await driver.stopContainer(two, 0)
    assert.equal((await driver.containerStatus(two))?.exitCode, 137)
    assert.equal((await driver.containerStatus(one))?.state, 'running')
    assert.doesNotMatch(await seen(one), /sleep 4321/)
    await start({ name: 'two', attempt: 1, command: ['sleep', '5432'] }, pod)
    await eventually(async () => assert.match(await seen(one), /sleep 5432/))
    const { pid } = (await driver.containerStatus(one))!
    await driver.removeSandbox(pod)
    assert.equal(existsSync(`/proc/${pid}`), false)
  })

  it('leaves no mount behind', async () => {
    const mounts = () =>
      readFileSync('/proc/self/mountinfo', 'utf8')
        .split('\n')
        .filter(line => line.includes(root)).length
    const before = mounts()
    const pod = await newSandbox()
    await Promise.all([start({}, pod), start({ name: 'two' }, pod), start({ name: 'three' }, pod)])
    assert.equal(mounts(), before + 5)
    await driver.removeSandbox(pod)
    assert.equal(mounts(), before)
  })

  it('ends a pull when it is closed', async () => {
    const other = mkdtempSync(join(tmpdir(), 'tutti-image-'))
    const opened = await open(other)
    const silentRegistry = createServer(() => void opened.driver.close())
    await new Promise<void>(resolve => silentRegistry.listen(0, '127.0.0.1', resolve))
    const { port } = silentRegistry.address() as AddressInfo
    await assert.rejects(opened.driver.pullImage(`127.0.0.1:${port}/app:1`), { reason: 'ErrImagePull' })
    silentRegistry.close()
    rmSync(other, { recursive: true, force: true })
  })

  it('refuses what it cannot give', async () => {
    writeFileSync(
      join(root, 'bare.tar'),
      ociArchive({ name: 'example.com/bare:1', layers: [[{ name: 'f', bytes: '' }]] }),
    )
    await store.import(join(root, 'bare.tar'))
    await assert.rejects(start({ image: 'example.com/bare:1' }), { message: 'no command specified' })
    await assert.rejects(start({ command: ['/none'] }), /exec: "\/none": stat \/none: no such file or directory/)
  })
})
