import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressBytes, childrenOf, element, namedBits, octets, oid, sequence, time, unsigned, utf8 } from './der.ts'

const hex = (bytes: Buffer) => bytes.toString('hex')

for (const [what, bytes, expected] of [
  ['oid of small numbers', oid('2.5.29.15'), '0603551d0f'],
  ['oid of large numbers', oid('1.2.840.10045.4.3.2'), '06082a8648ce3d040302'],
  ['unsigned of zero', unsigned(Buffer.from([0, 0])), '020100'],
  ['unsigned with leading zeros', unsigned(Buffer.from([0, 0, 5])), '020105'],
  ['unsigned with the sign bit set', unsigned(Buffer.from([0x80])), '02020080'],
  ['namedBits of one octet', namedBits([0, 2]), '030205a0'],
  ['namedBits of two octets', namedBits([0, 8]), '0303078080'],
  ['utf8', utf8('é'), '0c02c3a9'],
  ['time before 2050', time(Date.UTC(2026, 10, 26, 5, 4, 3, 999)), hex(element(0x17, Buffer.from('261126050403Z')))],
  ['time from 2050 on', time(Date.UTC(2050, 0)), hex(element(0x18, Buffer.from('20500101000000Z')))],
  ['a long element', octets(Buffer.alloc(300)), `0482012c${'00'.repeat(300)}`],
  ['an element of 128 bytes', octets(Buffer.alloc(128)), `048180${'00'.repeat(128)}`],
] as const)
  test(`der writes ${what}`, () => assert.equal(hex(bytes), expected))

for (const [address, expected] of [
  ['10.1.2.3', '0a010203'],
  ['::1', `${'0'.repeat(31)}1`],
  ['::', '0'.repeat(32)],
  ['fd00::a:1', 'fd0000000000000000000000000a0001'],
  ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
  ['fe80::', `fe80${'0'.repeat(28)}`],
  ['::ffff:10.1.2.3', '00000000000000000000ffff0a010203'],
] as const)
  test(`addressBytes reads ${address}`, () => assert.equal(hex(addressBytes(address)), expected))

test('childrenOf finds the elements inside, long ones too, and refuses a length that lies', () => {
  const bytes = sequence(utf8('a'), octets(Buffer.alloc(200)), sequence(utf8('b')))
  const found = childrenOf(bytes)
  assert.deepEqual(
    found.map(([begin, end]) => [bytes[begin], end - begin]),
    [
      [0x0c, 3],
      [0x04, 203],
      [0x30, 5],
    ],
  )
  assert.throws(() => childrenOf(Buffer.from('300a0c0161', 'hex')), /longer than what holds it/)
})
