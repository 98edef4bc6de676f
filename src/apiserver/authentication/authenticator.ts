/** Who asks: the first of the two questions that every request passes. */
export interface UserInfo {
  readonly name: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

export const ANONYMOUS: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] }

/** A certificate that a client showed in the TLS handshake. */
export interface ClientCertificate {
  /** DER. */
  readonly raw: Buffer
  /** SHA-256 of the authority's certificate that TLS found at the root of its chain, as `AB:CD:…`. */
  readonly authority?: string
  /** Why TLS did not trust it. */
  readonly problem?: string
}

export interface Credentials {
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Names and values in turn, as they came. */
  readonly rawHeaders?: readonly string[]
  readonly certificate?: ClientCertificate
}

/**
 * undefined: these credentials are not mine. Throws an Error for ones that are mine and bad: the request is then
 * refused unless another authenticator knows its credentials.
 */
export type Authenticator = (credentials: Credentials) => UserInfo | undefined | Promise<UserInfo | undefined>

/** Whose a token is. */
export interface TokenOwner {
  readonly user: UserInfo
  /** Those of the audiences asked for that the token is for; all of them where absent. */
  readonly audiences?: readonly string[]
}

/**
 * undefined: not a token of mine. Throws an Error that says what is wrong with one that is. The user should be the
 * same value each time for the same token: decisions about it are kept.
 */
export type TokenAuthenticator = (
  token: string,
  audiences: readonly string[],
) => TokenOwner | undefined | Promise<TokenOwner | undefined>
