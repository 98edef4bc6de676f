/** Who asks, and may they: the two questions every request passes. */

export interface UserInfo {
  readonly name: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

export const ANONYMOUS: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] }

export interface Credentials {
  /** The Authorization header. */
  readonly authorization?: string
  /** DER of a client certificate that TLS verified against the cluster CA. */
  readonly certificate?: Buffer
}

/** undefined: these credentials are not mine. Throws StatusError 401 for ones that are mine and bad. */
export type Authenticator = (credentials: Credentials) => UserInfo | undefined | Promise<UserInfo | undefined>

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
  readonly fieldSelector?: string
  readonly labelSelector?: string
}

export interface Decision {
  readonly allowed: boolean
  /** Only the node authorizer and deny rules use it: no later authorizer is asked. */
  readonly denied?: boolean
  readonly reason?: string
}

export type Authorizer = (attributes: Attributes) => Decision
