import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatMappings, hasId, holds, isMapped, isOneUser, parseMappings } from './user-namespace.ts'

const map = (text: string) => parseMappings(text.replaceAll(',', '\n'))

describe('parseMappings', () => {
  it('reads what the kernel writes and formatMappings what it takes', () => {
    const text = '         0       1000          1\n         1     100000      65536\n'
    const mappings = parseMappings(text)
    assert.deepEqual(mappings, [
      { containerId: 0, hostId: 1000, length: 1 },
      { containerId: 1, hostId: 100_000, length: 65_536 },
    ])
    assert.equal(formatMappings(mappings), '0 1000 1\n1 100000 65536\n')
  })
})

describe('holds', () => {
  for (const [now, before, expected] of [
    ['0 1000 1,1 100000 65536', '0 1000 1,1 100000 65536', true],
    ['0 1000 1,1 100000 131072', '0 1000 1,1 100000 65536', true],
    ['0 1000 1,1 100000 65536,65537 300000 10', '0 1000 1,1 100000 65536', true],
    ['0 1000 1,1 100000 65535', '0 1000 1,1 100000 65536', false],
    ['0 1000 1,1 165536 65536', '0 1000 1,1 100000 65536', false],
    ['0 1000 1', '0 1000 1,1 100000 65536', false],
    ['0 1001 1,1 100000 65536', '0 1000 1,1 100000 65536', false],
  ] as const) {
    it(`says ${expected} for ${before} in ${now}`, () => assert.equal(holds(map(now), map(before)), expected))
  }
})

it('isMapped, isOneUser and hasId tell the machine from a namespace, with one user or with many', () => {
  const of = (text: string) => ({ uids: map(text), gids: [] })
  const machine = of('0 0 4294967295')
  const alone = of('0 1000 1')
  const many = of('0 1000 1,1 100000 65536')
  assert.deepEqual([machine, alone, many].map(isMapped), [false, true, true])
  assert.deepEqual([machine, alone, many].map(isOneUser), [false, true, false])
  assert.deepEqual(
    [0, 1, 65_536, 65_537].map(id => hasId(many.uids, id)),
    [true, true, true, false],
  )
})
