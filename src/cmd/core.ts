/** The parts of a cluster on one machine, started in their order and stopped in the reverse. */
import { join } from 'node:path'
import { kinds } from '../api/kinds/all.ts'
import { extendServer } from '../apiserver/bootstrap/extend.ts'
import { publishKubernetesService } from '../apiserver/bootstrap/kubernetes-service.ts'
import { createApiServer, type VersionInfo } from '../apiserver/server.ts'
import { type UpOptions, UserError } from '../cli/context.ts'
import { ownKubeconfig } from '../cli/kubeconfig.ts'
import type { NodeApi } from '../client/node-api.ts'
import type { Clock } from '../lib/clock.ts'
import { buildKubeconfig, writeKubeconfig } from '../lib/kubeconfig.ts'
import type { Logger } from '../lib/log.ts'
import { openPki } from '../lib/pki/files.ts'
import { memoryStore } from '../store/memory/memory.ts'
import { KUBERNETES_VERSION } from './version.ts'

export const SERVICE_CIDR = '10.96.0.0/16'

export interface CoreDeps {
  readonly options: UpOptions
  readonly version: string
  readonly nodeName: string
  readonly clock: Clock
  readonly logger: Logger
  onPhase(phase: string): void
}

export interface Core {
  readonly server: string
  readonly nodeName: string
  readonly network: { readonly mode: string; readonly notes: readonly string[] }
  readonly runtimes: readonly string[]
  readonly notes: readonly string[]
  /** Ends everything; `workloads` are stopped in order first, or left to run on. */
  stop(options: { readonly workloads: boolean; readonly timeoutMs: number }): Promise<void>
}

const versionInfo = (program: string): VersionInfo => ({
  major: '1',
  minor: '36',
  gitVersion: `${KUBERNETES_VERSION}+tutti.${program}`,
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: `node ${process.version}`,
  platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
})

/** Starts everything; resolves when the API answers and the node is Ready. */
export async function startCore({ options, version, nodeName, clock, logger, onPhase }: CoreDeps): Promise<Core> {
  const { dataDir } = options
  const ends: (() => unknown)[] = []
  const agents = new Map<string, NodeApi>()

  onPhase('opening the store')
  const store = memoryStore({ clock })
  ends.push(() => store.close())

  onPhase('making certificates')
  const pki = openPki({ dir: join(dataDir, 'pki'), clock })
  const [authority, own, admin] = await Promise.all([pki.authority(), pki.server(), pki.admin()])

  onPhase('starting the API server')
  const server = await createApiServer({
    store,
    kinds,
    clock,
    logger,
    version: versionInfo(version),
    extend: registry =>
      extendServer(registry, {
        clock,
        logger,
        tokenKey: pki.tokenKey(),
        nodes: name => agents.get(name),
        serviceCidr: SERVICE_CIDR,
      }),
  })
  ends.push(() => server.close())
  const listening = await server
    .listen({
      hosts: ['127.0.0.1'],
      port: options.port,
      tls: { cert: own.certificate, key: own.key, clientCa: authority.certificate },
    })
    .catch((cause: Error) => {
      throw new UserError(
        cause.message,
        `Take another port: tutti up --port ${options.port + 1}, or 0 for a free one.`,
        { cause },
      )
    })
  const url = `https://127.0.0.1:${listening.port}`
  await writeKubeconfig(
    ownKubeconfig(dataDir),
    buildKubeconfig({
      name: 'tutti',
      server: url,
      authority: authority.certificate,
      certificate: admin.certificate,
      key: admin.key,
    }),
  )
  await publishKubernetesService(server.registry, {
    address: '127.0.0.1',
    port: listening.port,
    serviceCidr: SERVICE_CIDR,
  })

  return {
    server: url,
    nodeName,
    network: { mode: 'none', notes: [] },
    runtimes: [],
    notes: [],
    async stop() {
      for (const end of ends.reverse()) await end()
    },
  }
}
