/**
 * Making X.509 certificates (RFC 5280): a cluster's own authority, and what that signs. Keys are ECDSA P-256. Written
 * out by `der.ts`, as the general library costs a first start 200 ms and 13 MB; what strangers send is read by the
 * library (`certificate-request.ts`). Reading what a verified certificate says is `subject.ts`; verifying is TLS's and
 * node:crypto's.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto'
import { isIP } from 'node:net'
import {
  addressBytes,
  bits,
  childrenOf,
  element,
  namedBits,
  octets,
  oid,
  sequence,
  set,
  TRUE,
  time,
  unsigned,
  utf8,
} from './der.ts'
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

const ECDSA_WITH_SHA256 = sequence(oid('1.2.840.10045.4.3.2'))
const USAGES = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' }
/** Numbers of the bits of a key's usage. */
const [DIGITAL_SIGNATURE, KEY_ENCIPHERMENT, KEY_CERT_SIGN] = [0, 2, 5]

const attribute = (type: string, value: string) => set(sequence(oid(type), utf8(value)))

/** The distinguished name of a subject, organizations first, as Kubernetes' own tools write it. */
const nameOf = ({ commonName, organizations = [] }: Subject) =>
  sequence(...organizations.map(each => attribute('2.5.4.10', each)), attribute('2.5.4.3', commonName))

const extension = (id: string, value: Uint8Array, critical = false) =>
  sequence(oid(id), ...(critical ? [TRUE] : []), octets(value))

/** The SHA-1 of the bits of a public key, by which certificates name their authority's. */
function keyIdentifier(key: KeyObject): Buffer {
  const spki = key.export({ type: 'spki', format: 'der' })
  const [, [begin, end]] = childrenOf(spki) as [unknown, readonly [number, number]]
  // Two bytes of tag and length, one that counts the unused bits.
  return createHash('sha1')
    .update(spki.subarray(begin + 3, end))
    .digest()
}

/** The subject of a certificate as it is encoded there: what it signs must name it in the same bytes. */
function encodedSubject({ raw }: X509Certificate): Buffer {
  const [toBeSigned] = childrenOf(raw)
  // version, serial number, algorithm, issuer, validity, subject
  const [begin, end] = childrenOf(raw, toBeSigned![0])[5]!
  return raw.subarray(begin, end)
}

interface Contents {
  readonly issuer: Uint8Array
  readonly subject: Uint8Array
  readonly publicKey: KeyObject
  readonly notBefore: number
  readonly notAfter: number
  readonly extensions: readonly Uint8Array[]
}

/** A certificate in PEM, signed by `key`. */
function signed({ issuer, subject, publicKey, notBefore, notAfter, extensions }: Contents, key: KeyObject): string {
  const toBeSigned = sequence(
    element(0xa0, unsigned(Buffer.from([2]))),
    unsigned(randomBytes(16)),
    ECDSA_WITH_SHA256,
    issuer,
    sequence(time(notBefore), time(notAfter)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    element(0xa3, sequence(...extensions)),
  )
  const bytes = sequence(toBeSigned, ECDSA_WITH_SHA256, bits(sign('sha256', toBeSigned, key)))
  const lines = bytes.toString('base64').replace(/.{64}(?=.)/g, '$&\n')
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
}

const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const pemOf = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }) as string

/** Makes a self-signed authority named `commonName`, good for `lifetime` ms from `now`. */
export async function createAuthority(options: {
  commonName: string
  now: number
  lifetime: number
}): Promise<KeyPair> {
  const { publicKey, privateKey } = newKey()
  const name = nameOf(options)
  const contents: Contents = {
    issuer: name,
    subject: name,
    publicKey,
    notBefore: options.now - SKEW,
    notAfter: options.now + options.lifetime,
    extensions: [
      extension('2.5.29.15', namedBits([DIGITAL_SIGNATURE, KEY_ENCIPHERMENT, KEY_CERT_SIGN]), true),
      extension('2.5.29.19', sequence(TRUE), true),
      extension('2.5.29.14', octets(keyIdentifier(publicKey))),
    ],
  }
  return { certificate: signed(contents, privateKey), key: pemOf(privateKey) }
}

/** Makes a key and has `authority` sign a certificate for it. */
export async function issueCertificate(authority: KeyPair, request: CertificateRequest): Promise<KeyPair> {
  const { publicKey, privateKey } = newKey()
  const hosts = (request.hosts ?? []).map(host =>
    isIP(host) ? element(0x87, addressBytes(host)) : element(0x82, Buffer.from(host, 'ascii')),
  )
  const contents: Contents = {
    issuer: encodedSubject(new X509Certificate(authority.certificate)),
    subject: nameOf(request),
    publicKey,
    notBefore: request.now - SKEW,
    notAfter: request.now + request.lifetime,
    extensions: [
      extension('2.5.29.15', namedBits([DIGITAL_SIGNATURE, KEY_ENCIPHERMENT]), true),
      extension('2.5.29.37', sequence(oid(USAGES[request.usage]))),
      extension('2.5.29.19', sequence(), true),
      extension('2.5.29.35', sequence(element(0x80, keyIdentifier(createPublicKey(authority.key))))),
      ...(hosts.length ? [extension('2.5.29.17', sequence(...hosts))] : []),
    ],
  }
  return { certificate: signed(contents, createPrivateKey(authority.key)), key: pemOf(privateKey) }
}
