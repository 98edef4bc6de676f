/** A JSON Web Token as text, before anything about it is known to be true. */

/** Longer texts are no tokens: nothing is decoded of them. */
const LIMIT = 64 << 10

/** The claims of a token in compact form, unverified; undefined for any other text. */
export function unverifiedClaims(token: string): Record<string, unknown> | undefined {
  if (token.length > LIMIT) return undefined
  const [header, payload, signature, more] = token.split('.')
  if (!header || !payload || signature === undefined || more !== undefined) return undefined
  try {
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
    return typeof claims === 'object' && claims !== null && !Array.isArray(claims) ? claims : undefined
  } catch {
    return undefined
  }
}
