/** From a request to the handler of its verb, or of its special resource. */

import { type Kind, kindKey } from '../../api/machinery/kind.ts'
import { methodNotAllowed, methodNotSupported, notFound, pathNotFound } from '../../api/machinery/status-error.ts'
import type { Answer, Handler, ServerRequest } from '../request.ts'
import type { ServerExtensions } from '../server.ts'
import { create } from './create.ts'
import { mediaType } from './decode-body.ts'
import { deleteCollection, deleteOne } from './delete.ts'
import type { HandlerDeps } from './deps.ts'
import { get } from './get.ts'
import { list } from './list.ts'
import { patch } from './patch.ts'
import { PATCH_TYPES } from './patch-body.ts'
import { scale } from './scale.ts'
import { update } from './update.ts'
import { watch } from './watch.ts'

type VerbHandler = (deps: HandlerDeps, request: ServerRequest, kind: Kind) => Promise<Answer>

const VERBS: Readonly<Record<string, VerbHandler>> = {
  get,
  list,
  watch,
  create,
  update,
  patch,
  delete: deleteOne,
  deletecollection: deleteCollection,
}

/** Refuses paths that do not fit the kind's scope: a namespace where there is none, or none where one is needed. */
function checkScope(request: ServerRequest, kind: Kind) {
  const { namespace, verb, resource } = request.info
  if (!kind.namespaced) {
    if (namespace !== '' && resource !== 'namespaces') throw pathNotFound()
  } else if (namespace === '' && verb !== 'list' && verb !== 'watch') {
    // Across namespaces there is only reading.
    throw request.info.name ? pathNotFound() : methodNotAllowed()
  }
}

function methodOf(request: ServerRequest) {
  return request.method === 'HEAD' ? 'GET' : request.method
}

/** A part of an object that has three verbs and shows the whole object: its status, the approval of a request. */
function part(deps: HandlerDeps, request: ServerRequest, kind: Kind, subresource: string): Promise<Answer> {
  switch (methodOf(request)) {
    case 'GET':
      return get(deps, request, kind)
    case 'PUT':
      return update(deps, request, kind, subresource)
    case 'PATCH':
      return patch(deps, request, kind, subresource)
    default:
      throw methodNotAllowed()
  }
}

/** Parts that are written as the status is: the kind says what of the object they change (`keep`, `prepareUpdate`). */
const PARTS = new Set([
  'certificates.k8s.io/v1/certificatesigningrequests/approval',
  'v1/pods/ephemeralcontainers',
  'v1/pods/resize',
])

const NAMED = new Set(['create', 'update', 'patch'])

/** A patch of a type that is not taken gets no further than upstream's router. */
function warnOf(deprecation: string, request: ServerRequest) {
  const isPatch = request.info.verb === 'patch' && request.body.type === 'bytes'
  const type = isPatch ? mediaType(request.body.contentType) : undefined
  if (type === undefined || PATCH_TYPES.some(each => each === type)) request.warn(deprecation)
}

/** Makes the handler of all resource requests. */
export function resourceRoutes(
  deps: HandlerDeps,
  { subresources, virtual }: Pick<ServerExtensions, 'subresources' | 'virtual'>,
): Handler {
  function below(request: ServerRequest, kind: Kind): Promise<Answer> {
    const { subresource } = request.info
    const special = subresources.get(`${kind.key}/${subresource}`)
    if (special) return special(request)
    if (subresource === 'status' && kind.status) return part(deps, request, kind, 'status')
    if (PARTS.has(`${kind.key}/${subresource}`)) return part(deps, request, kind, subresource)
    if (subresource === 'scale' && kind.scale) return scale(deps, request, kind, methodOf(request))
    if (kind.custom) throw notFound(kind, request.info.name)
    throw pathNotFound()
  }

  /** What is made when it is asked for can be read, and no more. */
  function shown(request: ServerRequest, kind: Kind, special: Handler): Promise<Answer> {
    const { verb } = request.info
    if (request.method !== 'GET') throw methodNotAllowed()
    if (kind.deprecation) request.warn(kind.deprecation)
    if (!kind.verbs.some(each => each === verb)) throw methodNotSupported(kind, verb)
    return special(request)
  }

  return async request => {
    const { info } = request
    const kind = deps.registry.kind(kindKey(info.group, info.version, info.resource))
    if (!kind) throw pathNotFound()
    checkScope(request, kind)
    request.kind = kind
    if (info.subresource) return below(request, kind)
    if (kind.virtual) {
      const special = virtual.get(kind.key)
      if (!special || (info.name && !kind.verbs.includes('get'))) throw pathNotFound()
      if (kind.verbs.includes('get')) return shown(request, kind, special)
      return special(request)
    }
    const handler = VERBS[info.verb]
    if (!handler) throw methodNotAllowed()
    if (!(kind.verbs as readonly string[]).includes(info.verb)) {
      if (info.verb === 'deletecollection') throw methodNotAllowed()
      throw methodNotSupported(kind, info.verb)
    }
    // One object is made in a collection, and changed by its name.
    if ((info.verb === 'create') === (info.name !== '') && NAMED.has(info.verb)) throw methodNotAllowed()
    if (kind.deprecation) warnOf(kind.deprecation, request)
    return handler(deps, request, kind)
  }
}
