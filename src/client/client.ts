/**
 * The one client of the API, typed by the kind it is asked for. It is a thin reading of paths and verbs over a
 * `Transport`; it keeps nothing, retries nothing and throws `StatusError` for every answer of 400 and more.
 */
import type { KubeList, KubeObject } from '../api/machinery/object.ts'
import { StatusError, type StatusLike } from '../api/machinery/status-error.ts'
import { collectionPath, type ObjectRef, objectPath, type Resource, refOf } from './resource.ts'
import type { ApiRequest, ApiResponse, Transport, WatchEvent } from './transport.ts'

/** Which objects of a kind (meta/v1 ListOptions). */
export interface Selection {
  /** All namespaces when absent or ''. */
  readonly namespace?: string | undefined
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
}

export interface ListOptions extends Selection {
  readonly limit?: number
  readonly continue?: string
  readonly resourceVersion?: string
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan'
}

export interface WatchOptions extends Selection {
  /** Events after this one; the current state first when absent. */
  readonly resourceVersion?: string
  readonly bookmarks?: boolean
  readonly signal?: AbortSignal
}

/** Options that writes share. */
export interface WriteOptions {
  readonly dryRun?: boolean
  readonly fieldManager?: string
  readonly fieldValidation?: 'Strict' | 'Warn' | 'Ignore'
}

export interface PatchOptions extends WriteOptions {
  readonly type: 'json' | 'merge' | 'strategic' | 'apply'
  /** Takes fields over from other managers; apply only. */
  readonly force?: boolean
  /** `status`, `scale`, … */
  readonly subresource?: string
}

/** meta/v1 DeleteOptions. */
export interface DeleteOptions {
  readonly gracePeriodSeconds?: number
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground'
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
  readonly dryRun?: boolean
}

/** Calls for one kind. Answers are shared and read-only; bodies belong to the callee once they are passed. */
export interface KindClient<T extends KubeObject> {
  get(ref: ObjectRef): Promise<T>
  /** Like `get`, but undefined where it does not exist. */
  find(ref: ObjectRef): Promise<T | undefined>
  /** One page, or everything when no limit is given. */
  list(options?: ListOptions): Promise<KubeList<T>>
  /** Every object, fetched page by page (500 each). */
  listAll(options?: Selection): Promise<T[]>
  /** In `object.metadata.namespace`. */
  create(object: T, options?: WriteOptions): Promise<T>
  update(object: T, options?: WriteOptions): Promise<T>
  updateStatus(object: T, options?: WriteOptions): Promise<T>
  patch(ref: ObjectRef, patch: unknown, options: PatchOptions): Promise<T>
  /** Answers the object while it still waits for something, else a Status. */
  delete(ref: ObjectRef, options?: DeleteOptions): Promise<KubeObject>
  deleteCollection(selection: Selection, options?: DeleteOptions): Promise<void>
  /** Batches of events until the server or the signal ends it. ERROR events are handed on as they are. */
  watch(options?: WatchOptions): Promise<AsyncIterable<readonly WatchEvent<T>[]>>
  /** Any subresource: `binding`, `token`, `eviction`, `scale`, … POST with a body, unless another method is named. */
  subresource<R = unknown>(ref: ObjectRef, name: string, body?: unknown, method?: ApiRequest['method']): Promise<R>
}

export interface Client {
  readonly transport: Transport
  kind<T extends KubeObject>(resource: Resource<T>): KindClient<T>
}

const PATCH_TYPES = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const

const PAGE = 500

/** Sends a request; throws `StatusError` for 400 and more. */
export async function send(transport: Transport, request: ApiRequest): Promise<ApiResponse> {
  const response = await transport(request)
  if (response.status >= 400) throw StatusError.from(response.object as StatusLike)
  return response
}

type Query = Record<string, string | number | boolean | undefined>

function query(values: Query): Record<string, string> {
  const result: Record<string, string> = {}
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== '' && value !== false) result[name] = String(value)
  }
  return result
}

const selectionQuery = ({ labelSelector, fieldSelector }: Selection): Query => ({ labelSelector, fieldSelector })

const deleteBody = ({ dryRun, ...options }: DeleteOptions) => ({
  kind: 'DeleteOptions',
  apiVersion: 'v1',
  ...options,
  ...(dryRun && { dryRun: ['All'] }),
})

/** Makes a client. `fieldManager` names the writer in metadata.managedFields where a call names none. */
export function createClient(transport: Transport, defaults: { readonly fieldManager?: string } = {}): Client {
  const writeQuery = (options: WriteOptions = {}): Query => ({
    dryRun: options.dryRun ? 'All' : undefined,
    fieldManager: options.fieldManager ?? defaults.fieldManager,
    fieldValidation: options.fieldValidation,
  })
  const call = async <R>(request: ApiRequest) => (await send(transport, request)).object as R

  function kind<T extends KubeObject>(resource: Resource<T>): KindClient<T> {
    const put = (object: T, options: WriteOptions | undefined, subresource?: string) =>
      call<T>({
        method: 'PUT',
        path: objectPath(resource, refOf(object), subresource),
        query: query(writeQuery(options)),
        body: object,
      })
    const list = async (options: ListOptions = {}) => {
      const { namespace, limit, continue: next, resourceVersion, resourceVersionMatch } = options
      const found = await call<KubeList<T>>({
        method: 'GET',
        path: collectionPath(resource, namespace),
        query: query({
          ...selectionQuery(options),
          limit,
          continue: next,
          resourceVersion,
          resourceVersionMatch,
        }),
      })
      // On the wire the items of a list leave their type to the list.
      if (!found.items?.length || found.items[0]!.kind) return found
      const { kind, apiVersion } = resource
      return { ...found, items: found.items.map(item => ({ kind, apiVersion, ...item })) }
    }
    const get = (ref: ObjectRef) => call<T>({ method: 'GET', path: objectPath(resource, ref) })
    return {
      get,
      async find(ref) {
        try {
          return await get(ref)
        } catch (error) {
          if (error instanceof StatusError && error.code === 404) return undefined
          throw error
        }
      },
      list,
      async listAll(options = {}) {
        const items: T[] = []
        let next: string | undefined
        do {
          const page = await list({ ...options, limit: PAGE, ...(next && { continue: next }) })
          items.push(...page.items)
          next = page.metadata?.continue
        } while (next)
        return items
      },
      create: (object, options) =>
        call<T>({
          method: 'POST',
          path: collectionPath(resource, object.metadata?.namespace),
          query: query(writeQuery(options)),
          body: object,
        }),
      update: (object, options) => put(object, options),
      updateStatus: (object, options) => put(object, options, 'status'),
      patch: (ref, body, { type, force, subresource, ...options }) =>
        call<T>({
          method: 'PATCH',
          path: objectPath(resource, ref, subresource),
          query: query({ ...writeQuery(options), force }),
          contentType: PATCH_TYPES[type],
          body,
        }),
      delete: (ref, options = {}) =>
        call<KubeObject>({ method: 'DELETE', path: objectPath(resource, ref), body: deleteBody(options) }),
      async deleteCollection({ namespace, ...selection }, options = {}) {
        await send(transport, {
          method: 'DELETE',
          path: collectionPath(resource, namespace),
          query: query(selectionQuery(selection)),
          body: deleteBody(options),
        })
      },
      async watch({ namespace, resourceVersion, bookmarks, signal, ...selection } = {}) {
        const response = await send(transport, {
          method: 'GET',
          path: collectionPath(resource, namespace),
          query: query({ ...selectionQuery(selection), watch: true, resourceVersion, allowWatchBookmarks: bookmarks }),
          ...(signal && { signal }),
        })
        if (!response.events) throw new Error(`the answer to a watch of ${resource.plural} has no events`)
        return response.events as AsyncIterable<readonly WatchEvent<T>[]>
      },
      subresource: (ref, name, body, method = body === undefined ? 'GET' : 'POST') =>
        call({
          method,
          path: objectPath(resource, ref, name),
          query: query(method === 'GET' ? {} : writeQuery()),
          ...(body !== undefined && { body }),
        }),
    }
  }
  return { transport, kind }
}

/** True for an API error with this reason (`NotFound`, `Conflict`, `AlreadyExists`, …). */
export const hasReason = (error: unknown, ...reasons: readonly string[]): error is StatusError =>
  error instanceof StatusError && reasons.includes(error.reason)
