import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkInterfaceAddress } from './interface-address.validate.ts'
import type { Errors } from './rules.ts'

const FORM = 'must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)'
const cases: [address: string, problem: string | undefined][] = [
  ['10.9.8.7/24', undefined],
  ['2001:db8::1/64', undefined],
  ['', FORM],
  ['10.9.8.7', FORM],
  ['10.9.8.7/33', FORM],
  ['10.9.8.7/24/1', FORM],
  ['010.9.8.7/24', 'must be in canonical form ("10.9.8.7/24")'],
  ['10.9.8.7/024', 'must be in canonical form ("10.9.8.7/24")'],
  ['2001:DB8::1/64', 'must be in canonical form ("2001:db8::1/64")'],
  ['::ffff:192.168.0.1/120', 'must be in canonical form ("192.168.0.1/24")'],
]
for (const [address, problem] of cases) {
  test(`checkInterfaceAddress says ${problem ?? 'nothing'} of ${JSON.stringify(address)}`, () => {
    const errors: Errors = []
    checkInterfaceAddress(address, 'ip', errors)
    assert.deepEqual(
      errors.map(({ message }) => message),
      problem ? [`Invalid value: ${JSON.stringify(address)}: ${problem}`] : [],
    )
  })
}
