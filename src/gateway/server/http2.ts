/** HTTP/2 on connections that are handed in. */
import { constants, createServer, type Http2Server, type ServerHttp2Session } from 'node:http2'
import type { Router } from '../proxy/router.ts'
import { type Http2Deps, Http2Visit } from './http2-visit.ts'
import { HEAD_BYTES, IDLE_MS } from './limits.ts'

/** Requests of one connection at a time. */
const STREAMS = 250

/** Bytes of the names and values of a head, as RFC 9113, 6.5.2 counts them. */
function sizeOf(raw: readonly string[]): number {
  let bytes = (raw.length / 2) * 32
  for (const each of raw) bytes += each.length
  return bytes
}

/** Makes the server and the set of its open sessions. */
export function openHttp2(
  router: Router,
  deps: Http2Deps,
): {
  readonly server: Http2Server
  readonly sessions: ReadonlySet<ServerHttp2Session>
} {
  const sessions = new Set<ServerHttp2Session>()
  const server = createServer({ settings: { maxConcurrentStreams: STREAMS, maxHeaderListSize: HEAD_BYTES } })
  server.on('session', session => {
    let open = 0
    sessions.add(session)
    session.once('close', () => sessions.delete(session))
    session.on('error', () => {})
    session.on('stream', (stream, headers, _flags, raw) => {
      // Node holds a client to it only after that has acknowledged it.
      if (sizeOf(raw) > HEAD_BYTES) {
        stream.on('error', () => {})
        return stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM)
      }
      open++
      stream.once('close', () => open--)
      router(new Http2Visit(stream, headers, deps))
    })
    // Streams that wait for their backends are not idle.
    session.setTimeout(IDLE_MS, () => open === 0 && session.close())
  })
  return { server, sessions }
}
