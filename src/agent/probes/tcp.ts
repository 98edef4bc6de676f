import net from 'node:net'
import type { ProbeResult } from '../runtimes/runtime.ts'
import { dialProblem } from './http.ts'

/** Succeeds when the port takes a connection. Never rejects. */
export function tcpProbe(host: string, port: number, timeoutMs: number): Promise<ProbeResult> {
  return new Promise(resolve => {
    const socket = net.connect({ host, port })
    const done = (ok: boolean, output: string) => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ ok, output })
    }
    const timer = setTimeout(() => done(false, `dial tcp ${host}:${port}: i/o timeout`), timeoutMs)
    socket.once('connect', () => done(true, ''))
    socket.once('error', (error: NodeJS.ErrnoException) => done(false, dialProblem(error, `${host}:${port}`)))
  })
}
