import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secretWarnings } from './secret.warnings.ts'

const pem = (...labels: string[]) =>
  btoa(labels.map(label => `-----BEGIN ${label}-----\nAAEC\n-----END ${label}-----\n`).join(''))

const cases: readonly [certificate: string[], key: string[], ...said: string[]][] = [
  [['CERTIFICATE'], ['RSA PRIVATE KEY']],
  [
    ['X', 'CERTIFICATE'],
    ['EC PARAMETERS', 'PRIVATE KEY'],
  ],
  [[], [], 'tls: failed to find any PEM data in certificate input'],
  [
    ['PRIVATE KEY'],
    [],
    'tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched',
  ],
  [
    ['A', 'B'],
    [],
    'tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: [A B]',
  ],
  [['CERTIFICATE'], [], 'tls: failed to find any PEM data in key input'],
  [['CERTIFICATE'], ['CERTIFICATE'], 'tls: found a certificate rather than a key in the PEM for the private key'],
  [
    ['CERTIFICATE'],
    ['A'],
    'tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: [A]',
  ],
]

for (const [certificate, key, ...said] of cases) {
  test(`secretWarnings() of [${certificate}] and [${key}]`, () => {
    const data = { 'tls.crt': pem(...certificate), 'tls.key': pem(...key) }
    assert.deepEqual(secretWarnings({ type: 'kubernetes.io/tls', data }), said)
    assert.deepEqual(secretWarnings({ type: 'Opaque', data }), [])
  })
}
