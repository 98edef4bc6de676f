/** Who asks, and may they: the two questions every request passes. */
import type { Selection } from './selectors.ts'

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

/** What is to be done, as RBAC sees it (authorization.k8s.io ResourceAttributes and NonResourceAttributes). */
export interface Attributes {
  readonly user: UserInfo
  readonly verb: string
  readonly isResource: boolean
  readonly group: string
  readonly version: string
  readonly namespace: string
  readonly resource: string
  readonly subresource: string
  readonly name: string
  /** For non-resource requests. */
  readonly path: string
  /** Of lists, watches and deletions of collections, where they have one. */
  readonly fieldSelector?: Selection
  readonly labelSelector?: Selection
}

export interface Decision {
  readonly allowed: boolean
  /** Only the node authorizer and deny rules use it: no later authorizer is asked. */
  readonly denied?: boolean
  readonly reason?: string
  /** What kept an authorizer from deciding. */
  readonly error?: string
}

/** Only authorizers that ask over the network answer by a promise. */
export type Authorizer = (attributes: Attributes) => Decision | Promise<Decision>

/** An authorizer that decides on the spot. */
export type LocalAuthorizer = (attributes: Attributes) => Decision
