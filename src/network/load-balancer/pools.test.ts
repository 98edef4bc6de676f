import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Service } from '../../api/generated/types/core-v1.ts'
import type { Catalog } from '../catalog.ts'
import { poolAddresses } from './pool-addresses.ts'
import { freeAddress, isInPools, parsePool } from './pools.ts'

const OFFICE = parsePool('office', ['192.0.2.10-192.0.2.11', '2001:db8::/127'])
const LAB = parsePool('lab', ['198.51.100.7'])

test('freeAddress gives the first that is free, of the family and the pool that are asked for', () => {
  const taken = new Set(['192.0.2.10', '192.0.2.11'])
  const free = (wish: object, family: 'IPv4' | 'IPv6' = 'IPv4', none = taken) =>
    freeAddress([OFFICE, LAB], { family, ...wish }, address => none.has(address))
  assert.equal(free({}, 'IPv4', new Set()), '192.0.2.10')
  assert.equal(free({}), '198.51.100.7')
  assert.equal(free({ pool: 'office' }), undefined)
  assert.equal(free({ pool: 'office' }, 'IPv6'), '2001:db8::')
  assert.equal(free({ pool: 'nosuch' }), undefined)
  assert.equal(free({ address: '198.51.100.7' }), '198.51.100.7')
  assert.equal(free({ address: '192.0.2.11' }), undefined)
  assert.equal(free({ address: '203.0.113.1' }), undefined)
  assert.ok(isInPools([OFFICE], { family: 'IPv4' }, '192.0.2.11'))
  assert.ok(!isInPools([OFFICE], { family: 'IPv4', pool: 'lab' }, '192.0.2.11'))
})

test('parsePool refuses what is no range', () => {
  for (const text of ['10.0.0.9-10.0.0.1', '10.0.0.1-fd00::1', 'x', '10.0.0.0/40', '10.0.0.1-'])
    assert.throws(() => parsePool('p', [text]), /no address, no range|expected a range/, text)
  assert.throws(() => parsePool('p', []), /the pool "p" has no addresses/)
})

const service = (name: string, spec: object = {}, ips: readonly string[] = [], annotations = {}): Service => ({
  metadata: { name, namespace: 'a', annotations },
  spec: { type: 'LoadBalancer', ipFamilies: ['IPv4'], ...spec },
  status: { loadBalancer: { ingress: ips.map(ip => ({ ip })) } },
})
const catalogOf = (...services: Service[]) => ({ services: () => services }) as unknown as Catalog

test('poolAddresses leaves services what they have, and gives others what is left', () => {
  const first = service('first', {}, ['192.0.2.11'])
  const pool = poolAddresses([OFFICE], catalogOf(first))
  assert.deepEqual(pool.assign(service('second')).ips, ['192.0.2.10'])
  assert.deepEqual(pool.assign(first), { ips: ['192.0.2.11'], missing: [], freed: false })
  assert.deepEqual(pool.assign(service('third')).missing, ['no address of IPv4 is free in the pools'])
  assert.ok(pool.release('a/first') && !pool.release('a/first'))
  assert.deepEqual(pool.assign(service('third')).ips, ['192.0.2.11'])
})

test('poolAddresses obeys wishes, and says why one cannot be had', () => {
  const pool = poolAddresses([OFFICE, LAB], catalogOf())
  const both = pool.assign(service('both', { ipFamilies: ['IPv6', 'IPv4'], loadBalancerIP: '192.0.2.11' }))
  assert.deepEqual(both, { ips: ['2001:db8::', '192.0.2.11'], missing: [], freed: false })
  assert.deepEqual(pool.assign(service('late', { loadBalancerIP: '192.0.2.11' })).missing, [
    'the address 192.0.2.11 is that of the service a/both',
  ])
  assert.deepEqual(pool.assign(service('far', { loadBalancerIP: '203.0.113.1' })).missing, [
    'the address 203.0.113.1 is in no pool',
  ])
  const lab = { 'tutti.dev/address-pool': 'lab' }
  assert.deepEqual(pool.assign(service('lab', {}, [], lab)).ips, ['198.51.100.7'])
  assert.deepEqual(pool.assign(service('more', {}, [], lab)).missing, ['no address of IPv4 is free in the pool "lab"'])
  assert.deepEqual(pool.assign(service('none', {}, [], { 'tutti.dev/address-pool': 'x' })).missing, [
    'there is no pool "x"',
  ])
  // Another wish: what it had is free again.
  const other = pool.assign(service('both', { loadBalancerIP: '192.0.2.10' }, ['192.0.2.11']))
  assert.deepEqual(other, { ips: ['192.0.2.10'], missing: [], freed: true })
  assert.deepEqual(pool.assign(service('late', { loadBalancerIP: '192.0.2.11' })).ips, ['192.0.2.11'])
})
