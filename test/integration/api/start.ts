/** An API server alone, for the tests of the API: memory store, everything allowed, nothing else running. */
import { kinds } from '../../../src/api/kinds/all.ts'
import type { KubeObject } from '../../../src/api/machinery/object.ts'
import type { ServerExtensions } from '../../../src/apiserver/server.ts'
import { type ApiServer, createApiServer, type VersionInfo } from '../../../src/apiserver/server.ts'
import type { ApiRequest, ApiResponse, Transport } from '../../../src/client/transport.ts'
import type { Clock } from '../../../src/lib/clock.ts'
import { silent } from '../../../src/lib/log.ts'
import { type VirtualClock, virtualClock } from '../../../src/lib/virtual-clock.ts'
import { memoryStore } from '../../../src/store/memory/memory.ts'
import type { Store } from '../../../src/store/store.ts'

export const version: VersionInfo = {
  major: '1',
  minor: '36',
  gitVersion: 'v1.36.3+tutti.test',
  gitCommit: '',
  gitTreeState: '',
  buildDate: '',
  goVersion: '',
  compiler: '',
  platform: '',
}

const open: ServerExtensions = {
  authenticators: [],
  authorizer: () => ({ allowed: true }),
  admission: [],
  subresources: new Map(),
  virtual: new Map(),
  hooks: new Map(),
}

/** An answer whose object is read without ceremony. */
// biome-ignore lint/suspicious/noExplicitAny: tests read JSON
export type Loose = any

export interface TestApi {
  readonly server: ApiServer
  readonly store: Store
  readonly clock: Clock
  readonly transport: Transport
  get(path: string, query?: Record<string, string>, accept?: string): Promise<ApiResponse & { object: Loose }>
  send(
    method: ApiRequest['method'],
    path: string,
    body?: unknown,
    query?: Record<string, string>,
    contentType?: string,
  ): Promise<ApiResponse & { object: Loose }>
}

/** Starts one. Close it with `server.close()`. */
export async function startApi(
  extensions: Partial<ServerExtensions> = {},
  clock: Clock | VirtualClock = virtualClock(),
  store: Store = memoryStore({ clock }),
): Promise<TestApi> {
  const server = await createApiServer({
    store,
    kinds,
    clock,
    logger: silent,
    version,
    extend: () => ({ ...open, ...extensions }),
  })
  const transport = server.transport({ name: 'test', groups: ['system:masters'] })
  return {
    server,
    store,
    clock,
    transport,
    get: async (path, query = {}, accept) =>
      (await transport({ method: 'GET', path, query, ...(accept && { accept }) })) as Loose,
    send: async (method, path, body, query = {}, contentType) =>
      (await transport({ method, path, body, query, ...(contentType && { contentType }) })) as Loose,
  }
}

/** A ConfigMap as clients send it. */
export const configMap = (name: string, data: Record<string, string> = {}, more: object = {}): KubeObject =>
  ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...more }, data }) as KubeObject
