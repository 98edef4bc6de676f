/**
 * A request as data, so that it can be put to any server, and the scenes that requests are played in. What a server
 * made up itself stands in later requests as `{{rv}}` (resourceVersion), `{{uid}}` and `{{continue}}` of the newest
 * object or list that the scene was answered with.
 */
import { findKindOf } from '../../src/api/kinds/all.ts'
import type { Kind } from '../../src/api/machinery/kind.ts'
import { type Json, NAMESPACE } from './bases/base.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface Ask {
  /** Says what is asked; unique in its scene. */
  readonly title: string
  readonly method: Method
  /** With the query. */
  readonly path: string
  /** Sent as JSON. */
  readonly body?: unknown
  /** Sent as it is, instead of `body`. */
  readonly raw?: string
  /** Content type; default `application/json`. */
  readonly type?: string
  readonly accept?: string
}

/** Requests that stand on one another. What they make is cleared away afterwards. */
export interface Scene {
  /** The file of recorded answers it belongs to, e.g. `v1-Pod`. */
  readonly topic: string
  /** Unique in its topic. */
  readonly name: string
  readonly asks: readonly Ask[]
}

export interface Answer {
  readonly status: number
  /** Texts of Warning headers, in their order. */
  readonly warnings?: readonly string[]
  /** Parsed JSON, or a text. */
  readonly body: unknown
}

export const APPLY = 'application/apply-patch+yaml'
export const MERGE = 'application/merge-patch+json'
export const STRATEGIC = 'application/strategic-merge-patch+json'
export const JSON_PATCH = 'application/json-patch+json'
export const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io'
export const METADATA = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io'
export const METADATA_LIST = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io'

/** Query of a request that leaves nothing behind and accepts no unknown field. */
export const DRY = '?dryRun=All&fieldValidation=Strict'

/** The kind of an object. Throws for an unknown one. */
export function kindOf({ apiVersion, kind }: Json): Kind {
  const found = findKindOf(apiVersion, kind)
  if (!found) throw new Error(`no kind ${apiVersion} ${kind}`)
  return found
}

/** Where objects like this one are created. */
export function collectionOf(object: Json): string {
  const kind = kindOf(object)
  const root = kind.group ? `/apis/${kind.apiVersion}` : `/api/${kind.apiVersion}`
  return `${root}${kind.namespaced ? `/namespaces/${NAMESPACE}` : ''}/${kind.plural}`
}

export const pathOf = (object: Json) => `${collectionOf(object)}/${object.metadata?.name}`

/** The topic of everything about an object's kind. */
export const topicOf = ({ apiVersion, kind }: Json) => `${apiVersion.replace('/', '-')}-${kind}`

export const create = (title: string, object: Json, query = ''): Ask => ({
  title,
  method: 'POST',
  path: collectionOf(object) + query,
  body: object,
})

export const read = (title: string, path: string, accept?: string): Ask => ({
  title,
  method: 'GET',
  path,
  ...(accept && { accept }),
})

export const replace = (title: string, object: Json, query = '', below = ''): Ask => ({
  title,
  method: 'PUT',
  path: `${pathOf(object)}${below}${query}`,
  body: object,
})

export const patch = (title: string, path: string, type: string, body: unknown): Ask => ({
  title,
  method: 'PATCH',
  path,
  type,
  body,
})
