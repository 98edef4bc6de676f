/** A TCP connection to a port of a sandbox, for port-forward and proxies. */
import { spawn } from 'node:child_process'
import { Duplex } from 'node:stream'
import type { PodDoor } from '../../../client/node-api.ts'
import { dial } from '../dial.ts'
import { RuntimeError } from '../runtime.ts'

/** What runs inside the network namespace when only its loopback has the port; exits with 1 when nothing listens. */
const RELAY = `
const s = require('net').connect({ port: +process.argv[1], host: '127.0.0.1', allowHalfOpen: true })
s.on('connect', () => { process.stdout.write('+'); process.stdin.pipe(s); s.pipe(process.stdout) })
s.on('error', () => process.exit(1))
`

export interface Reachable {
  readonly ips: readonly string[]
  /** Its network namespace; without one it is on the network of the machine. */
  readonly netns?: string | undefined
  /** Path of the tool that enters one. */
  readonly nsenter?: string | undefined
}

/** Where to try, in order. Portable pods have the machine's loopback for their address. */
function hostsOf({ ips, netns }: Reachable, via: PodDoor): readonly string[] {
  if (via === 'address' || netns) return ips.slice(0, 1)
  // From inside, the loopback counts first; a server on every address is seen there too.
  return [...new Set(['127.0.0.1', ...ips])]
}

/**
 * Connects to the pod's address or, from inside, to its loopback. Rejects with the kubelet's sentence when nothing
 * listens.
 */
export async function connectSandbox(sandbox: Reachable, port: number, via: PodDoor): Promise<Duplex> {
  const { netns, nsenter } = sandbox
  let cause: unknown
  for (const host of hostsOf(sandbox, via)) {
    try {
      return await dial(host, port)
    } catch (error) {
      cause = error
    }
  }
  const refused = () =>
    new RuntimeError(
      'PortForwardError',
      `failed to connect to localhost:${port} inside namespace of the pod: connection refused`,
      { cause },
    )
  if (via === 'address' || !netns || !nsenter) throw refused()
  const relay = spawn(nsenter, [`--net=${netns}`, process.execPath, '-e', RELAY, String(port)], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {},
  })
  return new Promise((resolve, reject) => {
    relay.once('error', () => reject(refused()))
    relay.once('exit', () => reject(refused()))
    relay.stdin.on('error', () => {})
    relay.stdout.once('readable', () => {
      if (relay.stdout.read(1) === null) return
      const stream = Duplex.from({ readable: relay.stdout, writable: relay.stdin } as never)
      stream.on('error', () => {})
      stream.on('close', () => relay.kill('SIGKILL'))
      resolve(stream)
    })
  })
}
