/** The agent over the real API server on a virtual clock, with a runtime that does what the test says. */
import { type Agent, startAgent } from '../../../src/agent/agent.ts'
import { pods } from '../../../src/agent/resources.ts'
import {
  type ContainerConfig,
  type ContainerStatus,
  type Resources,
  type RuntimeDriver,
  RuntimeError,
  type RuntimeEvent,
  type SandboxStatus,
} from '../../../src/agent/runtimes/runtime.ts'
import type { NodeSettings } from '../../../src/agent/settings.ts'
import type { ShutdownSource } from '../../../src/agent/shutdown/source.ts'
import type { Event, Pod } from '../../../src/api/generated/types/core-v1.ts'
import { ADMIN, nodeUser, startServer } from '../../../src/apiserver/bootstrap/server.fixture.ts'
import { createClient } from '../../../src/client/client.ts'
import type { Resource } from '../../../src/client/resource.ts'
import type { Transport } from '../../../src/client/transport.ts'
import type { Clock } from '../../../src/lib/clock.ts'
import { silent } from '../../../src/lib/log.ts'
import { settled } from '../../../src/lib/virtual-clock.ts'
import { noNetwork } from './networks.ts'

type Mutable = { -readonly [K in keyof ContainerStatus]: ContainerStatus[K] }

/** What the containers of a name do; changed by tests as they go. */
export interface Script {
  /** Ends by itself after so many ms with a code. */
  ends?: { readonly afterMs: number; readonly code: number }
  /** Ms from the signal to its end; undefined: only the kill ends it. */
  obeysAfterMs?: number
  /** Bytes that it uses; default 0. */
  memory?: number
  /** Its CPU shares are not told, as of a kernel that rounds them. */
  withoutShares?: boolean
  /** Answers of exec, by the command's first word; default 0. */
  exec?: Record<string, number>
}

/** A runtime in memory. */
export function scriptedDriver(clock: Clock) {
  const scripts = new Map<string, Script>()
  const containers = new Map<string, { status: Mutable; stop?: () => void }>()
  const sandboxes = new Map<string, SandboxStatus>()
  const handlers = new Set<(event: RuntimeEvent) => void>()
  const log: string[] = []
  let serial = 0
  const script = (name: string) => scripts.get(name) ?? {}
  const toldOf = (name: string, { cpuShares, ...rest }: Resources): Resources =>
    script(name).withoutShares || cpuShares === undefined ? rest : { cpuShares, ...rest }
  const end = (id: string, code: number) => {
    const found = containers.get(id)
    if (found?.status.state !== 'running') return
    Object.assign(found.status, {
      state: 'exited',
      exitCode: code,
      finishedAt: clock.now(),
      reason: code ? 'Error' : 'Completed',
    })
    log.push(`end ${found.status.name} ${code}`)
    found.stop?.()
    for (const handler of handlers) handler({ type: 'container', id, podUid: found.status.podUid })
  }
  const driver: RuntimeDriver = {
    version: 'scripted://1',
    capabilities: { handlers: [''], survives: false, ownNetwork: true, volumes: false, mounts: false },
    onEvent(handler) {
      handlers.add(handler)
      return () => handlers.delete(handler)
    },
    findImage: async image => (image === 'bad' ? undefined : { imageId: image }),
    async pullImage(image) {
      if (image === 'bad') throw new RuntimeError('ErrImagePull', 'no such image')
      return { imageId: image }
    },
    async runSandbox({ namespace, name, uid, attempt }) {
      const id = `sandbox-${++serial}`
      sandboxes.set(id, {
        id,
        namespace,
        name,
        uid,
        attempt,
        state: 'ready',
        createdAt: clock.now(),
        ips: ['10.0.0.9'],
      })
      return id
    },
    async stopSandbox(id) {
      const found = sandboxes.get(id)
      if (!found) return
      sandboxes.set(id, { ...found, state: 'stopped' })
      for (const { status } of containers.values()) if (status.sandboxId === id) end(status.id, 137)
    },
    async removeSandbox(id) {
      await driver.stopSandbox(id)
      sandboxes.delete(id)
      for (const { status } of containers.values()) if (status.sandboxId === id) containers.delete(status.id)
    },
    sandboxStatus: async id => sandboxes.get(id),
    listSandboxes: async () => [...sandboxes.values()],
    async createContainer(sandboxId, config: ContainerConfig) {
      if (config.targetId) log.push(`join ${containers.get(config.targetId)?.status.name}`)
      const id = `container-${++serial}`
      const { name, attempt, image, annotations } = config
      const podUid = sandboxes.get(sandboxId)?.uid ?? ''
      const times = { createdAt: clock.now(), startedAt: 0, finishedAt: 0 }
      containers.set(id, {
        status: {
          id,
          sandboxId,
          podUid,
          name,
          attempt,
          state: 'created',
          image,
          imageId: image,
          annotations,
          resources: toldOf(name, config.resources),
          ...times,
        },
      })
      return id
    },
    async startContainer(id) {
      const found = containers.get(id)!
      Object.assign(found.status, { state: 'running', startedAt: clock.now() })
      log.push(`start ${found.status.name}`)
      const { ends } = script(found.status.name)
      if (ends) clock.after(ends.afterMs, () => end(id, ends.code))
    },
    stopContainer(id, graceMs) {
      const found = containers.get(id)
      if (found?.status.state !== 'running') return Promise.resolve()
      log.push(`stop ${found.status.name} ${graceMs}`)
      const { obeysAfterMs } = script(found.status.name)
      return new Promise(resolve => {
        const before = found.stop
        found.stop = () => {
          before?.()
          resolve()
        }
        if (obeysAfterMs !== undefined) clock.after(obeysAfterMs, () => end(id, 143))
        clock.after(graceMs, () => end(id, 137))
      })
    },
    async updateContainer(id, resources) {
      const found = containers.get(id)!
      found.status.resources = toldOf(found.status.name, { ...found.status.resources, ...resources })
      log.push(`update ${found.status.name} ${JSON.stringify(resources)}`)
    },
    async updateSandbox(_, resources) {
      log.push(`update pod ${JSON.stringify(resources)}`)
    },
    async removeContainer(id) {
      end(id, 137)
      containers.delete(id)
    },
    containerStatus: async id => containers.get(id)?.status,
    listContainers: async uid =>
      [...containers.values()].map(each => ({ ...each.status })).filter(each => !uid || each.podUid === uid),
    async exec(id, command) {
      const { name } = containers.get(id)!.status
      log.push(`exec ${name} ${command.join(' ')}`)
      return { exitCode: script(name).exec?.[command[0] ?? ''] ?? 0 }
    },
    attach: async () => {},
    logs: async () => (async function* () {})(),
    connect: () => Promise.reject(new Error('no network')),
    async stats(id) {
      const { name, podUid } = containers.get(id)!.status
      const memoryUsage = script(name).memory ?? 0
      return { id, podUid, name, timestamp: clock.now(), cpuUsage: 0, memoryWorkingSet: 0, memoryUsage, processes: 1 }
    },
    probe: async (id, probe) => {
      const { name } = containers.get(id)!.status
      return { ok: (script(name).exec?.[Object.keys(probe)[0] ?? ''] ?? 0) === 0, output: 'scripted' }
    },
    close: async () => {},
  }
  return {
    driver,
    scripts,
    log,
    /** The sandbox of a pod dies with all that is in it. */
    killSandbox(uid: string) {
      for (const { id } of [...sandboxes.values()].filter(each => each.uid === uid && each.state === 'ready')) {
        void driver.stopSandbox(id)
        for (const handler of handlers) handler({ type: 'sandbox', id, podUid: uid })
      }
    },
    /** The runtime loses what it knew of a pod. */
    forget(uid: string) {
      for (const [id, { status }] of containers) if (status.podUid === uid) containers.delete(id)
      for (const [id, each] of sandboxes) if (each.uid === uid) sandboxes.delete(id)
    },
    end: (name: string, code: number) => {
      for (const { status } of containers.values())
        if (status.name === name && status.state === 'running') end(status.id, code)
    },
  }
}

const events: Resource<Event> = {
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  namespaced: true,
  apiVersion: 'v1',
  key: 'v1/events',
}

/** What may stand between an agent and the world. */
export interface Through {
  driver(driver: RuntimeDriver): RuntimeDriver
  transport(transport: Transport): Transport
}

/** What its machine and owner say to it. */
interface Around {
  readonly settings: NodeSettings
  readonly machineShutdown: ShutdownSource
  readonly ending: boolean
}

/** Starts server and agent; `stopAgent` and `runAgent` end it as a crash would and start it again. */
export async function startScripted() {
  const server = await startServer()
  const { clock } = server
  const runtime = scriptedDriver(clock)
  let abort = new AbortController()
  let agent: Agent
  const admin = createClient(server.server.transport(ADMIN))
  const machine = {
    capacity: { cpu: '4', memory: '8Gi', pods: '110' },
    info: {
      architecture: 'amd64',
      bootID: '',
      kernelVersion: '',
      machineID: '',
      operatingSystem: 'linux',
      osImage: '',
      systemUUID: '',
    },
  }
  /** `through` stands between the agent and its runtime and server. */
  const runAgent = async (through: Partial<Through & Around> = {}) => {
    abort = new AbortController()
    const own = server.server.transport(nodeUser('n1'))
    agent = await startAgent(
      {
        transport: through.transport?.(own) ?? own,
        clock,
        logger: silent,
        nodeName: 'n1',
        dataDir: '/nonexistent',
        runtimes: [through.driver?.(runtime.driver) ?? runtime.driver],
        podNetwork: noNetwork,
        serviceEnv: () => ({}),
        addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
        annotations: { 'example.com/machine': 'one' },
        machine,
        ...(through.settings && { settings: through.settings }),
        ...(through.ending && { ending: through.ending }),
        ...(through.machineShutdown && { machineShutdown: through.machineShutdown }),
      },
      abort.signal,
    )
  }
  await runAgent()
  const client = admin.kind(pods)
  const rest = () => settled(30)
  return {
    ...runtime,
    admin,
    /** As a user that may do everything. */
    transport: server.server.transport(ADMIN),
    clock,
    client,
    runAgent,
    stopAgent: () => abort.abort(),
    drain: (timeoutMs: number) => agent.drain(timeoutMs),
    shutDown: (timeoutMs: number) => agent.shutDown(timeoutMs),
    rest,
    advance: (ms: number) => clock.advance(ms, rest),
    /** Sets the clock without time passing. */
    jump: (ms: number) => clock.jump(ms),
    async create(name: string, spec: object, labels: Record<string, string> = {}) {
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace: 'default', labels },
        spec: { nodeName: 'n1', automountServiceAccountToken: false, ...spec },
      }
      await client.create(structuredClone(pod) as unknown as Pod)
      await rest()
    },
    /** What the node itself answers to a GET. */
    async ask(path: string): Promise<string> {
      const query = new URLSearchParams()
      const { body } = await agent.api.serve!({ method: 'GET', path, query, signal: abort.signal })
      let text = ''
      for await (const chunk of body) text += Buffer.from(chunk)
      return text
    },
    get: (name: string) => client.find({ namespace: 'default', name }),
    /** The log of its container `main`. */
    async logs(name: string): Promise<string> {
      const uid = (await client.get({ namespace: 'default', name })).metadata?.uid ?? ''
      let text = ''
      const of = { namespace: 'default', name, uid }
      for await (const chunk of await agent.api.logs(of, { container: 'main' }, abort.signal))
        text += Buffer.from(chunk)
      return text
    },
    async container(name: string, container = 'main') {
      const { containerStatuses = [], initContainerStatuses = [] } =
        (await client.get({ namespace: 'default', name })).status ?? {}
      return [...containerStatuses, ...initContainerStatuses].find(each => each.name === container)!
    },
    async events(name: string) {
      const all = await admin
        .kind(events)
        .listAll({ namespace: 'default', fieldSelector: `involvedObject.name=${name}` })
      return all.map(each => `${each.reason}: ${each.message}`)
    },
    async close() {
      abort.abort()
      await server.server.close()
    },
  }
}
