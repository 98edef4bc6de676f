/** Requests of the commands, over the one transport, with errors as `StatusError`. */
import type { KubeList, KubeObject } from '../api/machinery/object.ts'
import { StatusError } from '../api/machinery/status-error.ts'
import { collectionPath, objectPath, type Resource } from '../client/resource.ts'
import type { ApiRequest, Transport } from '../client/transport.ts'

/** Sends a request and returns the answer's object; throws `StatusError` for 400 and more. */
export async function request<T = unknown>(transport: Transport, message: ApiRequest): Promise<T> {
  const response = await transport(message)
  if (response.status >= 400) throw StatusError.from(response.object as Parameters<typeof StatusError.from>[0])
  return response.object as T
}

/** Whether a request failed because there is no such thing. */
export const isMissing = (error: unknown): boolean => error instanceof StatusError && error.code === 404

/** The items under a path of a collection. */
export async function getList<T extends KubeObject>(
  transport: Transport,
  path: string,
  query: Record<string, string> = {},
): Promise<readonly T[]> {
  return (await request<KubeList<T>>(transport, { method: 'GET', path, query })).items
}

/** The path of a collection, an object, or a subresource. */
export function pathOf(resource: Resource, namespace: string | undefined, name?: string, subresource?: string): string {
  return name === undefined
    ? collectionPath(resource, namespace)
    : objectPath(resource, { namespace, name }, subresource)
}
