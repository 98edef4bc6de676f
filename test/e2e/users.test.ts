/** An ordinary user with subordinate ids, whose pods have users of their own. Only a mount namespace knows the user. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { programs } from '../../src/agent/images/programs.fixture.ts'
import { ociArchive } from '../../src/lib/oci-archive.ts'
import { execute } from './cluster.ts'
import { until } from './load.ts'

const missing = (() => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux'
  if (!existsSync('/usr/bin/newuidmap')) return 'needs newuidmap (uidmap)'
  if (!existsSync('/etc/subuid') || !existsSync('/etc/subgid')) return 'needs /etc/subuid and /etc/subgid'
  return spawnSync('unshare', ['-m', 'true']).status === 0 ? undefined : 'namespaces may not be made here'
})()

/**
 * Enters the user's view of the machine: its own list of users, this checkout at a place that it may read, and a home
 * as many machines mount it.
 */
const AS_USER = `cd "$1" && for file in passwd group subuid subgid; do mount --bind "$1/etc/$file" "/etc/$file" || exit; done
mount --bind home home && mount -o remount,bind,nosuid,nodev,noexec home
mount --bind "$2" "$1/tutti" && shift 2 && exec setpriv --reuid=4321 --regid=4321 --clear-groups "$@"`

const pod = (name: string, spec: object) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec })
const volume = { volumes: [{ name: 'data', emptyDir: {} }] }
const container = { name: 'main', image: 'example.com/users:1', imagePullPolicy: 'Never' }
const mounted = { ...container, volumeMounts: [{ name: 'data', mountPath: '/data' }] }
const PODS = [
  pod('changes', { ...volume, containers: [mounted] }),
  pod('chosen', {
    ...volume,
    securityContext: { runAsUser: 999, runAsGroup: 998, fsGroup: 2000 },
    containers: [{ ...mounted, command: ['sh', '-c', 'id && mkdir -m 700 /data/own && ls -ldn /data && sleep 1000'] }],
  }),
]

test('an ordinary user with subordinate ids runs images that change users, and leaves nothing', {
  skip: missing,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-users-'))
  chmodSync(folder, 0o755)
  for (const name of ['etc', 'home', 'tutti']) mkdirSync(join(folder, name))
  for (const name of ['passwd', 'group']) copyFileSync(join('/etc', name), join(folder, 'etc', name))
  appendFileSync(join(folder, 'etc/passwd'), 'someone:x:4321:4321::/:/bin/sh\n')
  for (const name of ['subuid', 'subgid']) writeFileSync(join(folder, 'etc', name), 'someone:200000:65536\n')
  const layer = [
    ...programs('/usr/bin/dash', '/usr/bin/id', '/usr/bin/ls', '/usr/bin/mkdir', '/usr/bin/cat', '/usr/bin/sleep'),
    ...programs('/usr/bin/setpriv'),
    { name: 'bin/', mode: 0o555 },
    { name: 'bin/sh', link: '/usr/bin/dash' },
    { name: 'etc/secret', bytes: 'of 101\n', uid: 101, gid: 102, mode: 0o400 },
  ]
  const drop = 'exec setpriv --reuid 101 --regid 102 --clear-groups sh -c "id; cat /etc/secret; sleep 1000"'
  const config = { Entrypoint: ['sh', '-c', drop], Env: ['PATH=/usr/bin:/bin'] }
  writeFileSync(join(folder, 'image.tar'), ociArchive({ name: container.image, layers: [layer], config }))
  execFileSync('chown', ['4321:4321', join(folder, 'home')])
  // As in the shell of an ordinary user of Debian, which does not look where nft is.
  const env = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: join(folder, 'home'), NO_COLOR: '1' }
  const checkout = join(import.meta.dirname, '../..')
  const tutti = async (args: readonly string[], input?: string) => {
    const words = ['-m', 'sh', '-c', AS_USER, 'sh', folder, checkout, join(folder, 'tutti/bin/tutti'), ...args]
    const result = await execute('unshare', words, { env, ...(input !== undefined && { input }) })
    assert.equal(result.code, 0, result.stderr)
    return result.stdout
  }
  try {
    await tutti(['up', '--port', '0', '--network', 'rootless'])
    assert.match(await tutti(['status']), /other users than root: the subordinate ids 200000-265535/)
    await tutti(['image', 'import', join(folder, 'image.tar')])
    await tutti(['apply', '-f', '-'], PODS.map(each => JSON.stringify(each)).join('\n---\n'))
    const said = (name: string, words: RegExp) =>
      until(`${name} to say ${words}`, async () => words.test(await tutti(['logs', name]).catch(() => '')))
    await said('changes', /uid=101 gid=102 groups=102\nof 101\n/)
    await said('chosen', /uid=999 gid=998 groups=998,2000\ndrwxrwsrwx 3 0 2000 /)
  } finally {
    await tutti(['delete', '--yes'])
    const left = existsSync(join(folder, 'home/.tutti'))
    // The program's end may still write to its cache: then Node's removal has been seen to stop without an error.
    await until(`${folder} to be gone`, async () => {
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
      return !existsSync(folder)
    })
    assert.equal(left, false)
  }
})
