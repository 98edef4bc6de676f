/** Requests for what another server serves, handed on with the name of who asks. */

import type { APIService } from '../../api/generated/types/apiregistration-v1.ts'
import { forwardedHeaders } from '../proxy/headers.ts'
import { networkErrorText } from '../proxy/network-error.ts'
import { relay } from '../proxy/relay.ts'
import type { Registry } from '../registry/registry.ts'
import type { Answer, Filter, ServerRequest } from '../request.ts'
import { API_SERVICES, isAvailable } from './api-service.ts'
import { identityHeaders } from './identity-headers.ts'
import type { RemoteServices, RemoteVersion } from './remote-services.ts'

/** Discovery is expected to be quick; clients wait for it (ms). */
const DISCOVERY_TIMEOUT = 5_000

/** What is wrong on the way to another server is told as text, as upstream does. */
const plain = (status: number, text: string): Answer => ({
  type: 'bytes',
  status,
  contentType: 'text/plain; charset=utf-8',
  bytes: Buffer.from(`${text}\n`),
  headers: { 'x-content-type-options': 'nosniff' },
})

/** The group and version that a path is about. */
function groupVersionOf({ info, path }: ServerRequest): readonly [group: string, version: string] | undefined {
  if (info.isResource) return [info.group, info.version]
  const [, root, first, second] = path.split('/')
  if (root === 'apis' && first && second) return [decodeURIComponent(first), decodeURIComponent(second)]
  return root === 'api' && first ? ['', decodeURIComponent(first)] : undefined
}

/** Sends a request to the server of a registered version. */
export async function handOn(request: ServerRequest, { server }: RemoteVersion): Promise<Answer> {
  let target: ReturnType<typeof server.choose>
  try {
    target = server.choose()
  } catch {
    return plain(503, 'service unavailable')
  }
  const query = request.query.toString()
  const headers = { ...forwardedHeaders(request.headers, request.remoteAddress), ...identityHeaders(request.user) }
  const short = !request.info.isResource && request.path.replace(/\/+$/, '').split('/').length <= 4
  try {
    return await relay(request, {
      open: options => target.open(short ? { ...options, signal: AbortSignal.timeout(DISCOVERY_TIMEOUT) } : options),
      path: `${request.path}${query && `?${query}`}`,
      headers: { ...headers, host: target.host },
      failure: error => error,
    })
  } catch (error) {
    return plain(503, `error trying to reach service: ${networkErrorText(error as Error)}`)
  }
}

/** Lets through what this server serves itself, and hands on the rest. Stands after authorization. */
export function handOnFilter(registry: Registry, services: RemoteServices): Filter {
  const kind = registry.kind(API_SERVICES)
  const objects = kind && registry.reader(kind)
  return next => request => {
    if (services.isEmpty()) return next(request)
    const of = groupVersionOf(request)
    const version = of && services.find(...of)
    if (!version) return next(request)
    const object = objects?.get('', version.name)?.value as APIService | undefined
    if (!object || !isAvailable(object)) return Promise.resolve(plain(503, 'service unavailable'))
    return handOn(request, version)
  }
}
