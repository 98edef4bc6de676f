/**
 * Ways to encrypt what is stored, in the form that Kubernetes has in etcd: a prefix that names the way and the key, and
 * then the bytes.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

export interface Provider {
  /** What everything that it has written begins with; '' for what is not encrypted. */
  readonly prefix: string
  /** `place` is where the value stands: it reads only there, where the way can tell. */
  seal(plain: Buffer, place: string): Buffer
  /** Without the prefix. Throws for what was changed, stands elsewhere, or has another key. */
  open(sealed: Buffer, place: string): Buffer
  /** What it writes is marked so now: a value with another mark is stale. Default: `prefix`. */
  current?(): string
  /** The mark of a value, given without its prefix. Default: `prefix`. */
  writtenBy?(sealed: Buffer): string
  /** Fetches what `open` needs for a value (without its prefix); undefined where that is there. Rejects when it cannot. */
  prepare?(sealed: Buffer): Promise<void> | undefined
  /** Resolves when it can be used; rejects with an Error that says why it cannot. Called once. */
  start?(): Promise<void>
  /** What is wrong with it at the moment. */
  problem?(): string | undefined
  /** Ends what was started. */
  close?(): void
}

/** What no plain value begins with: objects are JSON. */
export const MARK = 'k8s:enc:'

const NONCE = 12
const TAG = 16
const BLOCK = 16

/** AES-GCM with a random nonce, bound to its place. A key is good for some billions of writes. */
export function aesGcm(name: string, key: Buffer): Provider {
  const cipher = `aes-${key.length * 8}-gcm` as 'aes-256-gcm'
  const prefix = `${MARK}aesgcm:v1:${name}:`
  const head = Buffer.from(prefix)
  return {
    prefix,
    seal(plain, place) {
      const nonce = randomBytes(NONCE)
      const sealing = createCipheriv(cipher, key, nonce).setAAD(Buffer.from(place))
      return Buffer.concat([head, nonce, sealing.update(plain), sealing.final(), sealing.getAuthTag()])
    },
    open(sealed, place) {
      if (sealed.length < NONCE + TAG) throw new Error('the stored data was shorter than the required size')
      const opening = createDecipheriv(cipher, key, sealed.subarray(0, NONCE), { authTagLength: TAG })
      opening.setAAD(Buffer.from(place)).setAuthTag(sealed.subarray(-TAG))
      return Buffer.concat([opening.update(sealed.subarray(NONCE, -TAG)), opening.final()])
    },
  }
}

/** AES-CBC with a random vector: does not notice changes. For data that was written so. */
export function aesCbc(name: string, key: Buffer): Provider {
  const cipher = `aes-${key.length * 8}-cbc`
  const prefix = `${MARK}aescbc:v1:${name}:`
  const head = Buffer.from(prefix)
  return {
    prefix,
    seal(plain) {
      const vector = randomBytes(BLOCK)
      const sealing = createCipheriv(cipher, key, vector)
      return Buffer.concat([head, vector, sealing.update(plain), sealing.final()])
    },
    open(sealed) {
      if (sealed.length < 2 * BLOCK || sealed.length % BLOCK) throw new Error('invalid block size')
      const opening = createDecipheriv(cipher, key, sealed.subarray(0, BLOCK))
      return Buffer.concat([opening.update(sealed.subarray(BLOCK)), opening.final()])
    },
  }
}

/** As it is. */
export const identity: Provider = { prefix: '', seal: plain => plain, open: sealed => sealed }
