/** http probes and hooks (API doc: HTTPGetAction), with the kubelet's outcomes and sentences. */
import type { IncomingMessage } from 'node:http'
import https from 'node:https'
import type { HTTPGetAction } from '../../api/generated/types/core-v1.ts'
import { hostPort } from '../../lib/host-port.ts'
import { http } from '../../lib/http.ts'
import type { ProbeResult } from '../runtimes/runtime.ts'

const BODY_LIMIT = 10 * 1024
const REDIRECTS = 10

/** What Go prints for a failed connection. */
export function dialProblem(error: NodeJS.ErrnoException, address: string): string {
  if (error.code === 'ECONNREFUSED') return `dial tcp ${address}: connect: connection refused`
  if (error.code === 'EHOSTUNREACH') return `dial tcp ${address}: connect: no route to host`
  if (error.code === 'ENETUNREACH') return `dial tcp ${address}: connect: network is unreachable`
  if (error.code === 'ECONNRESET') return 'EOF'
  return error.message
}

/**
 * Gets the URL of the action at `host` and `port`. 200 to 399 is success; redirects to the same host are followed, and
 * one to another host counts as success. Never rejects.
 */
export function httpProbe(action: HTTPGetAction, host: string, port: number, timeoutMs: number): Promise<ProbeResult> {
  const scheme = (action.scheme ?? 'HTTP').toLowerCase()
  const target = action.host || host
  const path = action.path?.startsWith('/') ? action.path : `/${action.path ?? ''}`
  const url = new URL(`${scheme}://${hostPort(target, port)}${path}`)
  const headers: Record<string, string | string[]> = {
    'User-Agent': 'kube-probe/1.36',
    Accept: '*/*',
    Connection: 'close',
  }
  for (const { name, value } of action.httpHeaders ?? []) {
    const known = Object.keys(headers).find(key => key.toLowerCase() === name.toLowerCase())
    if (known && ['User-Agent', 'Accept', 'Connection'].includes(known)) delete headers[known]
    if (value !== '') headers[name] = known && Array.isArray(headers[name]) ? [...headers[name], value] : value
  }
  return get(url, headers, performance.now() + timeoutMs, REDIRECTS)
}

function get(
  url: URL,
  headers: Record<string, string | string[]>,
  deadline: number,
  redirects: number,
): Promise<ProbeResult> {
  const failed = (cause: string): ProbeResult => ({ ok: false, output: `Get ${JSON.stringify(url.href)}: ${cause}` })
  return new Promise(resolve => {
    const module = url.protocol === 'https:' ? https : http
    const left = Math.max(1, deadline - performance.now())
    const request = module.request(url, { headers, agent: false, rejectUnauthorized: false }, response => {
      const chunks: Buffer[] = []
      let size = 0
      const finish = () => {
        clearTimeout(timer)
        request.destroy()
        resolve(outcome(response, Buffer.concat(chunks).subarray(0, BODY_LIMIT).toString()))
      }
      const status = response.statusCode ?? 0
      const location = response.headers.location
      if (status >= 300 && status < 400 && location && redirects > 0) {
        const next = new URL(location, url)
        if (next.hostname === url.hostname) {
          clearTimeout(timer)
          request.destroy()
          resolve(get(next, headers, deadline, redirects - 1))
          return
        }
      }
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        size += chunk.length
        if (size >= BODY_LIMIT) finish()
      })
      response.on('end', finish)
      response.on('error', finish)
    })
    const timer = setTimeout(() => {
      request.destroy()
      resolve(failed('context deadline exceeded (Client.Timeout exceeded while awaiting headers)'))
    }, left)
    request.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer)
      resolve(failed(dialProblem(error, url.host)))
    })
    request.end()
  })
}

function outcome(response: IncomingMessage, body: string): ProbeResult {
  const status = response.statusCode ?? 0
  if (status >= 200 && status < 400) return { ok: true, output: body }
  return { ok: false, output: `HTTP probe failed with statuscode: ${status}` }
}
