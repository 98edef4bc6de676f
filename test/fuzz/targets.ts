/** The parsers of what clients send, each with what it promises. */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { duplexPair } from 'node:stream'
import { formatFieldSelector, parseFieldSelector } from '../../src/api/machinery/field-selector.ts'
import { jsonPatch } from '../../src/api/machinery/json-patch.ts'
import { parseJson } from '../../src/api/machinery/json-strict.ts'
import { parseLabelSelector } from '../../src/api/machinery/label-selector.ts'
import { mergePatch } from '../../src/api/machinery/merge-patch.ts'
import { decodeProtobuf } from '../../src/api/machinery/protobuf/decode.ts'
import { encodeProtobuf } from '../../src/api/machinery/protobuf/encode.ts'
import { openEnvelope } from '../../src/api/machinery/protobuf/envelope.ts'
import { messageName } from '../../src/api/machinery/protobuf/message-name.ts'
import { canonicalQuantity, compareQuantities, quantityProblem } from '../../src/api/machinery/quantity.ts'
import { StatusError } from '../../src/api/machinery/status-error.ts'
import { strategicMergePatch } from '../../src/api/machinery/strategic-merge-patch.ts'
import { checkStructure } from '../../src/api/machinery/structural.ts'
import { formatDuration, parseDuration, parseTime, rfc3339 } from '../../src/api/machinery/time.ts'
import { formatYaml, parseYaml } from '../../src/api/machinery/yaml.ts'
import { decodeContinue, encodeContinue } from '../../src/apiserver/handlers/continue-token.ts'
import { negotiate } from '../../src/apiserver/http/media.ts'
import { parseRequestInfo } from '../../src/apiserver/http/request-info.ts'
import { socketLink } from '../../src/client/streams/link.ts'
import { spdyCommand } from '../../src/client/streams/spdy-command.ts'
import { acceptWebSocket } from '../../src/client/streams/websocket.ts'
import { type Clock, realClock } from '../../src/lib/clock.ts'
import { HeaderDecoder } from '../../src/lib/http2/decode-headers.ts'
import { ConnectionFault } from '../../src/lib/http2/fault.ts'
import { createSession } from '../../src/lib/http2/session.ts'
import { type FuzzTarget, never } from './driver.ts'

const POD = 'io.k8s.api.core.v1.Pod'
const badRequest = (error: unknown) => error instanceof StatusError && error.code === 400
const unprocessable = (error: unknown) => error instanceof StatusError && (error.code === 400 || error.code === 422)
/** A directive that nobody knows is answered with 500, as upstream does. */
const unmergeable = (error: unknown) => unprocessable(error) || (error instanceof StatusError && error.code === 500)

/** Anything that JSON can say, from a text that may be none. */
function jsonOf(input: Buffer): unknown {
  try {
    return JSON.parse(input.toString())
  } catch {
    return undefined
  }
}

const JSON_TOKENS = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ':',
  ',',
  'null',
  '1e999',
  '\\u0000',
  '"__proto__":',
  '"metadata":{"labels":{',
  '{"a":',
  '[[',
  '\\',
  '\xc3\xa9',
  '\xff',
]

/** An object and a patch of it, in one array. */
const patchTarget = (
  name: string,
  patch: (object: unknown, patch: unknown) => unknown,
  tokens: readonly string[],
  refuses: FuzzTarget['refuses'] = unprocessable,
): FuzzTarget => ({
  name,
  tokens: [...JSON_TOKENS, ...tokens],
  run(input) {
    const value = jsonOf(input)
    if (!Array.isArray(value) || typeof value[0] !== 'object' || value[0] === null) return
    const result = patch(value[0], value[1])
    assert.doesNotThrow(() => JSON.stringify(result))
    assert.equal(({} as { polluted?: unknown }).polluted, undefined)
  },
  refuses,
})

export const targets: readonly FuzzTarget[] = [
  {
    name: 'json',
    tokens: JSON_TOKENS,
    run(input) {
      const { value } = parseJson(input, true)
      assert.deepEqual(value, JSON.parse(input.toString()))
      checkStructure(value, POD)
    },
    refuses: badRequest,
  },
  {
    name: 'protobuf',
    tokens: [
      'k8s\0',
      '\x0a',
      '\x12',
      '\x1a',
      '\x0a\x05',
      '\x12\x80\x80\x80\x80\x10',
      '\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01',
      '\x0a\x02v1',
      '\x12\x03Pod',
      '\x12\xff\xff\x03',
    ],
    run(input) {
      const { apiVersion, kind, raw } = openEnvelope(input)
      const name = messageName(apiVersion, kind)
      if (!name) return
      const value = decodeProtobuf(name, raw)
      const again = encodeProtobuf(name, value)
      assert.deepEqual(
        decodeProtobuf(name, again),
        decodeProtobuf(name, encodeProtobuf(name, decodeProtobuf(name, again))),
      )
    },
    // What decodeBody turns into a BadRequest; a stack that overflowed is not among it.
    refuses: error =>
      error instanceof Error && !/call stack|Invalid array length|Cannot read|is not a function/.test(error.message),
  },
  {
    name: 'yaml',
    tokens: [
      ': ',
      '- ',
      '\n',
      '\n  ',
      '{',
      '[',
      '&a ',
      '*a',
      '<<: *a',
      '|\n',
      '>-\n',
      '!!binary ',
      '!!js/function ',
      '? ',
      '---\n',
      '"',
      "'",
      '#',
      '~',
      '0x',
      '\t',
      '%YAML 1.1\n',
    ],
    run(input) {
      const { value } = parseYaml(input)
      JSON.stringify(value)
    },
    refuses: badRequest,
  },
  {
    name: 'yaml-round-trip',
    tokens: JSON_TOKENS,
    run(input) {
      const value = jsonOf(input)
      if (typeof value !== 'object' || value === null || input.length > 4000) return
      if (/__proto__|"<<"|\\u|[\x7f-\xff]/.test(input.toString('latin1'))) return
      assert.deepEqual(parseYaml(formatYaml(value)).value, value)
    },
    refuses: badRequest,
  },
  {
    name: 'label-selector',
    tokens: [' in (', ' notin (', ')', ',', '=', '==', '!=', '!', '>', '<', '/', 'a.b/c', ' ', 'x'.repeat(64)],
    run(input) {
      const selector = parseLabelSelector(input.toString())
      const text = selector.toString()
      assert.equal(parseLabelSelector(text).toString(), text)
      selector.matches({ a: 'b', x: '5' })
    },
    refuses: badRequest,
  },
  {
    name: 'field-selector',
    tokens: ['=', '==', '!=', ',', '\\', '\\,', '\\=', 'metadata.name', 'spec.nodeName'],
    run(input) {
      const terms = parseFieldSelector(input.toString())
      const again = parseFieldSelector(formatFieldSelector(terms))
      if (terms.every(({ field }) => !/[,\\]/.test(field))) assert.deepEqual(again, terms)
    },
    refuses: badRequest,
  },
  patchTarget('json-patch', jsonPatch, [
    '{"op":"add","path":"/a","value":',
    '"op":"copy","from":"/"',
    '"/-"',
    '~0',
    '~1',
    '"/__proto__/polluted"',
    '"/constructor/prototype/polluted"',
    '"remove"',
    '"test"',
    '"move"',
    '/99999999999',
  ]),
  patchTarget('merge-patch', mergePatch, ['"__proto__":{"polluted":1}', '"a":null']),
  patchTarget(
    'strategic-merge-patch',
    (object, patch) => strategicMergePatch(object, patch ?? {}, POD),
    [
      '"$patch":"delete"',
      '"$patch":"replace"',
      '"$retainKeys":[',
      '"$setElementOrder/containers":[',
      '"$deleteFromPrimitiveList/finalizers":[',
      '"containers":[{"name":"a"',
      '"__proto__":{"polluted":1}',
    ],
    unmergeable,
  ),
  {
    name: 'accept',
    tokens: [
      ',',
      ';',
      '/',
      '*',
      'q=',
      '=',
      'application/json',
      'application/vnd.kubernetes.protobuf',
      ';as=Table;g=meta.k8s.io;v=v1',
      ';stream=watch',
      ';q=0.5',
    ],
    run(input) {
      const choice = negotiate(input.toString('latin1'))
      assert.ok(choice === undefined || ['json', 'yaml', 'protobuf'].includes(choice.format))
    },
    refuses: never,
  },
  {
    name: 'path',
    tokens: [
      '/',
      '//',
      '..',
      '%2f',
      '%2e',
      '%00',
      '%',
      '%zz',
      '%c3%28',
      '/namespaces/',
      '/watch/',
      '/api/v1',
      '/apis/apps/v1',
      '/status',
      '?',
      '&watch=1',
      '&fieldSelector=metadata.name=',
    ],
    run(input) {
      const [path = '', query = ''] = input.toString('latin1').split('?', 2)
      const info = parseRequestInfo('GET', path, new URLSearchParams(query))
      assert.equal(typeof info.verb, 'string')
    },
    refuses: error =>
      error instanceof URIError || badRequest(error) || (error instanceof StatusError && error.code === 404),
  },
  {
    name: 'continue-token',
    tokens: ['e30', '{"v":"meta.k8s.io/v1"', '"rv":', '"start":"', '\0', 'ns/', '-1', '1e400', '"}'],
    run(input) {
      for (const text of [input.toString('latin1'), input.toString('base64url')]) {
        try {
          const token = decodeContinue(text)
          assert.deepEqual(decodeContinue(encodeContinue(token)), token)
        } catch (error) {
          if (!badRequest(error)) throw error
        }
      }
    },
    refuses: badRequest,
  },
  {
    name: 'quantity',
    tokens: ['.', '-', '+', 'e', 'E', 'Ki', 'Mi', 'Ei', 'n', 'u', 'm', 'k', 'G', '0', '9'.repeat(20), '1e-9', '1e99'],
    run(input) {
      const text = input.toString()
      if (quantityProblem(text) !== undefined) return
      const canonical = canonicalQuantity(text)
      assert.equal(canonicalQuantity(canonical), canonical)
      assert.equal(compareQuantities(text, canonical), 0)
    },
    refuses: never,
  },
  {
    name: 'time',
    tokens: [
      'T',
      'Z',
      ':',
      '-',
      '.',
      '+00:00',
      '9999-12-31',
      '0000-01-01',
      '23:59:60',
      'h',
      'ms',
      'µs',
      '1.5',
      '99999999999',
    ],
    run(input) {
      const text = input.toString()
      const ms = parseTime(text)
      if (ms !== undefined) assert.equal(parseTime(rfc3339(ms)), Math.floor(ms / 1000) * 1000)
      const duration = parseDuration(text)
      if (Number.isFinite(duration) && Math.abs(duration) < 1e12) formatDuration(duration)
    },
    refuses: error => error instanceof Error && error.message.startsWith('time: '),
  },
  {
    name: 'spdy',
    tokens: [
      '\x80\x03\0\x01',
      '\x80\x03\0\x02',
      '\x80\x03\0\x03',
      '\x80\x03\0\x04',
      '\x80\x03\0\x06',
      '\x80\x03\0\x07',
      '\0\0\0\x01',
      '\x01\0\0\x08',
      '\0\xff\xff\xff',
    ],
    run: input =>
      conversation(input, socket =>
        spdyCommand(socketLink(socket, Buffer.alloc(0)), 'v4.channel.k8s.io', COMMAND, realClock),
      ),
    refuses: never,
  },
  {
    name: 'websocket',
    tokens: [
      '\x82\x81',
      '\x82\xfe',
      '\x82\xff',
      '\x88\x80',
      '\x89\x80',
      '\x8a\x80',
      '\0\0\0\0',
      '\x01\x80',
      '\xf2\x80',
      '\x80\x80',
    ],
    run: input =>
      conversation(input, async socket => {
        const connection = acceptWebSocket(socket, Buffer.alloc(0), 'key', '')
        for await (const { data } of connection.messages) await connection.send(false, data)
        connection.close()
      }),
    refuses: never,
  },
  {
    name: 'http2-headers',
    tokens: [
      '\x82',
      '\x40',
      '\x0f\xff\xff\x7f',
      '\x3f\xe1\x1f',
      '\x20',
      '\xbe',
      '\x7f\x80\x80',
      '\x85\xae\xc3',
      '\x10\x01a\x01b',
    ],
    run(input) {
      const list = new HeaderDecoder().decode(input, 1 << 14)
      if (list) assert.equal(list.length % 2, 0)
    },
    refuses: error => error instanceof ConnectionFault,
  },
  {
    name: 'http2',
    tokens: [
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      '\0\0\0\x04\0\0\0\0\0',
      '\0\0\x06\x04\0\0\0\0\0\0\x04\0\0\0\x01',
      '\0\0\x01\x01\x05\0\0\0\x03\x82',
      '\0\0\x04\x03\0\0\0\0\x01\0\0\0\x08',
      '\0\0\x04\x08\0\0\0\0\0\x7f\xff\xff\xff',
      '\0\0\x01\0\x01\0\0\0\x01x',
      '\0\0\x08\x06\0\0\0\0\0abcdefgh',
      '\0\0\x01\x09\x04\0\0\0\x01\x82',
    ],
    run: input =>
      conversation(input, async socket => {
        const { promise, resolve } = Promise.withResolvers<void>()
        // As a TCP socket does, when its other end has ended.
        socket.on('end', () => socket.end())
        createSession(socket as unknown as Socket, {
          clock: hasty,
          idleMs: 1000,
          onStream(stream) {
            stream.respond(200, {})
            stream
              .readable()
              .on('data', chunk => stream.write(chunk))
              .on('end', () => stream.end())
              .on('error', () => {})
          },
          onClose: resolve,
        })
        await promise
      }),
    refuses: never,
  },
]

/** What waits for a client that is silent waits a hundredth of it. */
const hasty: Clock = { ...realClock, after: (ms, fn) => realClock.after(ms / 100, fn) }

const COMMAND = { stdin: true, stdout: true, stderr: true, tty: false }

/** Bytes of a client that then ends: whatever they are, the server's side must end too, and nothing be left rejected. */
async function conversation(
  input: Buffer,
  serve: (socket: ReturnType<typeof duplexPair>[0]) => Promise<unknown>,
): Promise<void> {
  const [client, server] = duplexPair()
  const ended = new Promise<void>(resolve => server.once('finish', () => resolve()).once('close', () => resolve()))
  client.on('error', () => {})
  server.on('error', () => {})
  client.resume()
  const served = serve(server).catch(() => {})
  client.end(input)
  await ended
  await served
  client.destroy()
  server.destroy()
}
