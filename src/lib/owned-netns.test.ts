import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { removeTree } from './mounts.ts'
import { makeOwnedNetns } from './owned-netns.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root: namespaces are made and mounted'

test('makeOwnedNetns mounts a network namespace that belongs to a user namespace with these ids', {
  skip,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-netns-'))
  const path = join(folder, 'net')
  writeFileSync(path, '')
  try {
    await makeOwnedNetns(path, [{ hostId: 131_072, containerId: 0, length: 65_536 }])
    const inside = spawn('nsenter', [`--net=${path}`, 'sh', '-c', 'echo; read -r _'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    await new Promise(resolve => inside.stdout.once('data', resolve))
    const { pid } = inside
    const columns = ['-n', '-t', 'net', '-o', 'NS,ONS', '-p', String(pid)]
    const [net = '', owner = ''] = execFileSync('lsns', columns, { encoding: 'utf8' }).trim().split(/\s+/)
    const own = (sort: string) => /\d+/.exec(readlinkSync(`/proc/self/ns/${sort}`))![0]
    assert.notEqual(net, own('net'))
    assert.ok(/^\d+$/.test(owner) && owner !== own('user'), owner)
    inside.stdin.end()
  } finally {
    await removeTree(folder)
  }
})

test('makeOwnedNetns says what is wrong with ids', { skip }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-netns-'))
  const path = join(folder, 'net')
  writeFileSync(path, '')
  await assert.rejects(makeOwnedNetns(path, [{ hostId: 0, containerId: 0, length: 0 }]), /EINVAL/)
  await removeTree(folder)
})
