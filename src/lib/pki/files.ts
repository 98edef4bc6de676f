/**
 * The certificates and keys of a cluster as files under one folder (DATA_DIR/pki), made at first start and renewed
 * before they end. The authority and the token keys stay for the cluster's life; everything else can be made again.
 */
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { writeFileAtomic } from '../atomic-file.ts'
import type { Clock } from '../clock.ts'
import type { CertificateRequest, KeyPair } from './certificate.ts'

const DAY = 24 * 3600_000
const AUTHORITY_LIFETIME = 3650 * DAY
const LEAF_LIFETIME = 365 * DAY
/** A leaf with less than this left is made again. */
const RENEW_BEFORE = 90 * DAY

/** Names and addresses by which every cluster's server is known. */
const SERVER_HOSTS = [
  'localhost',
  '127.0.0.1',
  '::1',
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
]

export interface PkiOptions {
  /** Folder of the files; made with mode 0700 where it is missing. */
  readonly dir: string
  readonly clock: Clock
  /** Further names and addresses of the API server, besides localhost and `kubernetes.default.svc`. */
  readonly hosts?: readonly string[]
  /** Address of the `kubernetes` service. Default 10.96.0.1. */
  readonly serviceIP?: string
}

/** What a cluster proves itself with. All PEM. Each is read or made when first asked for. */
export interface Pki {
  /** Names and addresses that are the API server's. */
  readonly hosts: readonly string[]
  /** The cluster's authority: what clients pin. */
  authority(): Promise<KeyPair>
  /** Of the API server, for its own names and `hosts`. */
  server(): Promise<KeyPair>
  /** User `kubernetes-admin` in group `system:masters`. */
  admin(): Promise<KeyPair>
  /** User `system:node:NAME` in group `system:nodes`. */
  node(name: string): Promise<KeyPair>
  /** What a node of this machine serves with, for its name and addresses. */
  kubelet(name: string, hosts: readonly string[]): Promise<KeyPair>
  /** What the API server shows to nodes: the client `kube-apiserver-kubelet-client`. */
  kubeletClient(): Promise<KeyPair>
  /** The authority of this server's calls to aggregated servers: whoever it signs may speak for any user. */
  frontProxyAuthority(): Promise<KeyPair>
  /** What this server shows to aggregated servers: the client `front-proxy-client`. */
  frontProxyClient(): Promise<KeyPair>
  /** Another client, not kept in a file. */
  client(commonName: string, organizations?: readonly string[]): Promise<KeyPair>
  /**
   * Private key (PKCS #8) that signs service account tokens: ECDSA P-256, which is made in a millisecond where RSA
   * takes up to half a second. An RSA key put into `sa.key` by hand is used as well.
   */
  tokenKey(): string
}

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Error(`reading ${path} failed`, { cause })
  }
}

/** Whether a certificate is by this authority, lasts long enough and names all hosts. */
function stillGood(pair: KeyPair, authority: KeyPair, hosts: readonly string[], now: number): boolean {
  try {
    const certificate = new X509Certificate(pair.certificate)
    const covers = (host: string) => Boolean(isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host))
    return (
      certificate.validToDate.getTime() - now > RENEW_BEFORE &&
      certificate.checkPrivateKey(createPrivateKey(pair.key)) &&
      certificate.verify(new X509Certificate(authority.certificate).publicKey) &&
      hosts.every(covers)
    )
  } catch {
    return false
  }
}

/**
 * Begins to load what makes certificates, where the folder has no authority yet and it will be needed: it takes 200 ms,
 * which pass while a first start waits for other things.
 */
export function foresee(dir: string): void {
  if (existsSync(join(dir, 'ca.crt'))) return
  // Whoever makes a certificate loads it again, and gets the error.
  import('./certificate.ts').catch(() => {})
}

/** Opens a cluster's certificates. Nothing is read or made before it is asked for. */
export function openPki(options: PkiOptions): Pki {
  const { dir, clock } = options
  const hosts = [...new Set([...SERVER_HOSTS, options.serviceIP ?? '10.96.0.1', ...(options.hosts ?? [])])]
  const kept = new Map<string, Promise<KeyPair>>()

  const load = (file: string): KeyPair | undefined => {
    const certificate = read(join(dir, `${file}.crt`))
    const key = read(join(dir, `${file}.key`))
    return certificate && key ? { certificate, key } : undefined
  }
  const save = (file: string, pair: KeyPair) => {
    // The key first: a certificate without its key counts as absent and is made again.
    writeFileAtomic(join(dir, `${file}.key`), pair.key)
    writeFileAtomic(join(dir, `${file}.crt`), pair.certificate)
    return pair
  }
  /** Reads or makes a pair once, however many ask. */
  const once = (file: string, make: () => Promise<KeyPair>) => {
    const known = kept.get(file)
    if (known) return known
    const pair = make()
    kept.set(file, pair)
    pair.catch(() => kept.delete(file))
    return pair
  }

  const authorityIn = (file: string, commonName: string) =>
    once(file, async () => {
      const known = load(file)
      if (known) return known
      const path = join(dir, file)
      if (read(`${path}.crt`))
        throw new Error(`${path}.crt has no key beside it (${file}.key): restore it, or begin a new cluster`)
      const { createAuthority } = await import('./certificate.ts')
      return save(file, await createAuthority({ commonName, now: clock.now(), lifetime: AUTHORITY_LIFETIME }))
    })
  const authority = () => authorityIn('ca', 'kubernetes')
  const frontProxyAuthority = () => authorityIn('front-proxy-ca', 'front-proxy-ca')
  type Request = Omit<CertificateRequest, 'now' | 'lifetime'>
  const issue = async (request: Request, signer = authority) => {
    const { issueCertificate } = await import('./certificate.ts')
    return issueCertificate(await signer(), { ...request, now: clock.now(), lifetime: LEAF_LIFETIME })
  }
  const leaf = (file: string, request: Request, signer = authority) =>
    once(file, async () => {
      const known = load(file)
      if (known && stillGood(known, await signer(), request.hosts ?? [], clock.now())) return known
      return save(file, await issue(request, signer))
    })

  return {
    hosts,
    authority,
    frontProxyAuthority,
    frontProxyClient: () =>
      leaf('front-proxy-client', { usage: 'client', commonName: 'front-proxy-client' }, frontProxyAuthority),
    server: () => leaf('apiserver', { usage: 'server', commonName: 'kube-apiserver', hosts }),
    admin: () => leaf('admin', { usage: 'client', commonName: 'kubernetes-admin', organizations: ['system:masters'] }),
    node: name =>
      leaf(`node-${name}`, { usage: 'client', commonName: `system:node:${name}`, organizations: ['system:nodes'] }),
    kubelet: (name, hosts) =>
      leaf(`kubelet-${name}`, {
        usage: 'server',
        commonName: `system:node:${name}`,
        organizations: ['system:nodes'],
        hosts: [name, ...hosts],
      }),
    kubeletClient: () =>
      leaf('apiserver-kubelet-client', { usage: 'client', commonName: 'kube-apiserver-kubelet-client' }),
    client: (commonName, organizations = []) => issue({ usage: 'client', commonName, organizations }),
    tokenKey() {
      const path = join(dir, 'sa.key')
      const known = read(path)
      if (known) return known
      const made = generateKeyPairSync('ec', {
        namedCurve: 'P-256',
        publicKeyEncoding: { type: 'spki', format: 'pem' },
        privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      })
      writeFileAtomic(path, made.privateKey)
      return made.privateKey
    },
  }
}
