import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressAt, formatIpv4, inCidr, parseCidr, parseIpv4 } from './ipv4.ts'

test('parseIpv4 and formatIpv4 are each other’s reverse, and what is no address is undefined', () => {
  for (const text of ['0.0.0.0', '10.244.0.1', '255.255.255.255', '192.168.1.200'])
    assert.equal(formatIpv4(parseIpv4(text)!), text)
  for (const text of ['', '1.2.3', '1.2.3.256', '01.2.3.4', '1.2.3.4.5', 'fd00::1', 'a.b.c.d'])
    assert.equal(parseIpv4(text), undefined)
})

test('parseCidr begins at the first address of the range', () => {
  const range = parseCidr('10.244.0.77/24')
  assert.equal(addressAt(range, 0), '10.244.0.0')
  assert.equal(addressAt(range, 255), '10.244.0.255')
  assert.throws(() => addressAt(range, 256), /the range has 256/)
  assert.ok(inCidr(range, '10.244.0.255') && !inCidr(range, '10.244.1.0') && !inCidr(range, 'x'))
  assert.ok(inCidr(parseCidr('0.0.0.0/0'), '255.1.2.3'))
  for (const text of ['10.0.0.0', '10.0.0/8', '10.0.0.0/33', 'x/8'])
    assert.throws(() => parseCidr(text), /expected an IPv4 range/)
})
