/**
 * Certificate requests (PKCS #10, RFC 2986): making and reading one, and signing a certificate for it. Loaded only when
 * there is one, as `certificate.ts`.
 */
// The library's dependency injection wants this polyfill, before it.
import 'reflect-metadata'

import * as x509 from '@peculiar/x509'
import { ALGORITHM, alternativeNames, importKey, type KeyPair, nameOf, newKey } from './certificate.ts'
import type { Subject } from './subject.ts'

/** What a request asks for. */
export interface CertificateWish {
  readonly commonName: string
  readonly organizations: readonly string[]
  readonly dns: readonly string[]
  readonly ips: readonly string[]
  readonly emails: readonly string[]
  readonly uris: readonly string[]
}

/** What a certificate says that its request does not. */
export interface SignOptions {
  /** As certificates.k8s.io names them, e.g. `client auth`. Throws for one that is not known. */
  readonly usages: readonly string[]
  /** ms since the epoch. */
  readonly notBefore: number
  readonly notAfter: number
}

const { KeyUsageFlags } = x509

const KEY_USAGES: Readonly<Record<string, number>> = {
  signing: KeyUsageFlags.digitalSignature,
  'digital signature': KeyUsageFlags.digitalSignature,
  'content commitment': KeyUsageFlags.nonRepudiation,
  'key encipherment': KeyUsageFlags.keyEncipherment,
  'key agreement': KeyUsageFlags.keyAgreement,
  'data encipherment': KeyUsageFlags.dataEncipherment,
  'cert sign': KeyUsageFlags.keyCertSign,
  'crl sign': KeyUsageFlags.cRLSign,
  'encipher only': KeyUsageFlags.encipherOnly,
  'decipher only': KeyUsageFlags.decipherOnly,
}

const EXTENDED_USAGES: Readonly<Record<string, string>> = {
  any: '2.5.29.37.0',
  'server auth': '1.3.6.1.5.5.7.3.1',
  'client auth': '1.3.6.1.5.5.7.3.2',
  'code signing': '1.3.6.1.5.5.7.3.3',
  'email protection': '1.3.6.1.5.5.7.3.4',
  's/mime': '1.3.6.1.5.5.7.3.4',
  'ipsec end system': '1.3.6.1.5.5.7.3.5',
  'ipsec tunnel': '1.3.6.1.5.5.7.3.6',
  'ipsec user': '1.3.6.1.5.5.7.3.7',
  timestamping: '1.3.6.1.5.5.7.3.8',
  'ocsp signing': '1.3.6.1.5.5.7.3.9',
  'microsoft sgc': '1.3.6.1.4.1.311.10.3.3',
  'netscape sgc': '2.16.840.1.113730.4.1',
}

function wantedNames(request: x509.Pkcs10CertificateRequest): readonly x509.GeneralName[] {
  const found = request.extensions.find(each => each instanceof x509.SubjectAlternativeNameExtension)
  return found?.names.items ?? []
}

/** Reads a request in PEM. Rejects with an Error for what is none, or is not signed by its own key. */
export async function readRequest(pem: string): Promise<CertificateWish> {
  const request = new x509.Pkcs10CertificateRequest(pem)
  if (!(await request.verify())) throw new Error('x509: the signature of the request is not by its own key')
  const names = wantedNames(request)
  const ofType = (type: string) => names.filter(name => name.type === type).map(name => name.value)
  return {
    commonName: request.subjectName.getField('CN').at(-1) ?? '',
    organizations: request.subjectName.getField('O'),
    dns: ofType('dns'),
    ips: ofType('ip'),
    emails: ofType('email'),
    uris: ofType('url'),
  }
}

function usageExtensions(usages: readonly string[]): x509.Extension[] {
  let flags = 0
  const extended = new Set<string>()
  for (const usage of usages) {
    const flag = KEY_USAGES[usage]
    const id = EXTENDED_USAGES[usage]
    if (flag === undefined && id === undefined) throw new Error(`unrecognized usage values: [${JSON.stringify(usage)}]`)
    flags |= flag ?? 0
    if (id) extended.add(id)
  }
  return [
    ...(flags ? [new x509.KeyUsagesExtension(flags, true)] : []),
    ...(extended.size ? [new x509.ExtendedKeyUsageExtension([...extended])] : []),
  ]
}

/** When the certificate in PEM ends, in ms since the epoch. */
export const certificateEnd = (pem: string): number => new x509.X509Certificate(pem).notAfter.getTime()

/**
 * Signs what a request in PEM asks for: its subject, key and alternative names; all else is said by `options`. Resolves
 * with the certificate in PEM.
 */
export async function signRequest(authority: KeyPair, pem: string, options: SignOptions): Promise<string> {
  const request = new x509.Pkcs10CertificateRequest(pem)
  const issuer = await importKey(authority.key)
  const names = wantedNames(request)
  const noSubject = request.subjectName.toJSON().length === 0
  const certificate = await x509.X509CertificateGenerator.create({
    subject: request.subjectName,
    issuer: new x509.X509Certificate(authority.certificate).subjectName,
    publicKey: request.publicKey,
    signingKey: issuer.keys.privateKey,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(options.notBefore),
    notAfter: new Date(options.notAfter),
    extensions: [
      ...usageExtensions(options.usages),
      new x509.BasicConstraintsExtension(false, undefined, true),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.keys.publicKey),
      ...(names.length
        ? [
            new x509.SubjectAlternativeNameExtension(
              names.map(n => n.toJSON()),
              noSubject,
            ),
          ]
        : []),
    ],
  })
  return `${certificate.toString('pem')}\n`
}

/** What a node or another client asks for: its subject, and the names and addresses that it wants to serve under. */
export interface RequestSubject extends Subject {
  readonly hosts?: readonly string[]
}

/** Makes a key and a request for a certificate of it, both in PEM. */
export async function createRequest(
  subject: RequestSubject,
): Promise<{ readonly request: string; readonly key: string }> {
  const { pem, keys } = await newKey()
  const names = alternativeNames(subject.hosts ?? [])
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: nameOf(subject),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: names.length ? [new x509.SubjectAlternativeNameExtension(names)] : [],
  })
  return { request: `${request.toString('pem')}\n`, key: pem }
}
