/** NaCl's secretbox, XSalsa20 with Poly1305, by the library `@noble/ciphers`: Node's own cryptography has no XSalsa20. */
import { randomBytes } from 'node:crypto'
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js'
import { MARK, type Provider } from './providers.ts'

const NONCE = 24
const TAG = 16

/** By a key of 32 bytes. The way knows no places: a value that was moved is read there. */
export function secretBox(name: string, key: Buffer): Provider {
  const prefix = `${MARK}secretbox:v1:${name}:`
  const head = Buffer.from(prefix)
  return {
    prefix,
    seal(plain) {
      const nonce = randomBytes(NONCE)
      return Buffer.concat([head, nonce, xsalsa20poly1305(key, nonce).encrypt(plain)])
    },
    open(sealed) {
      if (sealed.length < NONCE + TAG) throw new Error('the stored data was shorter than the required size')
      return Buffer.from(xsalsa20poly1305(key, sealed.subarray(0, NONCE)).decrypt(sealed.subarray(NONCE)))
    },
  }
}
