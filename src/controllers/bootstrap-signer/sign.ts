/** Detached signatures of a text by a bootstrap token (RFC 7515, appendix F): whoever knows the token can trust the text. */
import { createHmac } from 'node:crypto'

const part = (text: string) => Buffer.from(text).toString('base64url')

/** The signature by HMAC-SHA-256, as `HEADER..SIGNATURE`: the text itself is left out. */
export function detachedSignature(text: string, tokenId: string, tokenSecret: string): string {
  const header = part(JSON.stringify({ alg: 'HS256', kid: tokenId }))
  const signature = createHmac('sha256', tokenSecret)
    .update(`${header}.${part(text)}`)
    .digest('base64url')
  return `${header}..${signature}`
}
