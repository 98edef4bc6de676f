/**
 * X.509 certificates of a cluster (RFC 5280): its own authority, and what that signs. Keys are ECDSA P-256. What a
 * verified certificate says is read here too; verifying is TLS's and node:crypto's.
 *
 * Why no library: the ones at hand bring a dependency-injection container and a global polyfill for what is five
 * fixed profiles, and take longer to load than the whole of this takes to run.
 */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { isIP } from 'node:net'
import * as asn from './der.ts'
import { ipBytes } from './ip-bytes.ts'

/** A certificate and its key, both in PEM (the key as PKCS #8). */
export interface KeyPair {
  readonly certificate: string
  readonly key: string
}

/** Who a certificate is for, as Kubernetes reads it: CN is the user, each O a group. */
export interface Subject {
  readonly commonName: string
  readonly organizations?: readonly string[]
}

export interface CertificateRequest extends Subject {
  readonly usage: 'server' | 'client'
  /** Names and addresses that a server answers to. */
  readonly hosts?: readonly string[]
  /** Now, in ms since the epoch. */
  readonly now: number
  /** How long it is good for, in ms. */
  readonly lifetime: number
  /** SubjectPublicKeyInfo in DER; a new key is made when absent. */
  readonly publicKey?: Buffer
}

/** Clocks of clients may be behind by this much. */
const SKEW = 5 * 60_000

const OID = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  server: '1.3.6.1.5.5.7.3.1',
  client: '1.3.6.1.5.5.7.3.2',
} as const

const COMMON_NAME = asn.oid(OID.commonName)
const ORGANIZATION = asn.oid(OID.organization)

const newKey = () =>
  generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })

const pem = (label: string, bytes: Buffer) =>
  `-----BEGIN ${label}-----\n${bytes.toString('base64').replace(/.{1,64}/g, '$&\n')}-----END ${label}-----\n`

const pemBytes = (text: string) => {
  const body = /-----BEGIN [A-Z ]+-----([\s\S]*?)-----END/.exec(text)?.[1]
  if (body === undefined) throw new Error('PEM block expected, found none')
  return Buffer.from(body, 'base64')
}

const name = (subject: Subject) =>
  asn.sequence(
    ...(subject.organizations ?? []).map(each => asn.set(asn.sequence(ORGANIZATION, asn.utf8(each)))),
    asn.set(asn.sequence(COMMON_NAME, asn.utf8(subject.commonName))),
  )

const extension = (id: string, critical: boolean, value: Buffer) =>
  asn.sequence(asn.oid(id), ...(critical ? [asn.boolean(true)] : []), asn.octetString(value))

/** The key identifier of RFC 5280, 4.2.1.2: SHA-1 of the public key's bits. */
const keyId = (spki: Buffer) => {
  const bits = asn.children(asn.readDer(spki))[1]!.content.subarray(1)
  return createHash('sha1').update(bits).digest()
}

const altNames = (hosts: readonly string[]) =>
  asn.sequence(
    ...hosts.map(host => (isIP(host) ? asn.der(0x87, ipBytes(host)) : asn.der(0x82, Buffer.from(host, 'latin1')))),
  )

interface Unsigned {
  issuer: Buffer
  subject: Buffer
  notBefore: number
  notAfter: number
  publicKey: Buffer
  extensions: Buffer[]
}

/** Signs with an EC key and gives PEM. */
function seal(parts: Unsigned, key: string): string {
  const algorithm = asn.sequence(asn.oid(OID.ecdsaWithSha256))
  const serial = randomBytes(16)
  serial[0]! &= 0x7f
  const body = asn.sequence(
    asn.der(0xa0, asn.integer(Buffer.of(2))),
    asn.integer(serial),
    algorithm,
    parts.issuer,
    asn.sequence(asn.time(parts.notBefore), asn.time(parts.notAfter)),
    parts.subject,
    parts.publicKey,
    asn.der(0xa3, asn.sequence(...parts.extensions)),
  )
  return pem('CERTIFICATE', asn.sequence(body, algorithm, asn.bitString(sign('sha256', body, createPrivateKey(key)))))
}

/** Makes a self-signed authority named `commonName`, good for `lifetime` ms from `now`. */
export function createAuthority(options: { commonName: string; now: number; lifetime: number }): KeyPair {
  const { publicKey, privateKey } = newKey()
  const subject = name({ commonName: options.commonName })
  const certificate = seal(
    {
      issuer: subject,
      subject,
      notBefore: options.now - SKEW,
      notAfter: options.now + options.lifetime,
      publicKey,
      extensions: [
        // Digital signature, certificate signing (and encipherment, as upstream's authorities have).
        extension(OID.keyUsage, true, asn.bitString(Buffer.of(0b10100100), 2)),
        extension(OID.basicConstraints, true, asn.sequence(asn.boolean(true))),
        extension(OID.subjectKeyId, false, asn.octetString(keyId(publicKey))),
      ],
    },
    privateKey,
  )
  return { certificate, key: privateKey }
}

/** Signs a certificate by `authority`. `key` of the answer is '' where the request brought its own public key. */
export function issueCertificate(authority: KeyPair, request: CertificateRequest): KeyPair {
  const made = request.publicKey ? { publicKey: request.publicKey, privateKey: '' } : newKey()
  const issuer = certificateFields(pemBytes(authority.certificate))
  const issuerKey = createPublicKey(authority.key).export({ type: 'spki', format: 'der' })
  const extensions = [
    extension(OID.keyUsage, true, asn.bitString(Buffer.of(0b10100000), 5)),
    extension(OID.extendedKeyUsage, false, asn.sequence(asn.oid(OID[request.usage]))),
    extension(OID.basicConstraints, true, asn.sequence()),
    extension(OID.authorityKeyId, false, asn.sequence(asn.der(0x80, keyId(issuerKey)))),
  ]
  if (request.hosts?.length) extensions.push(extension(OID.subjectAltName, false, altNames(request.hosts)))
  const certificate = seal(
    {
      issuer: issuer.subject.whole,
      subject: name(request),
      notBefore: request.now - SKEW,
      notAfter: request.now + request.lifetime,
      publicKey: made.publicKey,
      extensions,
    },
    authority.key,
  )
  return { certificate, key: made.privateKey }
}

/** The fields of a certificate's body that are used here, by their place (RFC 5280, 4.1). */
function certificateFields(bytes: Buffer) {
  const body = asn.children(asn.children(asn.readDer(bytes))[0]!)
  const first = body[0]!.tag === 0xa0 ? 1 : 0
  return { subject: body[first + 4]! }
}

/** Who a certificate in DER is for: the last CN, and every O in order. Throws for what is not a certificate. */
export function certificateSubject(bytes: Buffer): Required<Subject> {
  return readSubject(certificateFields(bytes).subject)
}

function readSubject(subject: asn.DerNode): Required<Subject> {
  let commonName = ''
  const organizations: string[] = []
  for (const attribute of asn.children(subject).flatMap(asn.children)) {
    const [type, value] = asn.children(attribute)
    if (type!.whole.equals(COMMON_NAME)) commonName = value!.content.toString('utf8')
    else if (type!.whole.equals(ORGANIZATION)) organizations.push(value!.content.toString('utf8'))
  }
  return { commonName, organizations }
}
