import 'reflect-metadata'

import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import * as x509 from '@peculiar/x509'
import { createAuthority, issueCertificate } from './certificate.ts'

const DAY = 24 * 3600_000
const NOW = Date.UTC(2026, 10, 26, 12)
const authority = () => createAuthority({ commonName: 'an authority', now: NOW, lifetime: 3650 * DAY })

test('createAuthority makes what the general library reads as an authority that signed itself', async () => {
  const { certificate, key } = await authority()
  const read = new x509.X509Certificate(certificate)
  assert.equal(read.subject, 'CN=an authority')
  assert.equal(read.issuer, 'CN=an authority')
  assert.equal(read.getExtension(x509.BasicConstraintsExtension)?.ca, true)
  const { digitalSignature, keyEncipherment, keyCertSign } = x509.KeyUsageFlags
  assert.equal(read.getExtension(x509.KeyUsagesExtension)?.usages, digitalSignature | keyEncipherment | keyCertSign)
  assert.equal(read.notBefore.getTime(), NOW - 5 * 60_000)
  assert.equal(read.notAfter.getTime(), NOW + 3650 * DAY)
  assert.ok(await read.isSelfSigned())
  assert.ok(new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key)))
})

test('issueCertificate makes what the general library reads with the names, usages and key of the authority', async () => {
  const signer = await authority()
  const { certificate, key } = await issueCertificate(signer, {
    usage: 'server',
    commonName: 'shop',
    organizations: ['system:nodes', 'Größe'],
    hosts: ['shop.example', '10.1.2.3', 'fd00::a:1'],
    now: NOW,
    lifetime: 365 * DAY,
  })
  const read = new x509.X509Certificate(certificate)
  assert.equal(read.subject, 'O=system:nodes, O=Größe, CN=shop')
  assert.deepEqual(
    read.getExtension(x509.SubjectAlternativeNameExtension)?.names.items.map(({ type, value }) => [type, value]),
    [
      ['dns', 'shop.example'],
      ['ip', '10.1.2.3'],
      ['ip', 'fd00::a:1'],
    ],
  )
  assert.deepEqual([...read.getExtension(x509.ExtendedKeyUsageExtension)!.usages], [x509.ExtendedKeyUsage.serverAuth])
  assert.equal(read.getExtension(x509.BasicConstraintsExtension)?.ca, false)
  const own = new x509.X509Certificate(signer.certificate).getExtension(x509.SubjectKeyIdentifierExtension)
  assert.equal(read.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId, own?.keyId)
  const checked = new X509Certificate(certificate)
  assert.ok(checked.checkIssued(new X509Certificate(signer.certificate)))
  assert.ok(checked.verify(new X509Certificate(signer.certificate).publicKey))
  assert.ok(checked.checkPrivateKey(createPrivateKey(key)))
})

test('issueCertificate names an authority of other hands in the very bytes of its subject', async () => {
  const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    // A country is a printable string, and two values stand in one set.
    name: [{ C: ['DE'], O: ['House'] }, { CN: ['root'] }],
    keys,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
  })
  const key = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  const signer = {
    certificate: made.toString('pem'),
    key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`,
  }
  const issued = await issueCertificate(signer, { usage: 'client', commonName: 'a', now: Date.now(), lifetime: DAY })
  assert.ok(new X509Certificate(issued.certificate).checkIssued(new X509Certificate(signer.certificate)))
})
