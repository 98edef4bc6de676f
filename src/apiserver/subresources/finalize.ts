/** namespaces/finalize: the namespace controller takes its finalizer off, and the namespace goes. */
import type { KubeObject } from '../../api/machinery/object.ts'
import { badRequest } from '../../api/machinery/status-error.ts'
import type { Registry } from '../registry/registry.ts'
import type { Handler } from '../request.ts'
import { bodyObject, requireKind, writeContext } from './request-parts.ts'

interface Namespace extends KubeObject {
  spec?: { finalizers?: string[] }
}

/** The handler: of the body only spec.finalizers counts. */
export function finalizeHandler(registry: Registry): Handler {
  const namespaces = requireKind(registry, 'v1/namespaces')
  return async request => {
    const body = await bodyObject<Namespace>(request, { apiVersion: 'v1', kind: 'Namespace' })
    const { name } = request.info
    if (body.metadata?.name && body.metadata.name !== name)
      throw badRequest(`the name of the object (${body.metadata.name}) does not match the name on the URL (${name})`)
    const { resourceVersion } = body.metadata ?? {}
    const object = await registry.update(
      namespaces,
      { namespace: '', name },
      current => {
        const next = current as Namespace
        const finalizers = body.spec?.finalizers ?? []
        const { finalizers: _, ...rest } = next.spec ?? {}
        next.spec = finalizers.length ? { ...rest, finalizers } : rest
        if (resourceVersion) next.metadata!.resourceVersion = resourceVersion
      },
      writeContext(request, 'finalize'),
    )
    return { type: 'object', status: 200, object }
  }
}
