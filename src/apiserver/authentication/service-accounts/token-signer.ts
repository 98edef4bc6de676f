/**
 * JSON Web Tokens with one key (RFC 7515, 7517, 7519) by the library `jose`: ES256 or RS256, whichever the key is for.
 * The library is loaded with the first token, so that it costs no start.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import type { JWK } from 'jose'

export interface TokenSigner {
  readonly algorithm: 'ES256' | 'RS256'
  sign(claims: Readonly<Record<string, unknown>>): Promise<string>
  /** The same at once, for who cannot wait. */
  signNow(claims: Readonly<Record<string, unknown>>): string
  /** The claims of a token that this key signed; undefined for any other text. Times and issuer are not looked at. */
  verify(token: string): Promise<Record<string, unknown> | undefined>
  /** The public key as a JSON Web Key Set. */
  jwks(): Promise<{ keys: JWK[] }>
}

function algorithmOf(key: KeyObject): TokenSigner['algorithm'] {
  if (key.asymmetricKeyType === 'rsa') return 'RS256'
  if (key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return 'ES256'
  throw new Error(`the key of service account tokens is ${key.asymmetricKeyType}: expected RSA or ECDSA P-256`)
}

/** The id that Kubernetes gives a key: the SHA-256 of its public part in DER. */
const keyId = (publicKey: KeyObject) =>
  createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url')

/** Makes a signer from a private key in PEM. Throws for keys that are neither RSA nor ECDSA P-256. */
export function createTokenSigner(privateKey: string): TokenSigner {
  const key = createPrivateKey(privateKey)
  const publicKey = createPublicKey(key)
  const algorithm = algorithmOf(key)
  const id = keyId(publicKey)
  return {
    algorithm,
    async sign(claims) {
      const { SignJWT } = await import('jose/jwt/sign')
      return new SignJWT({ ...claims }).setProtectedHeader({ alg: algorithm, kid: id }).sign(key)
    },
    signNow(claims) {
      const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
      const text = `${encode({ alg: algorithm, kid: id })}.${encode(claims)}`
      // Of an RSA key the encoding is not asked.
      const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' })
      return `${text}.${signature.toString('base64url')}`
    },
    async verify(token) {
      const [{ compactVerify }, { JOSEError }] = await Promise.all([
        import('jose/jws/compact/verify'),
        import('jose/errors'),
      ])
      try {
        const { payload } = await compactVerify(token, publicKey, { algorithms: [algorithm] })
        return JSON.parse(Buffer.from(payload).toString('utf8'))
      } catch (error) {
        if (error instanceof JOSEError) return undefined
        throw error
      }
    },
    async jwks() {
      const { exportJWK } = await import('jose/key/export')
      return { keys: [{ use: 'sig', kid: id, alg: algorithm, ...(await exportJWK(publicKey)) }] }
    },
  }
}
