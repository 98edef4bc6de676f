/**
 * Data encrypted by a key that a KMS plugin keeps safe: AES-GCM, by the key itself or, as it is written now, by a key
 * for each value that is derived from a seed (HKDF's expansion by SHA-256, RFC 5869). Bound to its place.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'
import { SOURCE_SEED } from './messages.ts'

/** Bytes of a seed, of what distinguishes a value's key, and of a key. */
export const SEED = 32
const NONCE = 12
const TAG = 16

/** One block of the expansion is all that a key needs. */
const derived = (seed: Uint8Array, info: Uint8Array) =>
  createHmac('sha256', seed)
    .update(info)
    .update(Buffer.from([1]))
    .digest()

export function sealData(seed: Buffer, plain: Buffer, place: string): Buffer {
  const info = randomBytes(SEED)
  const nonce = randomBytes(NONCE)
  const sealing = createCipheriv('aes-256-gcm', derived(seed, info), nonce).setAAD(Buffer.from(place))
  return Buffer.concat([info, nonce, sealing.update(plain), sealing.final(), sealing.getAuthTag()])
}

/** Throws for what was changed, stands elsewhere, or has another key. */
export function openData(source: Uint8Array, sourceType: number, data: Uint8Array, place: string): Buffer {
  const head = sourceType === SOURCE_SEED ? SEED : 0
  if (data.length < head + NONCE + TAG) throw new Error('the stored data was shorter than the required size')
  const key = head ? derived(source, data.subarray(0, head)) : source
  const cipher = `aes-${key.length * 8}-gcm` as 'aes-256-gcm'
  const opening = createDecipheriv(cipher, key, data.subarray(head, head + NONCE), { authTagLength: TAG })
  opening.setAAD(Buffer.from(place)).setAuthTag(data.subarray(-TAG))
  return Buffer.concat([opening.update(data.subarray(head + NONCE, -TAG)), opening.final()])
}
