/** A TCP connection to a port inside a sandbox, for port-forward. */
import { spawn } from 'node:child_process'
import net from 'node:net'
import { Duplex } from 'node:stream'
import { RuntimeError } from '../runtime.ts'

/** What runs inside the network namespace when only its loopback has the port; exits with 1 when nothing listens. */
const RELAY = `
const s = require('net').connect({ port: +process.argv[1], host: '127.0.0.1', allowHalfOpen: true })
s.on('connect', () => { process.stdout.write('+'); process.stdin.pipe(s); s.pipe(process.stdout) })
s.on('error', () => process.exit(1))
`

function dial(host: string, port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host, port, allowHalfOpen: true })
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
    socket.once('error', reject)
  })
}

/**
 * Connects to the pod's address, or to its loopback from inside `netns`. Rejects with the kubelet's sentence when
 * nothing listens.
 */
export async function connectSandbox(
  ips: readonly string[],
  netns: string | undefined,
  nsenter: string | undefined,
  port: number,
): Promise<Duplex> {
  let cause: unknown
  // A pod's own address comes last: a server on its loopback is not seen there, one on every address in both places.
  for (const host of netns ? ips.slice(0, 1) : ['127.0.0.1', ...ips]) {
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
  if (!netns || !nsenter) throw refused()
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
