/**
 * Encryption whose keys a KMS v2 plugin keeps (KEP-3299): values are sealed here, by a seed that only the plugin can
 * read back. A seed is made at the start and whenever the plugin says that its own key is another one; what is sealed
 * holds the encrypted seed. The protocol has the plugin asked for its state once a minute: that is the one timer.
 */
import { randomBytes } from 'node:crypto'
import type { Clock, Timer } from '../../../lib/clock.ts'
import type { Logger } from '../../../lib/log.ts'
import { MARK, type Provider } from '../providers.ts'
import { openData, SEED, sealData } from './data-key.ts'
import { type EncryptedObject, encryptedObject, SOURCE_SEED } from './messages.ts'
import type { KmsPlugin } from './plugin.ts'

export interface KmsOptions {
  /** Names the provider in what is stored. */
  readonly name: string
  readonly plugin: KmsPlugin
  readonly clock: Clock
  readonly logger: Logger
  uuid(): string
}

/** Between two looks at a plugin that is well, and one that is not, ms. */
const WELL_MS = 60_000
const UNWELL_MS = 10_000
/** So long after the plugin was last well its key is still used to write, ms. */
const WRITABLE_MS = 180_000
/** Of a key's id and an encrypted seed; of all annotations. */
const MAX_FIELD = 1024
const MAX_ANNOTATIONS = 32 * 1024
/** Seeds that are remembered; there is one for each start and each key of the plugin. */
const MAX_SEEDS = 1000

interface Writing {
  readonly seed: Buffer
  readonly object: Omit<EncryptedObject, 'data'>
  /** On the clock's `elapsed`. */
  until: number
}

function checkKeyId(keyId: string): void {
  if (!keyId) throw new Error('keyID is empty')
  if (Buffer.byteLength(keyId) > MAX_FIELD)
    throw new Error(`keyID is ${Buffer.byteLength(keyId)} bytes, which exceeds the max size of ${MAX_FIELD}`)
}

function checkObject({ keyId, source, annotations }: Omit<EncryptedObject, 'data'>): void {
  checkKeyId(keyId)
  if (!source.length) throw new Error('encrypted DEK source is empty')
  if (source.length > MAX_FIELD)
    throw new Error(`encrypted DEK source is ${source.length} bytes, which exceeds the max size of ${MAX_FIELD}`)
  let size = 0
  for (const [key, value] of Object.entries(annotations)) {
    if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+\.?$/.test(key))
      throw new Error(`annotation ${JSON.stringify(key)} is no fully qualified domain name`)
    size += Buffer.byteLength(key) + value.length
  }
  if (size > MAX_ANNOTATIONS)
    throw new Error(`annotations are ${size} bytes, which exceeds the max size of ${MAX_ANNOTATIONS}`)
}

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')

/** What the plugin needs to decrypt a seed, as a key of a map. */
const seedKey = ({ source, sourceType, keyId, annotations }: Omit<EncryptedObject, 'data'>) =>
  JSON.stringify([sourceType, keyId, base64(source), ...Object.entries(annotations).map(([k, v]) => [k, base64(v)])])

/** Makes a provider. It can be used when `start` has resolved. */
export function kmsProvider({ name, plugin, clock, logger, uuid }: KmsOptions): Provider {
  const prefix = `${MARK}kms:v2:${name}:`
  const head = Buffer.from(prefix)
  const seeds = new Map<string, Buffer>()
  const fetching = new Map<string, Promise<void>>()
  let writing: Writing | undefined
  let problem: string | undefined
  let timer: Timer | undefined
  let isClosed = false

  function remember(object: Omit<EncryptedObject, 'data'>, seed: Buffer) {
    if (seeds.size >= MAX_SEEDS) seeds.delete(seeds.keys().next().value!)
    seeds.set(seedKey(object), seed)
  }
  /** A new seed under the plugin's key of now. */
  async function makeSeed(until: number) {
    const seed = randomBytes(SEED)
    const { ciphertext, keyId, annotations } = await plugin.encrypt(seed, uuid())
    const object = { keyId, source: ciphertext, sourceType: SOURCE_SEED, annotations }
    checkObject(object)
    remember(object, seed)
    writing = { seed, object, until }
    logger.info({ provider: name }, 'a key was made for what is stored, and encrypted by the KMS plugin')
  }
  async function look() {
    // What is asked now may be old when it is answered: the time counts from here.
    const until = clock.elapsed() + WRITABLE_MS
    const { version, healthz, keyId } = await plugin.status()
    if (healthz !== 'ok') throw new Error(`got unexpected healthz status: ${healthz}`)
    if (version !== 'v2' && version !== 'v2beta1') throw new Error(`expected KMSv2 API version v2, got ${version}`)
    checkKeyId(keyId)
    if (writing?.object.keyId === keyId) writing.until = until
    else await makeSeed(until)
  }
  async function lookAndGoOn() {
    try {
      await look()
      problem = undefined
    } catch (error) {
      problem = `kmsv2 Provider ${name} is not healthy, error: ${(error as Error).message}`
      logger.error({ err: error, provider: name }, 'a KMS plugin is not well')
    }
    if (!isClosed) timer = clock.after(problem ? UNWELL_MS : WELL_MS, () => void lookAndGoOn())
  }
  function fetchSeed(object: EncryptedObject): Promise<void> {
    const key = seedKey(object)
    let running = fetching.get(key)
    if (!running) {
      running = plugin
        .decrypt(object, uuid())
        .then(
          seed => remember(object, Buffer.from(seed)),
          cause => {
            throw new Error(`kmsv2 Provider ${name}: failed to decrypt DEK, error: ${cause.message}`, { cause })
          },
        )
        .finally(() => fetching.delete(key))
      fetching.set(key, running)
    }
    return running
  }

  return {
    prefix,
    current: () => `${prefix}${writing?.object.keyId ?? ''}`,
    writtenBy: sealed => `${prefix}${encryptedObject.decode(sealed).keyId}`,
    seal(plain, place) {
      if (!writing || clock.elapsed() > writing.until)
        throw new Error(`kmsv2 Provider ${name}: the key for writing has expired: ${problem ?? 'there is none yet'}`)
      return Buffer.concat([
        head,
        encryptedObject.encode({ ...writing.object, data: sealData(writing.seed, plain, place) }),
      ])
    },
    open(sealed, place) {
      const object = encryptedObject.decode(sealed)
      const seed = seeds.get(seedKey(object))
      if (!seed) throw new Error('its key was not fetched')
      return openData(seed, object.sourceType, object.data, place)
    },
    prepare(sealed) {
      const object = encryptedObject.decode(sealed)
      return seeds.has(seedKey(object)) ? undefined : fetchSeed(object)
    },
    async start() {
      try {
        await look()
      } catch (cause) {
        throw new Error(`the KMS plugin ${name} cannot be used: ${(cause as Error).message}`, { cause })
      }
      timer = clock.after(WELL_MS, () => void lookAndGoOn())
    },
    problem: () => problem,
    close() {
      isClosed = true
      timer?.cancel()
      plugin.close()
    },
  }
}
