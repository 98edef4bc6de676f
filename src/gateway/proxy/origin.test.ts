import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCidr } from '../../lib/ip-range.ts'
import { readInbound } from './inbound.ts'
import { originOf } from './origin.ts'

const PROXY = '10.0.0.1'
const find = originOf([parseCidr('10.0.0.0/8'), parseCidr('2001:db8::/64')])
/** As `chain | client | host | port | https`, of a request for shop.example by a client without TLS. */
const told = (client: string, ...fields: string[]) => {
  const { chain, secure, ...rest } = find(
    readInbound({
      ...{ method: 'GET', target: '/', hosts: ['shop.example'], body: 'none', length: 0, upgrade: false },
      ...{ secure: false, client, fields },
    }),
  )
  return [chain, rest.client, rest.host, rest.port, secure ? 'https' : 'http'].join(' | ')
}
const FOR = 'X-Forwarded-For'
const PROTO = 'X-Forwarded-Proto'

const cases: readonly [what: string, client: string, fields: readonly string[], said: string][] = [
  [
    'a client is not believed',
    '192.0.2.1',
    [FOR, '1.1.1.1', PROTO, 'https'],
    '192.0.2.1 | 192.0.2.1 | shop.example | 80 | http',
  ],
  ['a proxy that says nothing', PROXY, [], '10.0.0.1 | 10.0.0.1 | shop.example | 80 | http'],
  [
    'a proxy is believed',
    PROXY,
    [FOR, '1.1.1.1', PROTO, 'https'],
    '1.1.1.1, 10.0.0.1 | 1.1.1.1 | shop.example | 443 | https',
  ],
  [
    'what a client told the first proxy is not believed',
    PROXY,
    [FOR, '6.6.6.6, 1.1.1.1', 'x-forwarded-for', '10.2.0.1'],
    '6.6.6.6, 1.1.1.1, 10.2.0.1, 10.0.0.1 | 1.1.1.1 | shop.example | 80 | http',
  ],
  [
    'where all are trusted, the first of them',
    PROXY,
    [FOR, '10.9.0.1,10.8.0.1'],
    '10.9.0.1, 10.8.0.1, 10.0.0.1 | 10.9.0.1 | shop.example | 80 | http',
  ],
  [
    'addresses with ports',
    PROXY,
    [FOR, '[2001:db8:1::9]:99, 10.2.0.1:4711'],
    '[2001:db8:1::9]:99, 10.2.0.1:4711, 10.0.0.1 | 2001:db8:1::9 | shop.example | 80 | http',
  ],
  ['a proxy over IPv6', '2001:db8::1', [FOR, '1.1.1.1'], '1.1.1.1, 2001:db8::1 | 1.1.1.1 | shop.example | 80 | http'],
  [
    'who hides itself',
    PROXY,
    [FOR, '1.1.1.1, unknown'],
    '1.1.1.1, unknown, 10.0.0.1 | 10.0.0.1 | shop.example | 80 | http',
  ],
  ['no address', PROXY, [FOR, '1.1.1.0/24'], '1.1.1.0/24, 10.0.0.1 | 10.0.0.1 | shop.example | 80 | http'],
  [
    'host and port of its client',
    PROXY,
    ['X-Forwarded-Host', 'www.example:8443', PROTO, 'https,http'],
    '10.0.0.1 | 10.0.0.1 | www.example:8443 | 8443 | https',
  ],
  ['a port of its own', PROXY, ['X-Forwarded-Port', '8443'], '10.0.0.1 | 10.0.0.1 | shop.example | 8443 | http'],
  ['no port', PROXY, ['X-Forwarded-Port', 'x', PROTO, ''], '10.0.0.1 | 10.0.0.1 | shop.example | 80 | http'],
]
for (const [what, client, fields, said] of cases)
  test(`originOf: ${what}`, () => {
    assert.equal(told(client, ...fields), said)
  })
