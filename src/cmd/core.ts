/** The parts of a cluster on one machine, started in their order and stopped in the reverse. */
import { join } from 'node:path'
import { kinds } from '../api/kinds/all.ts'
import { extendServer } from '../apiserver/bootstrap/extend.ts'
import { publishKubernetesService } from '../apiserver/bootstrap/kubernetes-service.ts'
import { createApiServer, type VersionInfo } from '../apiserver/server.ts'
import { type UpOptions, UserError } from '../cli/context.ts'
import { ownKubeconfig } from '../cli/kubeconfig.ts'
import { createClient } from '../client/client.ts'
import { createInformers } from '../client/informers.ts'
import type { NodeApi } from '../client/node-api.ts'
import type { Clock } from '../lib/clock.ts'
import { buildKubeconfig, writeKubeconfig } from '../lib/kubeconfig.ts'
import type { Logger } from '../lib/log.ts'
import { openPki } from '../lib/pki/files.ts'
import { chooseMode, detectCapabilities } from '../network/detect.ts'
import { prepareNetwork } from '../network/network.ts'
import { openSqliteStore } from '../store/sqlite/sqlite.ts'
import { StoreError } from '../store/store.ts'
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

/** The thread of the store: a file of its own in the bundle. */
const sqliteWorker = () =>
  import.meta.filename.endsWith('.ts') ? {} : { workerUrl: new URL('./sqlite-worker.js', import.meta.url) }

/** What a person can do about a store that does not open. */
const storeHints: Partial<Record<StoreError['code'], string>> = {
  'in-use': 'Another tutti runs on this data directory: tutti status.',
  full: 'Make room on this disk, then start again: nothing is lost.',
  foreign: 'Name another folder with --data-dir.',
  corrupt: 'Restore the file from a backup, or begin anew with another --data-dir.',
}

const openStore = (dataDir: string, clock: Clock) =>
  openSqliteStore(join(dataDir, 'state.db'), { clock, ...sqliteWorker() }).catch((cause: Error) => {
    throw new UserError(cause.message, cause instanceof StoreError ? storeHints[cause.code] : undefined, { cause })
  })

/** Starts everything; resolves when the API answers and the node is Ready. */
export async function startCore({ options, version, nodeName, clock, logger, onPhase }: CoreDeps): Promise<Core> {
  const { dataDir } = options
  const ends: (() => unknown)[] = []
  const agents = new Map<string, NodeApi>()
  const scope = new AbortController()

  onPhase('opening the store')
  const [store, capabilities] = await Promise.all([openStore(dataDir, clock), detectCapabilities()])
  ends.push(() => store.close())

  onPhase('preparing the network')
  const { mode, notes } = chooseMode(options.network === 'auto' ? undefined : options.network, capabilities)
  const prepared = await prepareNetwork(
    { mode, notes, dataDir, nodeName, serviceCidr: SERVICE_CIDR },
    { clock, logger },
  )

  onPhase('making certificates')
  const pki = openPki({ dir: join(dataDir, 'pki'), clock, hosts: [nodeName, prepared.nodeAddress] })
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
      hosts: [...new Set(['127.0.0.1', prepared.nodeAddress])],
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
    address: prepared.nodeAddress,
    port: listening.port,
    serviceCidr: SERVICE_CIDR,
  })

  /** Client and informers of one of the cluster's own parts. */
  const identity = (name: string, ...groups: string[]) => {
    const transport = server.transport({ name, groups: [...groups, 'system:authenticated'] })
    const client = createClient(transport)
    return { transport, client, informers: createInformers(client, { clock, logger }, scope.signal) }
  }

  onPhase('starting the network')
  const network = await prepared.start(identity('system:kube-proxy'), scope.signal)
  ends.push(() => network.close())

  return {
    server: url,
    nodeName,
    network: network.describe(),
    runtimes: [],
    notes: [],
    async stop() {
      scope.abort()
      for (const end of ends.reverse()) await end()
    },
  }
}
