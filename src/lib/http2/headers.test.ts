import assert from 'node:assert/strict'
import test from 'node:test'
import { HeaderDecoder } from './decode-headers.ts'
import { HeaderEncoder } from './encode-headers.ts'
import { ConnectionFault } from './fault.ts'
import { DynamicTable, sizeOf } from './header-table.ts'
import { decodeHuffman } from './huffman.ts'
import { requestHeaders } from './request-headers.ts'

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex')
const LIMIT = 65_535

// RFC 7541, appendix C.3 and C.4: the same three requests, plain and packed.
const requests = [
  ['8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d', '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff'],
  ['8286 84be 5808 6e6f 2d63 6163 6865', '8286 84be 5886 a8eb 1064 9cbf'],
  [
    '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
    '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
  ],
] as const
const wanted = [
  [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'www.example.com'],
  [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'www.example.com', 'cache-control', 'no-cache'],
  [
    ...[':method', 'GET', ':scheme', 'https', ':path', '/index.html', ':authority', 'www.example.com'],
    ...['custom-key', 'custom-value'],
  ],
]

test("HeaderDecoder reads the standard's requests, plain and packed", () => {
  for (const form of [0, 1] as const) {
    const decoder = new HeaderDecoder()
    requests.forEach((request, at) => {
      assert.deepEqual(decoder.decode(bytes(request[form]), LIMIT), wanted[at])
    })
  }
})

const broken: [string, string][] = [
  ['an entry that is not there', 'be'],
  ['entry 0', '80'],
  ['a string beyond the end', '400a 6375'],
  ['a number without end', 'ff ff ff ff ff ff ff'],
  ['a table larger than was allowed', '3f e2 1f'],
  ['another table size behind a header', '82 20'],
  ['a packed string with the end in it', '40 84 ffff ffff 00'],
  ['a packed string with too much padding', '40 82 1fff 00'],
]
for (const [what, block] of broken) {
  test(`HeaderDecoder refuses ${what}`, () => {
    assert.throws(() => new HeaderDecoder().decode(bytes(block), LIMIT), ConnectionFault)
  })
}

test('HeaderDecoder says where there is too much, and stays in step', () => {
  const decoder = new HeaderDecoder()
  assert.equal(decoder.decode(bytes(requests[0][0]), 100), undefined)
  assert.deepEqual(decoder.decode(bytes(requests[1][0]), LIMIT), wanted[1])
})

// RFC 7541, appendix C.6.
const packed: [string, string][] = [
  ['Mon, 21 Oct 2013 20:13:21 GMT', 'd07a be94 1054 d444 a820 0595 040b 8166 e082 a62d 1bff'],
  ['https://www.example.com', '9d29 ad17 1863 c78f 0b97 c8e9 ae82 ae43 d3'],
  [
    'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
    '94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
  ],
  ['', ''],
]
for (const [text, hex] of packed) {
  test(`decodeHuffman reads ${JSON.stringify(text)}`, () => {
    assert.equal(decodeHuffman(bytes(hex), 0, bytes(hex).length), text)
  })
}

test('HeaderEncoder writes what HeaderDecoder reads, and says nothing in full twice', () => {
  const encoder = new HeaderEncoder()
  const decoder = new HeaderDecoder()
  const headers = { 'content-type': 'application/json', 'x-own': 'a', 'content-length': '12', 'set-cookie': ['a', 'b'] }
  const flat = ['content-type', 'application/json', 'x-own', 'a', 'content-length', '12', 'set-cookie', 'a']
  const first = Buffer.from(encoder.encode(201, headers))
  const second = Buffer.from(encoder.encode(201, headers))
  for (const block of [first, second]) {
    assert.deepEqual(decoder.decode(block, LIMIT), [':status', '201', ...flat, 'set-cookie', 'b'])
  }
  assert.ok(second.length < first.length / 2, `${second.length} of ${first.length} bytes`)
  assert.deepEqual(decoder.decode(encoder.encode(200, { 'x-own': 'b' }), LIMIT), [':status', '200', 'x-own', 'b'])
  assert.deepEqual(decoder.decode(encoder.encode(404, { 'x-own': 'a' }), LIMIT), [':status', '404', 'x-own', 'a'])
})

test('HeaderEncoder and HeaderDecoder forget the same, however much is said', () => {
  const encoder = new HeaderEncoder()
  const decoder = new HeaderDecoder()
  for (let at = 0; at < 2000; at++) {
    const headers = { [`x-${at % 90}`]: 'v'.repeat(at % 300), 'content-type': 'application/json' }
    const list = decoder.decode(encoder.encode(200, headers), LIMIT)
    assert.deepEqual(list, [':status', '200', ...Object.entries(headers).flat()])
    if (at === 500) encoder.limit(100)
    if (at === 700) encoder.limit(0)
    if (at === 900) encoder.limit(1 << 20)
  }
})

test('DynamicTable tells of each field that goes, the oldest first', () => {
  const gone: [string, number][] = []
  const table = new DynamicTable(3 * sizeOf('a', '1'), ({ name }, number) => gone.push([name, number]))
  for (const name of ['a', 'b', 'c', 'd']) table.add({ name, value: '1' })
  assert.deepEqual(gone, [['a', 0]])
  table.resize(sizeOf('d', '1'))
  assert.deepEqual(gone.slice(1), [
    ['b', 1],
    ['c', 2],
  ])
  table.add({ name: 'x', value: 'too large for the table' })
  assert.deepEqual(gone.slice(3), [
    ['d', 3],
    ['x', 4],
  ])
})

const start = [':method', 'GET', ':scheme', 'https', ':path', '/a']
const lists: [string, string[], Record<string, unknown> | undefined][] = [
  ['takes what is right', [...start, 'accept', 'x', 'accept', 'y'], { ':path': '/a', accept: 'x, y' }],
  ['joins cookies', [...start, 'cookie', 'a=1', 'cookie', 'b=2'], { cookie: 'a=1; b=2' }],
  ['keeps the first of what may stand once', [...start, 'user-agent', 'a', 'user-agent', 'b'], { 'user-agent': 'a' }],
  ['leaves prototypes alone', [...start, '__proto__', 'x'], { ':path': '/a' }],
  ['refuses capitals', [...start, 'Accept', 'x'], undefined],
  ['refuses blanks in names', [...start, 'a b', 'x'], undefined],
  ['refuses headers of the connection', [...start, 'connection', 'close'], undefined],
  ['refuses te', [...start, 'te', 'gzip'], undefined],
  ['refuses line ends in values', [...start, 'a', 'b\r\nc: d'], undefined],
  ['refuses pseudo headers behind others', [...start.slice(2), 'a', 'b', ':method', 'GET'], undefined],
  ['refuses a pseudo header twice', [...start, ':path', '/b'], undefined],
  ['refuses unknown pseudo headers', [...start, ':status', '200'], undefined],
  ['refuses a request without a path', start.slice(0, 4), undefined],
  ['refuses a path that begins elsewhere', [':method', 'GET', ':scheme', 'https', ':path', 'a'], undefined],
  ['refuses two lengths', [...start, 'content-length', '1', 'content-length', '2'], undefined],
]
for (const [what, list, found] of lists) {
  test(`requestHeaders ${what}`, () => {
    const headers = requestHeaders(list)
    if (found === undefined) assert.equal(headers, undefined)
    else for (const [name, value] of Object.entries(found)) assert.equal(headers?.[name], value)
    assert.equal(Object.getPrototypeOf(headers ?? {}), Object.prototype)
  })
}
