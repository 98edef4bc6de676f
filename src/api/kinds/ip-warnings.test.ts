import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressWarnings, cidrWarnings } from './ip-warnings.ts'

const addresses: Readonly<Record<string, readonly string[]>> = {
  '10.0.0.1': [],
  '2001:db8::1': [],
  nothing: [],
  '010.0.0.1': ['x: non-standard IP address "010.0.0.1" is invalid: use "10.0.0.1"'],
  '10.0.000.1': ['x: non-standard IP address "10.0.000.1" is invalid: use "10.0.0.1"'],
  '::ffff:1.2.3.4': ['x: non-standard IP address "::ffff:1.2.3.4" is invalid: use "1.2.3.4"'],
  '2001:DB8::1': ['x: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")'],
  '2001:db8:0::1': ['x: IPv6 address "2001:db8:0::1" should be in RFC 5952 canonical format ("2001:db8::1")'],
}

for (const [text, expected] of Object.entries(addresses)) {
  test(`addressWarnings() of ${text}`, () => assert.deepEqual(addressWarnings(text, 'x'), expected))
}

const blocks: Readonly<Record<string, readonly string[]>> = {
  '10.0.0.0/8': [],
  '2001:db8::/64': [],
  '10.0.0.0': [],
  '10.0.0.1/8': ['x: CIDR value "10.0.0.1/8" is ambiguous in this context (should be "10.0.0.0/8" or "10.0.0.1/32"?)'],
  '010.0.0.0/8': ['x: non-standard CIDR value "010.0.0.0/8" is invalid: use "10.0.0.0/8"'],
  '10.0.0.0/08': ['x: non-standard CIDR value "10.0.0.0/08" is invalid: use "10.0.0.0/8"'],
  '2001:DB8::/64': ['x: IPv6 CIDR value "2001:DB8::/64" should be in RFC 5952 canonical format ("2001:db8::/64")'],
}

for (const [text, expected] of Object.entries(blocks)) {
  test(`cidrWarnings() of ${text}`, () => assert.deepEqual(cidrWarnings(text, 'x'), expected))
}
