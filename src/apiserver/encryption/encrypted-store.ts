/**
 * A store that keeps some resources encrypted. Everything above it, the watch caches too, has plain bytes; everything
 * below, files and their copies, has not. What is stored plain, from before, is read as it is.
 */
import {
  type CommitResult,
  type KeyValue,
  type Op,
  type Store,
  StoreError,
  type StoreEvent,
} from '../../store/store.ts'
import { splitKey } from '../registry/store-key.ts'
import type { Rule } from './configuration.ts'
import { identity, MARK, type Provider } from './providers.ts'

export interface EncryptedStore extends Store {
  /** Whether what stands at a key is not in the form in which it would be written now. */
  isStale(key: string): boolean
  /** Other rules from now on; what was written by the old ones must be readable by the new. */
  setRules(rules: readonly Rule[]): void
}

const PLAIN: readonly Provider[] = [identity]
const MARK_BYTES = Buffer.from(MARK)

const isSealed = (value: Buffer) => value.subarray(0, MARK_BYTES.length).equals(MARK_BYTES)

/** The names under which a resource may stand in a rule, the nearest first. */
function namesOf(key: string): string[] {
  const [group = '', plural = ''] = splitKey(key)?.resource.split('/') ?? []
  const own = group === 'core' ? [plural, '*.'] : [`${plural}.${group}`, `*.${group}`]
  return [...own, '*.*']
}

/** `k8s:enc:aesgcm:v1:key1:` */
function prefixOf(value: Buffer): string {
  let colons = 0
  for (let at = 0; at < value.length && at < 1000; at++)
    if (value[at] === 0x3a && ++colons === 5) return value.subarray(0, at + 1).toString('latin1')
  return MARK
}

/** Puts encryption before a store. */
export function encryptedStore(store: Store, initial: readonly Rule[]): EncryptedStore {
  let rules = initial
  /** By resource: what `rules` say of it. */
  let chosen = new Map<string, readonly Provider[]>()
  /** What stands sealed, and how. */
  const sealedBy = new Map<string, string>()

  function providersOf(key: string): readonly Provider[] {
    const resource = splitKey(key)?.resource ?? ''
    let found = chosen.get(resource)
    if (found) return found
    for (const name of namesOf(key)) {
      found = rules.find(each => each.resources.includes(name))?.providers
      if (found) break
    }
    chosen.set(resource, (found ??= PLAIN))
    return found
  }

  /** Who reads a sealed value, and what of it. */
  function found(key: string, value: Buffer) {
    const prefix = prefixOf(value)
    const provider = providersOf(key).find(each => each.prefix === prefix)
    return { provider, prefix, rest: value.subarray(Buffer.byteLength(prefix)) }
  }

  /** Fetches what opening these needs; undefined where nothing is missing, which is nearly always so. */
  function prepare(
    items: readonly (readonly [key: string, value: Buffer | undefined])[],
  ): Promise<unknown> | undefined {
    let missing: Promise<void>[] | undefined
    for (const [key, value] of items) {
      if (!value || !isSealed(value)) continue
      const { provider, rest } = found(key, value)
      const one = provider?.prepare?.(rest)
      if (one) (missing ??= []).push(one)
    }
    return missing && Promise.all(missing)
  }

  function open(key: string, value: Buffer): Buffer {
    if (!isSealed(value)) {
      sealedBy.delete(key)
      return value
    }
    const { provider, prefix, rest } = found(key, value)
    if (!provider)
      throw new StoreError(
        'corrupt',
        `${key} is encrypted as ${prefix}, and no provider of the configuration reads that`,
      )
    try {
      sealedBy.set(key, provider.writtenBy?.(rest) ?? prefix)
      return provider.open(rest, key)
    } catch (cause) {
      throw new StoreError(
        'corrupt',
        `${key} cannot be decrypted with the key ${prefix}: it is another's, or was changed`,
        {
          cause,
        },
      )
    }
  }
  const shown = (item: KeyValue): KeyValue => {
    const value = open(item.key, item.value)
    return value === item.value ? item : { ...item, value }
  }
  const sealed = (op: Op): Op => {
    if (op.type !== 'put') return op
    const [writer = identity] = providersOf(op.key)
    return writer === identity ? op : { ...op, value: writer.seal(op.value, op.key) }
  }
  function shownEvent(event: StoreEvent): StoreEvent {
    const { key, value, previous } = event
    if (!value) {
      const before = previous && isSealed(previous.value) ? { previous: shown(previous) } : undefined
      sealedBy.delete(key)
      return before ? { ...event, ...before } : event
    }
    const wasSealed = previous && isSealed(previous.value)
    const before = wasSealed ? { previous: shown(previous) } : undefined
    const plain = open(key, value)
    return plain === value && !before ? event : { ...event, value: plain, ...before }
  }

  return Object.assign(Object.create(store) as Store, {
    isStale(key: string) {
      const { prefix, current } = providersOf(key)[0] ?? identity
      return (sealedBy.get(key) ?? '') !== (current?.() ?? prefix)
    },
    setRules(next: readonly Rule[]) {
      rules = next
      chosen = new Map()
    },
    async get(key: string) {
      const item = await store.get(key)
      await prepare([[key, item?.value]])
      return item && shown(item)
    },
    async range(options: Parameters<Store['range']>[0]) {
      const result = await store.range(options)
      await prepare(result.items.map(({ key, value }) => [key, value]))
      return { ...result, items: result.items.map(shown) }
    },
    async commit(ops: readonly Op[], durability?: 'durable' | 'relaxed'): Promise<CommitResult> {
      const result = await store.commit(ops.map(sealed), durability)
      if (result.ok || !result.current) return result
      const { current } = result
      await prepare([[current.key, current.value]])
      return { ...result, current: shown(current) }
    },
    watch(options: Parameters<Store['watch']>[0]) {
      /** Events whose keys are being fetched: those that follow wait for them. */
      let tail: Promise<void> | undefined
      function show(events: readonly StoreEvent[]) {
        let plain: readonly StoreEvent[]
        try {
          plain = events.map(shownEvent)
        } catch (error) {
          options.onError?.(error as Error)
          return
        }
        options.onEvents(plain)
      }
      return store.watch({
        ...options,
        onEvents(events) {
          const missing = prepare(
            events.flatMap(({ key, value, previous }) => [[key, value] as const, [key, previous?.value] as const]),
          )
          if (!missing && !tail) return show(events)
          const mine = Promise.all([tail, missing])
            .then(
              () => show(events),
              (error: Error) => options.onError?.(error),
            )
            .finally(() => {
              if (tail === mine) tail = undefined
            })
          tail = mine
        },
      })
    },
  })
}
