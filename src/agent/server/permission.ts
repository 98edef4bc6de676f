/**
 * Whether a caller may ask a node for a path: the API server is asked about subresources of the node's object
 * (SubjectAccessReview; Kubernetes documentation, "Kubelet authentication/authorization", with the fine-grained
 * subresources of KEP-2862).
 */
import { type Client, send } from '../../client/client.ts'
import { createAnswers } from '../../lib/answers.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Caller } from './identity.ts'

const VERBS: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}
/** Subresources of paths, each enough by itself. What is not listed is `proxy`. */
const SUBRESOURCES: Readonly<Record<string, readonly string[]>> = {
  pods: ['pods', 'proxy'],
  runningpods: ['pods', 'proxy'],
  healthz: ['healthz', 'proxy'],
  configz: ['configz', 'proxy'],
  stats: ['stats'],
  metrics: ['metrics'],
  logs: ['log'],
  checkpoint: ['checkpoint'],
  statusz: ['statusz'],
  flagz: ['configz'],
}
/** How long a decision is kept, in ms, as the kubelet does. */
const ALLOWED_MS = 300_000
const DENIED_MS = 30_000

/** What a request needs: the verb on any of these subresources of the node. */
export function neededFor(method: string, path: string): { verb: string; subresources: readonly string[] } {
  const first = path.split('/')[1] ?? ''
  return { verb: VERBS[method] ?? method.toLowerCase(), subresources: SUBRESOURCES[first] ?? ['proxy'] }
}

export type Permission = (caller: Caller, method: string, path: string) => Promise<boolean>

/** Asks the API server, and remembers for a while what it said. Rejects where it cannot be asked. */
export function nodePermission(client: Client, nodeName: string, clock: Pick<Clock, 'elapsed'>): Permission {
  const known = createAnswers<boolean>(clock)

  async function ask({ name, uid, groups, extra }: Caller, verb: string, subresource: string): Promise<boolean> {
    const key = JSON.stringify([name, uid, groups, extra, verb, subresource])
    const before = known.get(key)
    if (before !== undefined) return before
    const body = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: {
        user: name,
        groups,
        ...(uid && { uid }),
        ...(extra && { extra }),
        resourceAttributes: { verb, version: 'v1', resource: 'nodes', subresource, name: nodeName },
      },
    }
    const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews'
    const { object } = await send(client.transport, { method: 'POST', path, body })
    const allowed = (object as { status?: { allowed?: boolean } }).status?.allowed === true
    known.keep(key, allowed, allowed ? ALLOWED_MS : DENIED_MS)
    return allowed
  }

  return async (caller, method, path) => {
    const { verb, subresources } = neededFor(method, path)
    for (const subresource of subresources) if (await ask(caller, verb, subresource)) return true
    return false
  }
}
