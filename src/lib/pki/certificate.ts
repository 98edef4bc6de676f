/**
 * Making X.509 certificates (RFC 5280): a cluster's own authority, and what that signs. Keys are ECDSA P-256. This file
 * is loaded only when something must be made: the library takes 200 ms to load. Reading what a verified
 * certificate says is `subject.ts`; verifying is TLS's and node:crypto's.
 */
// The library's dependency injection wants this polyfill, before it.
import 'reflect-metadata'

import { createPrivateKey, createPublicKey, generateKeyPairSync, webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import * as x509 from '@peculiar/x509'
import type { Subject } from './subject.ts'

/** A certificate and its key, both in PEM (the key as PKCS #8). */
export interface KeyPair {
  readonly certificate: string
  readonly key: string
}

export interface CertificateRequest extends Subject {
  readonly usage: 'server' | 'client'
  /** Names and addresses that a server answers to. */
  readonly hosts?: readonly string[]
  /** Now, in ms since the epoch. */
  readonly now: number
  /** How long it is good for, in ms. */
  readonly lifetime: number
}

/** Clocks of clients may be behind by this much. */
const SKEW = 5 * 60_000

/** Of all keys that are made here. */
export const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

x509.cryptoProvider.set(webcrypto as unknown as Crypto)

/** A private key with its public part. */
export interface SigningKey {
  readonly pem: string
  readonly keys: webcrypto.CryptoKeyPair
}

/** Brings a PEM key (ECDSA P-256) into WebCrypto, which the library signs with. */
export async function importKey(pem: string): Promise<SigningKey> {
  const pkcs8 = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' })
  const spki = createPublicKey(pem).export({ type: 'spki', format: 'der' })
  const [privateKey, publicKey] = await Promise.all([
    webcrypto.subtle.importKey('pkcs8', pkcs8, ALGORITHM, true, ['sign']),
    webcrypto.subtle.importKey('spki', spki, ALGORITHM, true, ['verify']),
  ])
  return { pem, keys: { privateKey, publicKey } }
}

export const newKey = () =>
  importKey(
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  )

/** The distinguished name of a subject, organizations first, as Kubernetes' own tools write it. */
export const nameOf = ({ commonName, organizations = [] }: Subject) => [
  ...organizations.map(organization => ({ O: [organization] })),
  { CN: [commonName] },
]

/** The names and addresses that a server answers to, as the library takes them. */
export const alternativeNames = (hosts: readonly string[]) =>
  hosts.map(value => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value }))

const USAGES = { server: x509.ExtendedKeyUsage.serverAuth, client: x509.ExtendedKeyUsage.clientAuth }

/** Makes a self-signed authority named `commonName`, good for `lifetime` ms from `now`. */
export async function createAuthority(options: {
  commonName: string
  now: number
  lifetime: number
}): Promise<KeyPair> {
  const { pem, keys } = await newKey()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: nameOf(options),
    keys,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(options.now - SKEW),
    notAfter: new Date(options.now + options.lifetime),
    extensions: [
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment | x509.KeyUsageFlags.keyCertSign,
        true,
      ),
      new x509.BasicConstraintsExtension(true, undefined, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate: `${certificate.toString('pem')}\n`, key: pem }
}

/** Makes a key and has `authority` sign a certificate for it. */
export async function issueCertificate(authority: KeyPair, request: CertificateRequest): Promise<KeyPair> {
  const [issuer, { pem, keys }] = await Promise.all([importKey(authority.key), newKey()])
  const names = alternativeNames(request.hosts ?? [])
  const certificate = await x509.X509CertificateGenerator.create({
    subject: nameOf(request),
    issuer: new x509.X509Certificate(authority.certificate).subjectName,
    publicKey: keys.publicKey,
    signingKey: issuer.keys.privateKey,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(request.now - SKEW),
    notAfter: new Date(request.now + request.lifetime),
    extensions: [
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
      new x509.ExtendedKeyUsageExtension([USAGES[request.usage]]),
      new x509.BasicConstraintsExtension(false, undefined, true),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.keys.publicKey),
      ...(names.length ? [new x509.SubjectAlternativeNameExtension(names)] : []),
    ],
  })
  return { certificate: `${certificate.toString('pem')}\n`, key: pem }
}
