/** Admission of what is not a write of the object itself: subresources with types of their own, and connections. */
import type { Kind } from '../../api/machinery/kind.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { type AdmissionAttributes, admissionAttributes, type ObjectKind } from '../admission/plugin.ts'
import type { AdmissionChain } from '../registry/admission-chain.ts'
import type { WriteContext } from '../registry/registry.ts'
import type { Handler, ServerRequest } from '../request.ts'
import { flag, requireKind, writeContext } from './request-parts.ts'

/** Asks admission about the creation of `object` (a Binding, an Eviction, …) below an object of `kind`. */
export async function admitCreation(
  chain: AdmissionChain,
  request: ServerRequest,
  context: WriteContext,
  of: { readonly kind: Kind; readonly subresource: string; readonly objectKind: ObjectKind; readonly name: string },
  object: KubeObject,
): Promise<void> {
  const attributes = admissionAttributes({
    operation: 'CREATE',
    ...of,
    namespace: request.info.namespace,
    object,
    user: context.user,
    dryRun: context.dryRun ?? false,
    ...(context.options && { options: context.options }),
    ...(context.warn && { warn: context.warn }),
    ...(context.audit && { audit: context.audit }),
  })
  await chain.mutate(attributes)
  await chain.validate(attributes)
}

/** `handler` of the creation of a kind that is not kept, which asks admission about the object in the body. */
export function admitReview(chain: AdmissionChain, kind: Kind, handler: Handler): Handler {
  return request => {
    const of = { kind, subresource: '', objectKind: kind, name: '' }
    request.admitBody = object => admitCreation(chain, request, writeContext(request, ''), of, object)
    return handler(request)
  }
}

type Options = Record<string, unknown>

const streams = (query: URLSearchParams): Options =>
  Object.fromEntries(['stdin', 'stdout', 'stderr', 'tty'].filter(name => flag(query, name)).map(name => [name, true]))

const container = (query: URLSearchParams): Options => {
  const name = query.get('container')
  return name ? { container: name } : {}
}

const path = ({ info }: ServerRequest): Options => (info.rest ? { path: `/${info.rest}` } : {})

/** What the query of a connection says, as an object: core/v1 PodExecOptions and its like. */
const CONNECTIONS: Readonly<Record<string, readonly [kind: string, options: (request: ServerRequest) => Options]>> = {
  'pods/exec': [
    'PodExecOptions',
    ({ query }) => ({ ...streams(query), ...container(query), command: query.getAll('command') }),
  ],
  'pods/attach': ['PodAttachOptions', ({ query }) => ({ ...streams(query), ...container(query) })],
  'pods/portforward': [
    'PodPortForwardOptions',
    ({ query }) =>
      query.has('ports')
        ? {
            ports: query
              .getAll('ports')
              .flatMap(each => each.split(','))
              .map(Number),
          }
        : {},
  ],
  'pods/proxy': ['PodProxyOptions', path],
  'services/proxy': ['ServiceProxyOptions', path],
  'nodes/proxy': ['NodeProxyOptions', path],
}

/** `handler`, once admission allows the connection. `key` is that of the subresource, e.g. `v1/pods/exec`. */
export function admitConnection(
  chain: AdmissionChain,
  registry: { kind(key: string): Kind | undefined },
  key: string,
  handler: Handler,
): Handler {
  const resource = key.slice(key.indexOf('/') + 1)
  const [objectKind, optionsOf] = CONNECTIONS[resource]!
  const kind = requireKind(registry, key.slice(0, key.lastIndexOf('/')))
  return async request => {
    const { namespace, name, subresource } = request.info
    const attributes: AdmissionAttributes = admissionAttributes({
      operation: 'CONNECT',
      kind,
      objectKind: { group: '', version: 'v1', kind: objectKind },
      subresource,
      namespace,
      name,
      object: { kind: objectKind, apiVersion: 'v1', ...optionsOf(request) } as KubeObject,
      user: request.user,
      warn: text => request.warn(text),
      ...(request.audit && { audit: request.audit }),
    })
    await chain.mutate(attributes)
    await chain.validate(attributes)
    return handler(request)
  }
}
