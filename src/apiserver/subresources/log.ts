/** pods/log: a container's output, as it is or as it comes (API doc: core/v1 PodLogOptions). */
import { type FieldError, invalid as invalidField } from '../../api/machinery/field-error.ts'
import { badRequest, invalid } from '../../api/machinery/status-error.ts'
import { parseTime } from '../../api/machinery/time.ts'
import type { LogOptions, NodeDirectory } from '../../client/node-api.ts'
import { chooseProtocol, upgradeOffer } from '../../client/streams/upgrade.ts'
import { acceptWebSocket } from '../../client/streams/websocket.ts'
import type { Registry } from '../registry/registry.ts'
import type { Answer, Handler, ServerRequest } from '../request.ts'
import { containerOf, type LocatedPod, nodeOf, podRef } from './pod-location.ts'
import { flag, requireKind } from './request-parts.ts'

/** A whole number of the query, at least `least`; undefined when absent. */
function number(query: URLSearchParams, name: string, least: 0 | 1, errors: FieldError[]): number | undefined {
  const text = query.get(name)
  if (text === null || text === '') return undefined
  if (!/^-?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  const value = Number(text)
  if (value < least)
    errors.push(invalidField(name, value, least ? 'must be greater than 0' : 'must be greater than or equal to 0'))
  return value
}

/** Reads and checks the options of a request. Throws StatusError. */
export function logOptions(query: URLSearchParams, pod: string, container: string): LogOptions {
  const errors: FieldError[] = []
  const tailLines = number(query, 'tailLines', 0, errors)
  const limitBytes = number(query, 'limitBytes', 1, errors)
  const sinceSeconds = number(query, 'sinceSeconds', 1, errors)
  const sinceTime = query.get('sinceTime') || undefined
  if (sinceTime && parseTime(sinceTime) === undefined)
    throw badRequest(`parsing time ${JSON.stringify(sinceTime)} as "2006-01-02T15:04:05Z07:00": cannot parse it`)
  if (sinceSeconds !== undefined && sinceTime)
    errors.push({
      reason: 'FieldValueForbidden',
      field: '[]',
      message: 'Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified',
    })
  if (errors.length) throw invalid({ group: '', kind: 'PodLogOptions' }, pod, errors)
  return {
    container,
    follow: flag(query, 'follow'),
    previous: flag(query, 'previous'),
    timestamps: flag(query, 'timestamps'),
    ...(tailLines !== undefined && { tailLines }),
    ...(limitBytes !== undefined && { limitBytes }),
    ...(sinceSeconds !== undefined && { sinceSeconds }),
    ...(sinceTime && { sinceTime }),
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** Clients in browsers read logs over WebSocket, a chunk a message. */
function overWebSocket(
  request: ServerRequest,
  read: (signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>,
): Answer {
  const offer = upgradeOffer(request.upgrade!)
  const protocol =
    offer?.type === 'websocket'
      ? chooseProtocol(offer.offered, ['binary.k8s.io', 'base64.binary.k8s.io', ''])
      : undefined
  if (offer?.type !== 'websocket' || protocol === undefined)
    throw badRequest('logs are streamed over WebSocket with the protocol binary.k8s.io or base64.binary.k8s.io')
  return {
    type: 'upgrade',
    status: 101,
    accept(socket, head) {
      const connection = acceptWebSocket(socket, head, offer.key, protocol)
      const base64 = protocol.startsWith('base64')
      const drain = async () => {
        for await (const _ of connection.messages);
      }
      const send = async () => {
        try {
          for await (const chunk of await read(connection.signal))
            await connection.send(base64, base64 ? Buffer.from(Buffer.from(chunk).toString('base64')) : chunk)
          connection.close()
        } catch {
          connection.close(1011)
        }
      }
      void drain()
      void send()
    },
  }
}

/** The handler. */
export function logHandler(registry: Registry, nodes: NodeDirectory): Handler {
  const pods = requireKind(registry, 'v1/pods')
  return async request => {
    const { namespace, name } = request.info
    const pod = registry.get(pods, { namespace, name }).value as LocatedPod
    const container = containerOf(
      pod,
      request.query.get('container') ?? '',
      (unknown, of) => `container ${unknown} is not valid for pod ${of}`,
    )
    const options = logOptions(request.query, name, container)
    // A pod without a node has written nothing.
    const read = async (signal: AbortSignal) =>
      pod.spec.nodeName ? nodeOf(pod, nodes).logs(podRef(pod), options, signal) : nothing()
    if (request.upgrade) return overWebSocket(request, read)
    return { type: 'stream', status: 200, contentType: 'text/plain', stream: await read(request.signal) }
  }
}
