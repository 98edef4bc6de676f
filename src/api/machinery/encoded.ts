/**
 * Bytes first (DESIGN D3): an object is encoded once per revision, and those bytes serve every reader.
 *
 * The store assigns the resourceVersion at commit, after encoding. So the stored form begins
 * `{"kind":…,"apiVersion":…,"metadata":{"resourceVersion":"",…` and the revision is stamped into that slot when the
 * commit is known. Kind, apiVersion and the empty slot always come first, in this order, and nowhere else in an
 * object can the slot's text come earlier.
 */
import type { KubeObject } from './object.ts'

const SLOT = Buffer.from('"resourceVersion":"')

/** What bytes were made of, where it may be kept in place of what they parse to. */
const sources = new WeakMap<Uint8Array, KubeObject>()

/**
 * JSON of an object for the store: slot first and empty. Does not change its argument. `keep`: nobody else holds it or
 * will change it, so that it can be shown to readers and need not be parsed again.
 */
export function encodeForStore(object: KubeObject, keep = false): Buffer {
  const { kind, apiVersion, metadata, ...rest } = object
  const { resourceVersion: _, ...meta } = metadata ?? {}
  const stored = { kind, apiVersion, metadata: { resourceVersion: '', ...meta }, ...rest } as KubeObject
  const bytes = Buffer.from(JSON.stringify(stored))
  if (keep && isJson(stored)) sources.set(bytes, stored)
  return bytes
}

/** Whether a value is what it would be after a way through JSON: nothing undefined, no number that JSON has not. */
function isJson(value: unknown): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0)
  if (typeof value !== 'object') return false
  if (Array.isArray(value)) return value.every(isJson)
  for (const key in value) if (!isJson((value as Record<string, unknown>)[key])) return false
  return true
}

/** The object of a commit: stored bytes and the revision that they were given. */
export function committedObject(stored: Uint8Array, revision: number): Encoded {
  const bytes = stampRevision(stored, revision)
  const source = sources.get(stored)
  if (!source) return new Encoded(bytes, revision)
  sources.delete(stored)
  source.metadata!.resourceVersion = String(revision)
  return new Encoded(bytes, revision, source)
}

/** The stored bytes with the revision in its slot. */
export function stampRevision(stored: Uint8Array, revision: number): Buffer {
  const bytes = Buffer.isBuffer(stored) ? stored : Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength)
  const at = bytes.indexOf(SLOT)
  if (at < 0) throw new Error('stored object has no resourceVersion slot')
  const cut = at + SLOT.length
  return Buffer.concat([bytes.subarray(0, cut), Buffer.from(String(revision)), bytes.subarray(cut)])
}

/** One object at one revision: JSON bytes, and the parsed form made when first asked for. Shared and read-only. */
export class Encoded<T extends KubeObject = KubeObject> {
  /** Complete JSON, with the resourceVersion. */
  readonly bytes: Buffer
  /** The revision of the write that made it. */
  readonly revision: number
  #value: T | undefined
  #message: Buffer | undefined

  constructor(bytes: Buffer, revision: number, value?: T) {
    this.bytes = bytes
    this.revision = revision
    this.#value = value
  }

  /** The parsed object. Must not be changed. */
  get value(): T {
    return (this.#value ??= JSON.parse(this.bytes.toString()) as T)
  }

  /** The object as a wire message (protobuf), which `encode` makes when it is first asked for. Must not be changed. */
  message(encode: (object: T) => Buffer): Buffer {
    // Who asks for bytes has no use for the parsed object, so it is not kept for them.
    return (this.#message ??= encode(this.#value ?? (JSON.parse(this.bytes.toString()) as T)))
  }
}
