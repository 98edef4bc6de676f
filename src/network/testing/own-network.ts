/**
 * For tests that change a network: runs the test file again in a network and mount namespace of its own, so that
 * nothing reaches the machine's. Where that is not allowed the tests are skipped by name, with the reason.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { run } from '../tools/command.ts'

const INSIDE = 'TUTTI_TEST_OWN_NETWORK'

/** Why a namespace with nftables cannot be made here; undefined when it can. */
function obstacle(): string | undefined {
  if (process.platform !== 'linux') return `network namespaces need Linux, this is ${process.platform}`
  const probe = 'ip link add probe0 type veth peer name probe1 && nft add table ip probe'
  const { status, stderr, error } = spawnSync('unshare', [...namespaces(), 'sh', '-c', probe], { encoding: 'utf8' })
  if (status === 0) return undefined
  return `needs root or user namespaces, iproute2 and nftables: ${(error?.message ?? stderr).trim().split('\n')[0]}`
}

const namespaces = () => (process.getuid?.() === 0 ? ['--net', '--mount'] : ['-Ur', '--net', '--mount'])

/**
 * Registers the tests of `file` (import.meta.filename). `body` registers them in turn, inside, where `lo` is up.
 */
export function inOwnNetwork(file: string, title: string, body: () => void): void {
  if (process.env[INSIDE]) {
    test('own network: lo is up', () => run('ip', ['link', 'set', 'lo', 'up']).then(() => {}))
    body()
    return
  }
  const skip = obstacle()
  test(title, { skip: skip ?? false }, () => {
    // Without the test context of the outer runner the inner one reports for itself.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const child = spawnSync(
      'unshare',
      [
        ...namespaces(),
        process.execPath,
        '--disable-warning=ExperimentalWarning',
        '--test',
        '--test-isolation=none',
        file,
      ],
      { encoding: 'utf8', env: { ...env, [INSIDE]: '1' }, timeout: 900_000 },
    )
    assert.equal(child.status, 0, `${child.stdout}\n${child.stderr}`)
  })
}
