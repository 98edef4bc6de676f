import type { Kind } from '../../api/machinery/kind.ts'
import type { ListMeta } from '../../api/machinery/object.ts'
import { badRequest, resourceExpired, StatusError, timeout } from '../../api/machinery/status-error.ts'
import { StoreError } from '../../store/store.ts'
import type { KindView } from '../registry/kind-view.ts'
import type { CacheList, CacheListOptions } from '../registry/watch-cache.ts'
import type { Answer, ServerRequest } from '../request.ts'
import { type ContinueToken, decodeContinue, encodeContinue } from './continue-token.ts'
import type { HandlerDeps } from './deps.ts'
import { badListRevision, type ListOptions, listOptions, parseRevision, selectionOf } from './list-options.ts'

const INCONSISTENT =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.'

const BOTH = 'specifying resource version is not allowed when using continue'

/** A revision that nobody has written yet: 504, as upstream after its wait. */
export function tooLargeResourceVersion(asked: number, current: number): StatusError {
  const { status } = timeout(`Too large resource version: ${asked}, current: ${current}`, 1)
  return new StatusError({
    ...status,
    details: {
      ...status.details,
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    },
  })
}

/** The token of an expired one that goes on at the newest revision. */
function expired(token: ContinueToken | undefined): StatusError {
  if (!token) return resourceExpired('The resourceVersion for the provided list is too old.')
  const { status } = resourceExpired(INCONSISTENT)
  return new StatusError({ ...status, metadata: { continue: encodeContinue({ revision: -1, after: token.after }) } })
}

/** The state at a past revision, from the ring or else from the store's history. undefined: it was compacted away. */
async function listAt(deps: HandlerDeps, of: KindView, options: CacheListOptions): Promise<CacheList | undefined> {
  if (options.at !== undefined && options.at < deps.registry.compactedRevision()) return undefined
  const recent = of.cache.list(options)
  if (recent || options.at === undefined) return recent
  try {
    return await deps.registry.history(of, options)
  } catch (error) {
    if (error instanceof StoreError && error.code === 'compacted') return undefined
    throw error
  }
}

function revisionToShow(deps: HandlerDeps, options: ListOptions, token: ContinueToken | undefined): number | undefined {
  const current = deps.registry.revision()
  if (token) {
    if (options.resourceVersion && options.resourceVersion !== '0') throw badRequest(BOTH)
    return token.revision < 0 ? undefined : token.revision
  }
  const asked = parseRevision(options.resourceVersion, badListRevision)
  if (asked === undefined || asked === 0) return undefined
  if (asked > current) throw tooLargeResourceVersion(asked, current)
  const exact = options.resourceVersionMatch === 'Exact' || (!options.resourceVersionMatch && options.limit > 0)
  return exact && asked !== current ? asked : undefined
}

/** Answers GET of a collection. */
export async function list(deps: HandlerDeps, request: ServerRequest, kind: Kind): Promise<Answer> {
  const options = listOptions(request, false)
  const of = deps.registry.view(kind)
  const selection = selectionOf(kind, request.info.namespace, options)
  const token = options.continue ? decodeContinue(options.continue) : undefined
  const at = revisionToShow(deps, options, token)
  const revision = at ?? deps.registry.revision()
  const { matches, name } = selection
  if (of.convert && matches) await of.convert(of.cache.list({ namespace: selection.namespace })!.items)
  const shown = of.converts && matches ? (object: Parameters<typeof matches>[0]) => matches(of.show(object)) : matches
  const filter =
    name === ''
      ? shown
      : (object: Parameters<NonNullable<typeof shown>>[0]) =>
          object.value.metadata?.name === name && (!shown || shown(object))

  let found: CacheList | undefined
  if (name && selection.namespace !== '' && at === undefined && !token) {
    const one = of.cache.get(selection.namespace, name)
    found = { items: one && (!shown || shown(one)) ? [one] : [], next: undefined, remaining: undefined }
  } else {
    found = await listAt(deps, of, {
      namespace: selection.namespace,
      ...(token && { after: token.after }),
      // The newest that is at hand comes whole, as from upstream's cache.
      limit: options.resourceVersion === '0' && !token ? 0 : options.limit,
      ...(filter && { matches: filter }),
      ...(at !== undefined && { at }),
    })
  }
  if (!found) throw expired(token)
  const metadata: ListMeta = { resourceVersion: String(revision) }
  if (found.next) metadata.continue = encodeContinue({ revision, after: found.next })
  if (found.remaining) metadata.remainingItemCount = found.remaining
  if (of.convert) await of.convert(found.items)
  const items = of.converts ? found.items.map(of.show) : found.items
  const { listKind, apiVersion } = kind
  return { status: 200, type: 'list', kind: listKind, apiVersion, metadata, items, untyped: !kind.custom }
}
