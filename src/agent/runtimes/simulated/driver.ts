/**
 * A runtime without processes: sandboxes and containers live through what a script says, on the clock that it is given.
 * Thousands of nodes fit into one process; an idle container costs nothing.
 */
import { milliValue, quantityValue } from '../../../api/machinery/quantity.ts'
import type { Clock } from '../../../lib/clock.ts'
import {
  type ContainerStatus,
  type RuntimeDriver,
  RuntimeError,
  type RuntimeEvent,
  type SandboxConfig,
  type SandboxStatus,
} from '../runtime.ts'
import { createSimulatedContainer, type SimulatedContainer } from './container.ts'
import type { SimulationScript } from './script.ts'

export interface SimulatedDriverOptions {
  readonly clock: Clock
  /** Default: everything starts at once and runs until it is stopped. */
  readonly script?: SimulationScript
  /** RuntimeClass handlers that it serves. Default: all that Tutti has, so that any pod runs. */
  readonly handlers?: readonly string[]
  /** Serves whatever other handler a pod asks for, too. */
  readonly anyHandler?: boolean
  /** A free address of the pod network, for each sandbox. */
  address(): string
}

interface Sandbox {
  readonly config: SandboxConfig
  status: SandboxStatus
}

/** Makes one. */
export function openSimulatedDriver(options: SimulatedDriverOptions): RuntimeDriver {
  const { clock, script = {}, handlers = ['', 'containers', 'process', 'simulated'], address } = options
  const sandboxes = new Map<string, Sandbox>()
  const containers = new Map<string, SimulatedContainer>()
  const images = new Set<string>()
  const listeners = new Set<(event: RuntimeEvent) => void>()
  let serial = 0

  const emit = (event: RuntimeEvent) => {
    for (const listener of listeners) listener(event)
  }
  const wait = (ms: number | undefined) =>
    ms ? new Promise<void>(resolve => void clock.after(ms, resolve)) : Promise.resolve()
  const inSandbox = (id: string) => [...containers.values()].filter(each => each.status().sandboxId === id)

  function running(id: string): SimulatedContainer {
    const found = containers.get(id)
    if (found?.status().state === 'running') return found
    throw new RuntimeError(
      'ContainerNotRunning',
      `container ${id} is not running: it is ${found?.status().state ?? 'gone'}`,
    )
  }
  function stopSandbox(id: string) {
    const found = sandboxes.get(id)
    if (!found || found.status.state === 'stopped') return
    found.status = { ...found.status, state: 'stopped' }
    for (const container of inSandbox(id)) container.kill()
    emit({ type: 'sandbox', id, podUid: found.config.uid })
  }

  return {
    version: 'simulated://1',
    capabilities: {
      handlers,
      ...(options.anyHandler && { anyHandler: true }),
      survives: false,
      ownNetwork: true,
      volumes: false,
      mounts: false,
      strictGroups: true,
    },
    onEvent(handler) {
      listeners.add(handler)
      return () => listeners.delete(handler)
    },

    findImage: async image => (images.has(image) ? { imageId: image } : undefined),
    async pullImage(image) {
      const { pullMs, error } = script.image?.(image) ?? {}
      await wait(pullMs)
      if (error) throw new RuntimeError(error.reason, error.message)
      images.add(image)
      return { imageId: image }
    },

    async runSandbox(config) {
      const id = `sandbox-${++serial}`
      await wait(script.sandboxMs?.(config))
      const { namespace, name, uid, attempt } = config
      const status: SandboxStatus = {
        id,
        namespace,
        name,
        uid,
        attempt,
        state: 'ready',
        createdAt: clock.now(),
        ips: [address()],
      }
      sandboxes.set(id, { config, status })
      return id
    },
    async stopSandbox(id) {
      stopSandbox(id)
    },
    async removeSandbox(id) {
      stopSandbox(id)
      for (const container of inSandbox(id)) containers.delete(container.status().id)
      sandboxes.delete(id)
    },
    sandboxStatus: async id => sandboxes.get(id)?.status,
    listSandboxes: async () => [...sandboxes.values()].map(each => each.status),

    async createContainer(sandboxId, config) {
      const sandbox = sandboxes.get(sandboxId)
      if (sandbox?.status.state !== 'ready') {
        throw new RuntimeError(
          'CreateContainerError',
          `sandbox ${sandboxId} is ${sandbox?.status.state ?? 'gone'}, expected ready`,
        )
      }
      const id = `container-${++serial}`
      const life = script.container?.(config, sandbox.config) ?? {}
      const changed = () => emit({ type: 'container', id, podUid: sandbox.config.uid })
      containers.set(id, createSimulatedContainer(id, sandboxId, sandbox.config, config, life, clock, changed))
      return id
    },
    async startContainer(id) {
      const found = containers.get(id)
      if (!found) throw new RuntimeError('StartError', `container ${id} is gone`)
      await found.start()
    },
    async stopContainer(id, graceMs) {
      await containers.get(id)?.stop(graceMs)
    },
    async updateContainer(id, resources) {
      running(id).update(resources)
    },
    async updateSandbox() {},
    async removeContainer(id) {
      containers.get(id)?.kill()
      containers.delete(id)
    },
    containerStatus: async id => containers.get(id)?.status(),
    async listContainers(podUid) {
      const all: ContainerStatus[] = [...containers.values()].map(each => each.status())
      return podUid ? all.filter(each => each.podUid === podUid) : all
    },

    async exec(id, command, _tty, streams) {
      const { output = '', exitCode = 0 } = running(id).script.exec?.(command) ?? {}
      if (output) await streams.stdout?.(Buffer.from(output))
      return { exitCode }
    },
    async attach(id, _options, streams) {
      const found = running(id)
      const options = { container: found.status().name, follow: true }
      for await (const chunk of found.log.read(options, clock.now(), streams.signal)) await streams.stdout?.(chunk)
    },
    async logs(id, logOptions, signal) {
      const found = containers.get(id)
      if (!found) throw new RuntimeError('ContainerNotFound', `container ${id} is gone`)
      return found.log.read(logOptions, clock.now(), signal)
    },
    connect: sandboxId =>
      Promise.reject(new RuntimeError('NotSupported', `sandbox ${sandboxId} is simulated: nothing listens in it`)),

    async stats(id) {
      const container = containers.get(id)
      const found = container?.status()
      if (!container || found?.state !== 'running') return undefined
      const { podUid, name, startedAt } = found
      const { cpu = '0', memory = '0' } = container.script
      const timestamp = clock.now()
      const bytes = quantityValue(memory)
      return {
        id,
        podUid,
        name,
        timestamp,
        // Thousandths of a core for milliseconds are billionths of a second for a thousand.
        cpuUsage: milliValue(cpu) * Math.max(0, timestamp - startedAt) * 1000,
        memoryWorkingSet: bytes,
        memoryUsage: bytes,
        processes: 1,
      }
    },
    async probe(id) {
      const { script: life, status } = running(id)
      const { healthyMs = 0 } = life
      const ok = healthyMs !== null && clock.now() - status().startedAt >= healthyMs
      return { ok, output: ok ? '' : 'the simulated container is not healthy' }
    },
    async close() {
      for (const container of containers.values()) container.kill()
      listeners.clear()
    },
  }
}
