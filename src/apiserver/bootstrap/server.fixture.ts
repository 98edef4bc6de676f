/** The API server with everything of this folder, in the test's own process, on a virtual clock. */
import { generateKeyPairSync } from 'node:crypto'
import { kinds as allKinds } from '../../api/kinds/all.ts'
import type { Kind } from '../../api/machinery/kind.ts'
import type { NodeApi } from '../../client/node-api.ts'
import type { ApiRequest, Transport } from '../../client/transport.ts'
import { silent } from '../../lib/log.ts'
import { type VirtualClock, virtualClock } from '../../lib/virtual-clock.ts'
import { memoryStore } from '../../store/memory/memory.ts'
import type { Audit } from '../audit/audit.ts'
import type { ClientCertificate, UserInfo } from '../authentication/authenticator.ts'
import { authenticationFilter } from '../filters/authentication.ts'
import type { Answer, ServerRequest } from '../request.ts'
import { createApiServer, type ServerExtensions } from '../server.ts'
import { type ExtensionDeps, extendServer } from './extend.ts'

const VERSION = {
  major: '1',
  minor: '36',
  gitVersion: 'v1.36.3',
  gitCommit: '',
  gitTreeState: '',
  buildDate: '',
  goVersion: '',
  compiler: '',
  platform: '',
}

// biome-ignore lint/suspicious/noExplicitAny: answers are read as tests know them
type Loose = any

export interface Reply {
  readonly status: number
  readonly object: Loose
  readonly warnings: readonly string[]
}

export const ADMIN: UserInfo = { name: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] }
export const nodeUser = (name: string): UserInfo => ({
  name: `system:node:${name}`,
  groups: ['system:nodes', 'system:authenticated'],
})
export const person = (name: string, ...groups: string[]): UserInfo => ({
  name,
  groups: [...groups, 'system:authenticated'],
})

let key: string | undefined

/** Starts a server; `store` is that of an earlier one, for restarts. */
export async function startServer(
  options: {
    store?: ReturnType<typeof memoryStore>
    kinds?: readonly Kind[]
    clock?: VirtualClock
    extensions?: Partial<ExtensionDeps>
    audit?: Audit
  } = {},
) {
  const clock = options.clock ?? virtualClock()
  const store = options.store ?? memoryStore({ clock })
  const nodes = new Map<string, NodeApi>()
  key ??= generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  }) as string
  const tokenKey = key
  let extensions: ServerExtensions | undefined
  const server = await createApiServer({
    store,
    kinds: options.kinds ?? allKinds,
    clock,
    logger: silent,
    version: VERSION,
    ...(options.audit && { audit: options.audit }),
    extend: async registry => {
      const deps = { clock, logger: silent, tokenKey, nodes: (name: string) => nodes.get(name) }
      extensions = await extendServer(registry, { ...deps, ...options.extensions })
      return extensions
    },
  })
  const transports = new Map<UserInfo, Transport>()
  /** Sends a request as a user; the body is copied. */
  const send = async (
    user: UserInfo,
    method: ApiRequest['method'],
    path: string,
    body?: object,
    more: Partial<ApiRequest> = {},
  ): Promise<Reply> => {
    const transport = transports.get(user) ?? server.transport(user)
    transports.set(user, transport)
    const {
      status,
      object,
      warnings = [],
    } = await transport({
      method,
      path,
      ...(body && { body: structuredClone(body) }),
      ...more,
    })
    return { status, object, warnings }
  }
  // What the service account controller does.
  const accounts = '/api/v1/namespaces/default/serviceaccounts'
  if ((await send(ADMIN, 'GET', `${accounts}/default`)).status === 404)
    await send(ADMIN, 'POST', accounts, account('default'))
  return { server, store, clock, nodes, extensions: extensions!, send }
}

/** The user whom a request with these headers is taken for; the status code where it is refused. */
export async function identify(
  extensions: ServerExtensions,
  headers: Record<string, string>,
  path = '/api/v1/pods',
  certificate?: ClientCertificate,
): Promise<UserInfo | number> {
  const request = { headers, path, ...(certificate && { clientCertificate: certificate }) } as unknown as ServerRequest
  try {
    await authenticationFilter(extensions.authenticators, extensions.anonymous)(async () => ({}) as Answer)(request)
    return request.user
  } catch (error) {
    return (error as { code: number }).code
  }
}

export type TestServer = Awaited<ReturnType<typeof startServer>>

/** A service account, so that pods can be made in its namespace. */
export const account = (name: string, namespace = 'default') => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name, namespace },
})

/** A pod of one container. */
export const pod = (name: string, spec: object = {}, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', ...metadata },
  spec: { containers: [{ name: 'main', image: 'host' }], ...spec },
})
