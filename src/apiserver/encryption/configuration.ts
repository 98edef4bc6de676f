/** Which resources are kept encrypted, and how: apiserver.config.k8s.io/v1 EncryptionConfiguration. */
import { readConfiguration, type Shape } from '../configuration/read.ts'
import { aesCbc, aesGcm, identity, type Provider } from './providers.ts'

interface Key {
  readonly name?: string
  readonly secret?: string
}
interface Keys {
  readonly keys?: readonly Key[]
}
interface ProviderEntry {
  readonly aesgcm?: Keys
  readonly aescbc?: Keys
  readonly identity?: object
  readonly secretbox?: Keys
  readonly kms?: object
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
const SHAPE: Shape = {
  resources: [
    {
      resources: ['string'],
      providers: [{ aesgcm: keys, aescbc: keys, secretbox: keys, identity: {}, kms: { name: 'string' } }],
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

function providersOf(type: 'aesgcm' | 'aescbc', { keys = [] }: Keys, at: string): Provider[] {
  if (!keys.length) throw new Error(`${at}.${type}.keys: Required value: at least one key is needed`)
  const names = new Set<string>()
  return keys.map((key, i) => {
    const place = `${at}.${type}.keys[${i}]`
    if (!key.name) throw new Error(`${place}.name: Required value`)
    if (key.name.includes(':'))
      throw new Error(`${place}.name: Invalid value: ${JSON.stringify(key.name)}: no ":" may be in it`)
    if (names.has(key.name)) throw new Error(`${place}.name: Duplicate value: ${JSON.stringify(key.name)}`)
    names.add(key.name)
    const secret = secretOf(key, [16, 24, 32], place)
    return type === 'aesgcm' ? aesGcm(key.name, secret) : aesCbc(key.name, secret)
  })
}

function providers(entry: ProviderEntry, at: string): Provider[] {
  const [type, ...more] = Object.keys(entry)
  if (!type) throw new Error(`${at}: Required value: a provider must be named`)
  if (more.length) throw new Error(`${at}: Invalid value: more than one provider specified in a single element`)
  if (entry.aesgcm) return providersOf('aesgcm', entry.aesgcm, at)
  if (entry.aescbc) return providersOf('aescbc', entry.aescbc, at)
  if (entry.identity) return [identity]
  throw new Error(`${at}.${type}: the provider ${type} is not built yet: use aesgcm, aescbc or identity`)
}

function checkResource(resource: string, at: string) {
  if (resource === '*' || /[A-Z/]/.test(resource) || (resource.includes('*') && !resource.startsWith('*.')))
    throw new Error(
      `${at}: Invalid value: ${JSON.stringify(resource)}: use <resource>, <resource>.<group>, *.<group>, *. for the core group or *.* for all`,
    )
}

/** Reads a configuration. Rejects with an Error that names the field that is wrong, and never a secret. */
export async function readEncryption(text: string): Promise<Rule[]> {
  const { resources: entries = [] } = await readConfiguration<{ resources?: readonly Entry[] }>(
    text,
    'EncryptionConfiguration',
    SHAPE,
  )
  if (!entries.length) throw new Error('resources: Required value: at least one entry is needed')
  const known = new Set<string>()
  return entries.map(({ resources = [], providers: list = [] }, i) => {
    const at = `resources[${i}]`
    if (!resources.length) throw new Error(`${at}.resources: Required value`)
    if (!list.length) throw new Error(`${at}.providers: Required value`)
    resources.forEach((resource, j) => {
      checkResource(resource, `${at}.resources[${j}]`)
      if (known.has(resource)) throw new Error(`${at}.resources[${j}]: Duplicate value: ${JSON.stringify(resource)}`)
      known.add(resource)
    })
    return { resources, providers: list.flatMap((entry, j) => providers(entry, `${at}.providers[${j}]`)) }
  })
}
