/** Which resources are kept encrypted, and how: apiserver.config.k8s.io/v1 EncryptionConfiguration. */

import { parseDuration } from '../../api/machinery/time.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import { readConfiguration, type Shape } from '../configuration/read.ts'
import { aesCbc, aesGcm, identity, type Provider } from './providers.ts'

interface Key {
  readonly name?: string
  readonly secret?: string
}
interface Keys {
  readonly keys?: readonly Key[]
}
interface Kms {
  readonly apiVersion?: string
  readonly name?: string
  readonly endpoint?: string
  readonly timeout?: string
  readonly cachesize?: number
}
interface ProviderEntry {
  readonly aesgcm?: Keys
  readonly aescbc?: Keys
  readonly identity?: object
  readonly secretbox?: Keys
  readonly kms?: Kms
}
interface Entry {
  readonly resources?: readonly string[]
  readonly providers?: readonly ProviderEntry[]
}

/** Providers of one entry: the first writes, all read. */
export interface Rule {
  /** As in `secrets`, `deployments.apps`, `*.apps`, `*.` (the core group) and `*.*`. */
  readonly resources: readonly string[]
  readonly providers: readonly Provider[]
}

const keys: Shape = { keys: [{ name: 'string', secret: 'string' }] }
const kms: Shape = {
  apiVersion: 'string',
  name: 'string',
  endpoint: 'string',
  timeout: 'string',
  cachesize: 'number',
}
const SHAPE: Shape = {
  resources: [
    {
      resources: ['string'],
      providers: [{ aesgcm: keys, aescbc: keys, secretbox: keys, identity: {}, kms }],
    },
  ],
}

function secretOf({ secret = '' }: Key, sizes: readonly number[], at: string): Buffer {
  if (!secret) throw new Error(`${at}.secret: Required value: secret must be specified as a base64 encoded value`)
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(secret) || secret.length % 4)
    throw new Error(`${at}.secret: Invalid value: "REDACTED": secret must be base64 encoded`)
  const bytes = Buffer.from(secret, 'base64')
  if (!sizes.includes(bytes.length))
    throw new Error(
      `${at}.secret: Invalid value: "REDACTED": secret is not of the expected length, got ${bytes.length}, expected one of [${sizes.join(' ')}]`,
    )
  return bytes
}

type Keyed = 'aesgcm' | 'aescbc' | 'secretbox'
const SIZES: Readonly<Record<Keyed, readonly number[]>> = {
  aesgcm: [16, 24, 32],
  aescbc: [16, 24, 32],
  secretbox: [32],
}

async function makerOf(type: Keyed): Promise<(name: string, key: Buffer) => Provider> {
  if (type === 'aesgcm') return aesGcm
  return type === 'aescbc' ? aesCbc : (await import('./secretbox.ts')).secretBox
}

async function providersOf(type: Keyed, { keys = [] }: Keys, at: string): Promise<Provider[]> {
  if (!keys.length) throw new Error(`${at}.${type}.keys: Required value: at least one key is needed`)
  const make = await makerOf(type)
  const names = new Set<string>()
  return keys.map((key, i) => {
    const place = `${at}.${type}.keys[${i}]`
    if (!key.name) throw new Error(`${place}.name: Required value`)
    if (key.name.includes(':'))
      throw new Error(`${place}.name: Invalid value: ${JSON.stringify(key.name)}: no ":" may be in it`)
    if (names.has(key.name)) throw new Error(`${place}.name: Duplicate value: ${JSON.stringify(key.name)}`)
    names.add(key.name)
    return make(key.name, secretOf(key, SIZES[type], place))
  })
}

const KMS_V1 =
  'KMSv1 is deprecated and will only receive security updates going forward. Use KMSv2 instead: apiVersion: v2'

/** What the field says of a KMS plugin, checked. */
function kmsOf({ apiVersion = 'v1', name = '', endpoint = '', timeout = '3s', cachesize }: Kms, at: string) {
  const wrong = (field: string, value: string, why: string) =>
    new Error(`${at}.${field}: Invalid value: ${JSON.stringify(value)}: ${why}`)
  if (apiVersion === 'v1') throw wrong('apiVersion', apiVersion, KMS_V1)
  if (apiVersion !== 'v2')
    throw wrong(
      'apiVersion',
      apiVersion,
      'unsupported apiVersion apiVersion for KMS provider, only v1 and v2 are supported',
    )
  if (!name) throw new Error(`${at}.name: Required value: name is mandatory in a provider`)
  if (name.includes(':')) throw wrong('name', name, `invalid KMS provider name ${name}, must not contain ':'`)
  if (!endpoint) throw wrong('endpoint', endpoint, 'endpoint is mandatory in a kms')
  if (!endpoint.startsWith('unix:')) {
    const scheme = endpoint.includes(':') ? endpoint.slice(0, endpoint.indexOf(':')) : ''
    throw wrong(
      'endpoint',
      endpoint,
      `unsupported scheme ${JSON.stringify(scheme)} for KMS provider, only unix is supported`,
    )
  }
  if (cachesize !== undefined) throw wrong('cachesize', String(cachesize), 'cachesize is not supported in v2')
  let timeoutMs = 0
  try {
    timeoutMs = parseDuration(timeout)
  } catch {}
  if (!(timeoutMs > 0)) throw wrong('timeout', timeout, 'timeout should be a positive value')
  return { name, endpoint, timeoutMs }
}

async function kmsProviderOf(entry: Kms, at: string, deps: EncryptionDeps): Promise<Provider> {
  const { name, endpoint, timeoutMs } = kmsOf(entry, at)
  const { kmsPlugin } = await import('./kms/plugin.ts')
  const { kmsProvider } = await import('./kms/provider.ts')
  return kmsProvider({ name, plugin: kmsPlugin(endpoint, timeoutMs, deps.clock), ...deps })
}

async function providers(entry: ProviderEntry, at: string, deps: EncryptionDeps): Promise<Provider[]> {
  const [type, ...more] = Object.entries(entry).flatMap(([name, value]) => (value ? [name] : []))
  if (!type) throw new Error(`${at}: Required value: a provider must be named`)
  if (more.length) throw new Error(`${at}: Invalid value: more than one provider specified in a single element`)
  if (entry.identity) return [identity]
  if (entry.kms) return [await kmsProviderOf(entry.kms, `${at}.kms`, deps)]
  return providersOf(type as Keyed, entry[type as Keyed] ?? {}, at)
}

function checkResource(resource: string, at: string) {
  if (resource === '*' || /[A-Z/]/.test(resource) || (resource.includes('*') && !resource.startsWith('*.')))
    throw new Error(
      `${at}: Invalid value: ${JSON.stringify(resource)}: use <resource>, <resource>.<group>, *.<group>, *. for the core group or *.* for all`,
    )
}

/** What providers that ask others need. */
export interface EncryptionDeps {
  readonly clock: Clock
  readonly logger: Logger
  uuid(): string
}

/**
 * Reads a configuration. Rejects with an Error that names the field that is wrong, and never a secret. The providers
 * that have a `start` must be started before they are used.
 */
export async function readEncryption(text: string, deps: EncryptionDeps): Promise<Rule[]> {
  const { resources: entries = [] } = await readConfiguration<{ resources?: readonly Entry[] }>(
    text,
    'EncryptionConfiguration',
    SHAPE,
  )
  if (!entries.length) throw new Error('resources: Required value: at least one entry is needed')
  const known = new Set<string>()
  const plugins = new Set<string>()
  const rules: Rule[] = []
  for (const [i, { resources = [], providers: list = [] }] of entries.entries()) {
    const at = `resources[${i}]`
    if (!resources.length) throw new Error(`${at}.resources: Required value`)
    if (!list.length) throw new Error(`${at}.providers: Required value`)
    resources.forEach((resource, j) => {
      checkResource(resource, `${at}.resources[${j}]`)
      if (known.has(resource)) throw new Error(`${at}.resources[${j}]: Duplicate value: ${JSON.stringify(resource)}`)
      known.add(resource)
    })
    list.forEach(({ kms: { name = '' } = {} }, j) => {
      if (name && plugins.has(name))
        throw new Error(
          `${at}.providers[${j}].kms.name: Invalid value: ${JSON.stringify(name)}: duplicate KMS provider name ${name}, names must be unique`,
        )
      plugins.add(name)
    })
    const made = await Promise.all(list.map((entry, j) => providers(entry, `${at}.providers[${j}]`, deps)))
    rules.push({ resources, providers: made.flat() })
  }
  return rules
}
