/** May they: the second of the two questions that every request passes. */
import type { UserInfo } from '../authentication/authenticator.ts'
import type { Selection } from './selectors.ts'

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
