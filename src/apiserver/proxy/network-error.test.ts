import assert from 'node:assert/strict'
import { test } from 'node:test'
import { networkErrorText } from './network-error.ts'

for (const [what, error, text] of [
  [
    'a refused connection',
    Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', address: '::1', port: 443 }),
    'dial tcp [::1]:443: connect: connection refused',
  ],
  ['a connection that ends', Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }), 'EOF'],
  [
    'a status, whose code is a number',
    Object.assign(new Error('service "hook" not found'), { code: 404 }),
    'service "hook" not found',
  ],
] as const)
  test(`networkErrorText: ${what}`, () => assert.equal(networkErrorText(error), text))
