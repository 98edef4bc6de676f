/** Volumes with mounts and owners: what only root may make. */
import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import { isMounted, mount, mountsBelow, removeTree } from '../../lib/mounts.ts'
import { emptyDirVolume } from './empty-dir.ts'
import { giveToGroup } from './ownership.ts'
import { writePayload } from './payload.ts'
import { prepareSubPath } from './sub-path.ts'
import type { VolumeContext } from './volume.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root'
const TMPFS = 0x01021994

describe('volumes as root', { skip }, () => {
  // A blank in the path: the kernel's table escapes it.
  const root = mkdtempSync(join(tmpdir(), 'tutti volumes '))
  after(() => removeTree(root))
  const podOf = (fsGroup: number, fsGroupChangePolicy?: 'OnRootMismatch' | 'Always'): Pod => ({
    spec: { containers: [], securityContext: { fsGroup, ...(fsGroupChangePolicy && { fsGroupChangePolicy }) } },
  })

  it('giveToGroup opens everything to the group, and follows no link', async () => {
    const volume = join(root, 'group')
    mkdirSync(join(volume, 'sub'), { recursive: true })
    chmodSync(volume, 0o700)
    writeFileSync(join(volume, 'sub/file'), '', { mode: 0o600 })
    writeFileSync(join(root, 'outside'), '', { mode: 0o600 })
    symlinkSync(join(root, 'outside'), join(volume, 'link'))
    await giveToGroup(volume, podOf(4711), false)
    const shown = (path: string) => [statSync(path).gid, (statSync(path).mode & 0o7777).toString(8)]
    assert.deepEqual(shown(volume), [4711, '2770'])
    assert.deepEqual(shown(join(volume, 'sub')), [4711, '2775'])
    assert.deepEqual(shown(join(volume, 'sub/file')), [4711, '660'])
    assert.deepEqual(shown(join(root, 'outside')), [0, '600'])
  })

  for (const [policy, expected] of [
    ['OnRootMismatch', 0],
    ['Always', 4712],
  ] as const) {
    it(`giveToGroup with ${policy} makes a new file of an old volume belong to ${expected}`, async () => {
      const volume = join(root, policy)
      mkdirSync(volume)
      await giveToGroup(volume, podOf(4712, policy), false)
      chmodSync(volume, 0o2770)
      writeFileSync(join(volume, 'later'), '')
      const { chownSync } = await import('node:fs')
      chownSync(join(volume, 'later'), 0, 0)
      await giveToGroup(volume, podOf(4712, policy), false)
      assert.equal(statSync(join(volume, 'later')).gid, expected)
    })
  }

  it('writePayload opens files to the pod’s group for reading only', async () => {
    const directory = join(root, 'payload')
    await writePayload(
      { directory, pod: podOf(4713) },
      new Map([['deep/key', { data: Buffer.from('x'), mode: 0o400 }]]),
    )
    const { gid, mode } = statSync(join(directory, 'deep/key'))
    assert.deepEqual([gid, mode & 0o777], [4713, 0o440])
    assert.equal(statSync(join(directory, 'deep')).gid, 4713)
  })

  it('emptyDir in memory is a file system of its limit', async () => {
    const directory = join(root, 'memory')
    const source = { emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }
    const context = { directory, mountable: true, pod: podOf(4714) } as VolumeContext
    const path = await emptyDirVolume.setUp({ name: 'm', source, readOnly: false }, context)
    const { type, blocks, bsize } = statfsSync(path)
    assert.deepEqual([type, blocks * bsize], [TMPFS, 1 << 20])
    assert.equal(statSync(path).mode & 0o7777, 0o2777)
    writeFileSync(join(path, 'kept'), '')
    await emptyDirVolume.setUp({ name: 'm', source, readOnly: false }, context)
    assert.ok(existsSync(join(path, 'kept')))
  })

  it('prepareSubPath mounts the very file, and another one by the same name later', async () => {
    const volume = join(root, 'sub')
    const target = join(root, 'targets/sub/0')
    const options = { mountable: true }
    await writePayload({ directory: volume, pod: {} }, new Map([['key', { data: Buffer.from('1'), mode: 0o644 }]]))
    assert.equal(await prepareSubPath(volume, 'key', target, options), target)
    await writePayload({ directory: volume, pod: {} }, new Map([['key', { data: Buffer.from('2'), mode: 0o644 }]]))
    assert.equal(readFileSync(target, 'utf8'), '1')
    await prepareSubPath(volume, 'key', target, options)
    assert.equal(readFileSync(target, 'utf8'), '2')
    await prepareSubPath(volume, 'key', target, options)
    assert.equal(mountsBelow(join(root, 'targets')).length, 1)
  })

  it('removeTree lets go of what is mounted, and keeps what is in it', async () => {
    const data = join(root, 'data')
    const folder = join(root, 'pod')
    mkdirSync(join(folder, 'mnt'), { recursive: true })
    mkdirSync(data)
    writeFileSync(join(data, 'precious'), '')
    await mount('--bind', data, join(folder, 'mnt'))
    assert.ok(isMounted(join(folder, 'mnt')))
    // The kernel knows it by its real path.
    symlinkSync(root, join(root, 'link'))
    assert.ok(isMounted(join(root, 'link/pod/mnt')))
    await removeTree(join(root, 'link/pod'))
    assert.ok(!existsSync(folder))
    assert.ok(existsSync(join(data, 'precious')))
    rmSync(data, { recursive: true })
  })
})
