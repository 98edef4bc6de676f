import { execFileSync, spawnSync } from 'node:child_process'

const INSIDE = 'TUTTI_BENCH_INSIDE'

/**
 * Runs the program again in a network and mount namespace of its own, and ends with it; returns only inside. For root,
 * and for others where user namespaces are allowed.
 */
export function enterOwnNetwork(): void {
  if (process.env[INSIDE]) return
  const user = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']
  const { status } = spawnSync(
    'unshare',
    [...user, '--net', '--mount', process.execPath, ...process.execArgv, ...process.argv.slice(1)],
    { stdio: 'inherit', env: { ...process.env, [INSIDE]: '1' } },
  )
  process.exit(status ?? 1)
}

/** The node's address, by which it reaches addresses of services. */
export const NODE = '10.244.0.1'

/** Gives this network what a node has: loopback, the node's address and the way to services (10.96.0.0/16). */
export function layOutNode(): void {
  execFileSync('ip', ['link', 'set', 'lo', 'up'])
  execFileSync('ip', ['address', 'add', `${NODE}/32`, 'dev', 'lo'])
  execFileSync('ip', ['route', 'add', '10.96.0.0/16', 'dev', 'lo', 'src', NODE])
}
