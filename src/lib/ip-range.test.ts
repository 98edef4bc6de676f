import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  addressAt,
  familyOf,
  formatAddress,
  formatCidr,
  inCidr,
  isWithin,
  offsetIn,
  parseAddress,
  parseCidr,
  parseCidrs,
  partOf,
} from './ip-range.ts'

test('parseAddress and formatAddress are each other’s reverse, and what is no address of the family is undefined', () => {
  for (const text of ['0.0.0.0', '10.244.0.1', '255.255.255.255', '192.168.1.200'])
    assert.equal(formatAddress('IPv4', parseAddress('IPv4', text)!), text)
  for (const text of ['::', '::1', 'fd00:10:244::a', '2001:db8:1:2:3:4:5:6'])
    assert.equal(formatAddress('IPv6', parseAddress('IPv6', text)!), text)
  for (const text of ['', '1.2.3', '1.2.3.256', '01.2.3.4', '1.2.3.4.5', 'fd00::1', 'a.b.c.d'])
    assert.equal(parseAddress('IPv4', text), undefined)
  assert.equal(parseAddress('IPv6', '10.0.0.1'), undefined)
})

test('familyOf tells addresses and ranges apart, and what is neither', () => {
  const all = ['10.0.0.1', '10.0.0.0/8', 'fd00::1', 'fd00::/8', '', 'None', '10.0.0'].map(familyOf)
  assert.deepEqual(all, ['IPv4', 'IPv4', 'IPv6', 'IPv6', undefined, undefined, undefined])
})

test('parseCidr begins at the first address of the range', () => {
  const range = parseCidr('10.244.0.77/24')
  assert.equal(addressAt(range, 0), '10.244.0.0')
  assert.equal(addressAt(range, 255), '10.244.0.255')
  assert.throws(() => addressAt(range, 256), /10.244.0.0\/24: the range has 256/)
  assert.ok(inCidr(range, '10.244.0.255') && !inCidr(range, '10.244.1.0') && !inCidr(range, 'x'))
  assert.ok(inCidr(parseCidr('0.0.0.0/0'), '255.1.2.3'))
  const long = parseCidr('fd00:10:96::7/112')
  assert.equal(addressAt(long, 10), 'fd00:10:96::a')
  assert.ok(inCidr(long, 'fd00:10:96::ffff') && !inCidr(long, 'fd00:10:96::1:0') && !inCidr(long, '10.0.0.1'))
  assert.ok(inCidr(parseCidr('::/0'), 'ffff::'))
  for (const text of ['10.0.0.0', '10.0.0/8', '10.0.0.0/33', 'x/8', 'fd00::/129', 'fd00::'])
    assert.throws(() => parseCidr(text), /expected a range such as/)
})

test('offsetIn, partOf and isWithin count in ranges of both families', () => {
  assert.deepEqual(
    ['10.244.0.0', '10.244.1.7', '10.245.0.0', 'fd00::'].map(text => offsetIn(parseCidr('10.244.0.0/16'), text)),
    [0, 263, undefined, undefined],
  )
  assert.equal(formatCidr(partOf(parseCidr('10.244.0.0/16'), 24, 3)), '10.244.3.0/24')
  assert.equal(formatCidr(partOf(parseCidr('fd00:10:244::/56'), 64, 255)), 'fd00:10:244:ff::/64')
  const cases: readonly [inner: string, outer: string, is: boolean][] = [
    ['10.1.0.0/24', '10.1.0.0/16', true],
    ['10.1.0.0/16', '10.1.0.0/16', true],
    ['10.1.0.0/15', '10.1.0.0/16', false],
    ['10.2.0.0/24', '10.1.0.0/16', false],
    ['fd00::/64', 'fd00::/56', true],
    ['fd00::/64', '10.1.0.0/16', false],
  ]
  for (const [inner, outer, is] of cases) assert.equal(isWithin(parseCidr(inner), parseCidr(outer)), is, inner)
})

test('parseCidrs takes one range, or one of each family in the order that was said', () => {
  const families = (text: string) => parseCidrs(text).map(each => each.family)
  assert.deepEqual(families('10.96.0.0/16'), ['IPv4'])
  assert.deepEqual(families('fd00::/112, 10.96.0.0/16'), ['IPv6', 'IPv4'])
  for (const text of ['10.96.0.0/16,10.97.0.0/16', '10.96.0.0/16,fd00::/112,fd01::/112'])
    assert.throws(() => parseCidrs(text), /one range, or two of different families/)
  assert.throws(() => parseCidrs('10.96.0.0/16,'), /address range ""/)
})
