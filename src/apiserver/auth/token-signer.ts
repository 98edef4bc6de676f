/** JSON Web Tokens with one key (RFC 7515, 7517, 7519): ES256 or RS256, whichever the key is for. */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'

export interface TokenSigner {
  readonly algorithm: 'ES256' | 'RS256'
  sign(claims: object): string
  /** The claims of a token that this key signed; undefined for any other text. Times and issuer are not looked at. */
  verify(token: string): Record<string, unknown> | undefined
  /** The public key as a JSON Web Key Set. */
  jwks(): object
}

const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

const parse = (part: string): Record<string, unknown> | undefined => {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function algorithmOf(key: KeyObject): TokenSigner['algorithm'] {
  if (key.asymmetricKeyType === 'rsa') return 'RS256'
  if (key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return 'ES256'
  throw new Error(`the key of service account tokens is ${key.asymmetricKeyType}: expected RSA or ECDSA P-256`)
}

/** Makes a signer from a private key in PEM. */
export function createTokenSigner(privateKey: string): TokenSigner {
  const key = createPrivateKey(privateKey)
  const publicKey = createPublicKey(key)
  const algorithm = algorithmOf(key)
  const encoding = { dsaEncoding: 'ieee-p1363' } as const
  const id = createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url')
  const header = base64url({ alg: algorithm, kid: id })
  return {
    algorithm,
    sign(claims) {
      const text = `${header}.${base64url(claims)}`
      return `${text}.${sign('sha256', Buffer.from(text), { key, ...encoding }).toString('base64url')}`
    },
    verify(token) {
      const [head, body, signature, ...rest] = token.split('.')
      if (!head || !body || !signature || rest.length) return undefined
      if (parse(head)?.alg !== algorithm) return undefined
      const text = Buffer.from(`${head}.${body}`)
      const good = verify('sha256', text, { key: publicKey, ...encoding }, Buffer.from(signature, 'base64url'))
      return good ? parse(body) : undefined
    },
    jwks: () => ({ keys: [{ use: 'sig', kid: id, alg: algorithm, ...publicKey.export({ format: 'jwk' }) }] }),
  }
}
