/**
 * A whole control plane in a test's own process, in milliseconds: the real API server on the memory store, the real
 * controllers, a scheduler, and simulated nodes, on a real or a virtual clock. This is the package's export
 * `tutti/testing`; it loads nothing of the command line.
 */
import { generateKeyPairSync } from 'node:crypto'
import { kinds as allKinds } from '../api/kinds/all.ts'
import type { Kind } from '../api/machinery/kind.ts'
import type { KubeObject } from '../api/machinery/object.ts'
import { createTokenSigner } from '../apiserver/authentication/service-accounts/token-signer.ts'
import { extendServer } from '../apiserver/bootstrap/extend.ts'
import { type RuntimeConfig, servedKinds } from '../apiserver/features/runtime-config.ts'
import { type ApiServer, createApiServer } from '../apiserver/server.ts'
import { type Client, createClient, type KindClient } from '../client/client.ts'
import { createInformers } from '../client/informers.ts'
import type { NodeDirectory } from '../client/node-api.ts'
import type { Transport } from '../client/transport.ts'
import { type Component, runAll } from '../control/lifetime.ts'
import { controllerUser } from '../controllers/accounts.ts'
import { controllerComponents } from '../controllers/all.ts'
import { type Clock, realClock } from '../lib/clock.ts'
import { type Logger, silent } from '../lib/log.ts'
import type { KeyPair } from '../lib/pki/certificate.ts'
import { seededRandom } from '../lib/random.ts'
import { settled, virtualClock } from '../lib/virtual-clock.ts'
import { createScheduler } from '../scheduler/scheduler.ts'
import { memoryStore } from '../store/memory/memory.ts'
import { createFaults, type Faults } from './testing/faults.ts'
import { type PodScript, runSimulatedNode, type SimulatedNodeOptions } from './testing/simulated-node.ts'
import { versionInfo } from './version.ts'

export type { Faults, PodScript }

export interface StartClusterOptions {
  /** Default `real`. A virtual one stands until the test moves it. */
  readonly clock?: 'real' | 'virtual'
  /** Simulated nodes, by number or one by one. Default 1. */
  readonly nodes?: number | readonly SimulatedNodeOptions[]
  /** What becomes of pods on nodes that have no script of their own. */
  readonly script?: SimulatedNodeOptions['script']
  /** Versions of the API that are served or not: `{ 'apps/v1': false }` (kube-apiserver's `--runtime-config`). */
  readonly runtimeConfig?: RuntimeConfig
  /** Runs the controllers. Default true. */
  readonly controllers?: boolean
  /** How the API server finds the agents of nodes. Default: it finds none. */
  readonly nodeApi?: NodeDirectory
  /** Makes volumes on the disks of nodes, with the class `local-path`, where `nodeApi` finds them. Default false. */
  readonly localVolumes?: boolean
  /** Chance of everything in the cluster. Default 1. */
  readonly seed?: number
  readonly logger?: Logger
}

export interface Cluster {
  /** A client that may do everything. */
  readonly client: Client
  readonly transport: Transport
  readonly server: ApiServer
  readonly clock: Clock
  readonly faults: Faults
  /** The cluster's certificate authority, made when first asked for. */
  authority(): Promise<KeyPair>
  readonly seed: number
  /** Calls for a kind by its name, e.g. `Deployment`. Throws for an unknown one. */
  objects<T extends KubeObject = KubeObject>(kind: string): KindClient<T>
  /** Creates an object by its apiVersion and kind, in its namespace or `default`. */
  create<T extends KubeObject>(object: T): Promise<T>
  /** Resolves when nothing happens any more without time passing. */
  settle(): Promise<void>
  /** Moves a virtual clock on by `ms`; a real one is waited for. */
  advance(ms: number): Promise<void>
  /** Sets a virtual clock on or back by `ms` without time passing, as is done to the clocks of machines. */
  jump(ms: number): void
  /**
   * Resolves when `check` is true or returns without throwing; looks again whenever something has happened. Moves a
   * virtual clock from timer to timer. Rejects after `withinMs` (default 30 s) with the last failure.
   */
  until(check: () => unknown, withinMs?: number): Promise<void>
  /** Starts another node. */
  addNode(options: SimulatedNodeOptions): void
  /** Takes a node's power away: it falls silent. Throws for an unknown one. */
  stopNode(name: string): void
  /** Ends everything. Also called by `await using`. */
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Starts a cluster; resolves when its API answers and the nodes have registered. */
export async function startCluster(options: StartClusterOptions = {}): Promise<Cluster> {
  const { seed = 1, logger = silent, runtimeConfig, localVolumes = false } = options
  const directory = options.nodeApi ?? (() => undefined)
  const kinds = runtimeConfig ? servedKinds(allKinds, runtimeConfig) : allKinds
  const virtual = options.clock === 'virtual' ? virtualClock() : undefined
  const clock: Clock = virtual ?? realClock
  const random = seededRandom(seed)
  const scope = new AbortController()
  const store = memoryStore({ clock })
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const tokenKey = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const signToken = createTokenSigner(tokenKey).signNow
  const server = await createApiServer({
    store,
    kinds,
    clock,
    logger,
    version: versionInfo('testing'),
    random,
    extend: registry => extendServer(registry, { clock, logger, tokenKey, random, nodes: directory }),
  })
  let pair: Promise<KeyPair> | undefined
  const authority = () => {
    pair ??= import('../lib/pki/certificate.ts').then(({ createAuthority }) =>
      createAuthority({ commonName: 'kubernetes', now: clock.now(), lifetime: 10 * 365 * 24 * 3_600_000 }),
    )
    return pair
  }
  const faults = createFaults(random)
  const transport = server.transport({ name: 'admin', groups: ['system:masters', 'system:authenticated'] })
  const client = createClient(transport, { fieldManager: 'test' })

  const inside = createClient(
    faults.transport(
      server.transport({ name: 'system:kube-controller-manager', groups: ['system:masters', 'system:authenticated'] }),
    ),
    { fieldManager: 'kube-controller-manager' },
  )
  const informers = createInformers(inside, { clock, logger }, scope.signal)
  // Controllers write with no more rights than they have in a real cluster.
  const transportAs = (account: string) => faults.transport(server.transport(controllerUser(account)))
  const deps = {
    transport: inside.transport,
    transportAs,
    kinds,
    whenUsed: server.registry.whenUsed,
    informers,
    clock,
    logger,
    authority,
    signToken,
    localVolumes,
  }
  // With no more rights than it has in a real cluster.
  const scheduling = createClient(
    faults.transport(server.transport({ name: 'system:kube-scheduler', groups: ['system:authenticated'] })),
  )
  const components: Component[] = [
    ...(options.controllers === false ? [] : controllerComponents(deps, scope.signal)),
    createScheduler({
      client: scheduling,
      informers: createInformers(scheduling, { clock, logger }, scope.signal),
      clock,
      logger,
    }),
  ]
  const running: Promise<void>[] = [runAll(components.map(faults.component), { clock, logger }, scope.signal)]

  const powered = new Map<string, AbortController>()
  let addresses = 0
  const address = () => `10.244.${(++addresses >> 8) & 255}.${addresses & 255}`
  function addNode(node: SimulatedNodeOptions) {
    const power = new AbortController()
    powered.set(node.name, power)
    scope.signal.addEventListener('abort', () => power.abort(), { once: true })
    const options_ = { ...(options.script && { script: options.script }), ...node }
    const identity = { name: `system:node:${node.name}`, groups: ['system:masters', 'system:authenticated'] }
    const own = createClient(faults.transport(server.transport(identity)), { fieldManager: 'kubelet' })
    const component = {
      name: `node ${node.name}`,
      run: (signal: AbortSignal) => runSimulatedNode(options_, { client: own, clock, logger, address }, signal),
    }
    running.push(runAll([faults.component(component)], { clock, logger }, power.signal))
  }
  const { nodes = 1 } = options
  const wanted =
    typeof nodes === 'number' ? Array.from({ length: nodes }, (_, i) => ({ name: `node-${i + 1}` })) : nodes
  for (const node of wanted) addNode(node)

  async function settle() {
    // Quiet is when several turns of the event loop in a row bring no write.
    for (let quiet = 0, before = store.revision(); quiet < 3; quiet++) {
      await settled(8)
      if (store.revision() !== before) quiet = -1
      before = store.revision()
    }
  }
  const realWait = (ms: number) => new Promise<void>(resolve => void setTimeout(resolve, ms))

  async function until(check: () => unknown, withinMs = 30_000) {
    const end = clock.now() + withinMs
    for (;;) {
      if (virtual) await settle()
      let failure: unknown
      try {
        if ((await check()) !== false) return
        failure = new Error(`it did not become true: ${check}`)
      } catch (error) {
        failure = error
      }
      const due = virtual ? virtual.nextDue() : clock.now()
      if (due === undefined || due > end) {
        throw new Error(`waited ${withinMs} ms (seed ${seed}): ${(failure as Error).message}`, { cause: failure })
      }
      if (virtual) virtual.step()
      else await realWait(2)
    }
  }
  async function stop() {
    scope.abort()
    if (virtual) await settle()
    await Promise.all(running)
    await server.close()
    await store.close()
  }
  function kindOf(match: (kind: Kind) => boolean, what: string): Kind {
    const found = server.registry.kinds().find(match)
    if (!found) throw new Error(`no kind ${what} is served`)
    return found
  }

  const cluster: Cluster = {
    client,
    transport,
    server,
    clock,
    faults,
    authority,
    seed,
    objects: <T extends KubeObject>(name: string) =>
      client.kind<T>(kindOf(kind => kind.kind === name, name) as unknown as Kind<T>),
    async create<T extends KubeObject>(object: T) {
      const { apiVersion = '', kind: name = '' } = object
      const kind = kindOf(each => each.apiVersion === apiVersion && each.kind === name, `${apiVersion} ${name}`)
      const metadata = { ...(kind.namespaced && { namespace: 'default' }), ...object.metadata }
      return client.kind<T>(kind as unknown as Kind<T>).create(structuredClone({ ...object, metadata }))
    },
    settle,
    advance: ms => (virtual ? virtual.advance(ms, settle) : realWait(ms)),
    jump(ms) {
      if (!virtual) throw new Error('only a virtual clock can be set; start the cluster with `clock: "virtual"`')
      virtual.jump(ms)
    },
    until,
    addNode,
    stopNode(name) {
      const power = powered.get(name)
      if (!power) throw new Error(`no node ${name}; there are ${[...powered.keys()].join(', ')}`)
      power.abort()
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
  await until(
    async () => (await client.kind(kindOf(k => k.key === 'v1/nodes', 'Node')).list()).items.length === wanted.length,
  )
  return cluster
}
