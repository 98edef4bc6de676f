/**
 * A node without a machine: it registers, renews its lease and takes its pods through their lives as a script says.
 * Nothing runs, but every status that a real node would write is written, in the same order.
 */
import { Lease } from '../../api/kinds/coordination/lease.ts'
import { isFinished } from '../../api/kinds/core/finished.ts'
import { Node } from '../../api/kinds/core/node.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { isReady } from '../../api/kinds/core/ready.ts'
import { rfc3339, rfc3339Micro } from '../../api/machinery/time.ts'
import { type Client, hasReason } from '../../client/client.ts'
import { createInformer } from '../../client/informer.ts'
import { refOf } from '../../client/resource.ts'
import { createWorkQueue } from '../../client/work-queue.ts'
import { type Clock, sleep } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'

/** What becomes of a pod on a simulated node. */
export interface PodScript {
  /** From binding to running, ms. Default 0. */
  readonly startMs?: number
  /** From running to ready, ms. Default 0; null: never. */
  readonly readyMs?: number | null
  /** From running to the end of all containers, ms; absent: they run on. */
  readonly exitMs?: number
  /** Default 0. */
  readonly exitCode?: number
  /** From the mark of deletion to the end, ms. Default 0. */
  readonly stopMs?: number
}

export interface SimulatedNodeOptions {
  readonly name: string
  /** Asked once for each pod. Default: it starts and is ready at once, and runs on. */
  readonly script?: (pod: Pod) => PodScript
  /** Default: 110 pods, 8 cpus, 16 GiB. */
  readonly capacity?: Readonly<Record<string, string>>
  readonly labels?: Readonly<Record<string, string>>
}

export interface SimulatedNodeDeps {
  readonly client: Client
  readonly clock: Clock
  readonly logger: Logger
  /** The pod network's part: a free address. */
  address(): string
}

const HEARTBEAT_MS = 10_000
const CAPACITY = { pods: '110', cpu: '8', memory: '16Gi', 'ephemeral-storage': '100Gi' }

/** Runs until `signal` aborts: then it is silent, as a machine without power. */
export async function runSimulatedNode(
  options: SimulatedNodeOptions,
  deps: SimulatedNodeDeps,
  signal: AbortSignal,
): Promise<void> {
  await register(options, deps)
  await Promise.all([heartbeat(options.name, deps, signal), runPods(options, deps, signal)])
}

async function register(
  { name, capacity = CAPACITY, labels }: SimulatedNodeOptions,
  { client, clock }: SimulatedNodeDeps,
) {
  const time = rfc3339(clock.now())
  const nodes = client.kind<Node>(Node)
  const metadata = { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', ...labels } }
  const node = { apiVersion: 'v1', kind: 'Node', metadata, spec: {} } as Node
  const current = (await nodes.find({ name })) ?? (await nodes.create(node))
  const condition = (type: string, status: string, reason: string, message: string) => ({
    type,
    status,
    reason,
    message,
    lastHeartbeatTime: time,
    lastTransitionTime: time,
  })
  const status = {
    capacity,
    allocatable: capacity,
    addresses: [{ type: 'Hostname', address: name }],
    conditions: [
      condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
      condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
      condition('PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
      condition('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'),
    ],
  }
  await nodes.updateStatus(structuredClone({ ...current, status }) as Node)
}

async function heartbeat(name: string, { client, clock, logger }: SimulatedNodeDeps, signal: AbortSignal) {
  const leases = client.kind<Lease>(Lease)
  const ref = { namespace: 'kube-node-lease', name }
  while (!signal.aborted) {
    const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime: rfc3339Micro(clock.now()) }
    try {
      if (await leases.find(ref)) await leases.patch(ref, { spec }, { type: 'merge' })
      else await leases.create({ apiVersion: Lease.apiVersion, kind: 'Lease', metadata: ref, spec })
    } catch (error) {
      logger.debug({ err: error, node: name }, 'a heartbeat failed')
    }
    await sleep(clock, HEARTBEAT_MS, signal)
  }
}

async function runPods(options: SimulatedNodeOptions, deps: SimulatedNodeDeps, signal: AbortSignal) {
  const { client, clock, logger } = deps
  const informer = createInformer<Pod>(client, Pod, { fieldSelector: `spec.nodeName=${options.name}` }, deps, signal)
  const queue = createWorkQueue<string>(clock, { backOff: 10, backOffMax: 1000 })
  const lives = new Map<string, Life>()
  informer.onChange(({ previous, current }) => {
    const pod = (current ?? previous)!
    if (!current) lives.delete(pod.metadata?.uid ?? '')
    queue.add(`${pod.metadata?.namespace}/${pod.metadata?.name}`)
  })
  signal.addEventListener('abort', () => queue.close(), { once: true })
  if (signal.aborted) queue.close()
  const work = async (key: string) => {
    try {
      const pod = informer.get(key)
      const again = pod && (await live(pod, options.script, lives, deps))
      queue.forget(key)
      if (again !== undefined) queue.addAfter(key, again)
    } catch (error) {
      if (!hasReason(error, 'NotFound')) queue.addFailed(key)
      logger.debug({ err: error, key }, 'a status was not written')
    }
    queue.done(key)
  }
  for (;;) {
    const key = await queue.take()
    if (key === undefined) return
    void work(key)
  }
}

/** Moments of a pod's life, ms. */
interface Life {
  readonly script: PodScript
  readonly bound: number
  readonly address: string
  deleted?: number
}

/** Brings a pod's status to what it should be now; returns the ms until the next change, if one is due. */
async function live(
  pod: Pod,
  scriptOf: SimulatedNodeOptions['script'],
  lives: Map<string, Life>,
  deps: SimulatedNodeDeps,
) {
  const { client, clock } = deps
  const now = clock.now()
  const uid = pod.metadata?.uid ?? ''
  let life = lives.get(uid)
  if (!life) {
    life = { script: scriptOf?.(pod) ?? {}, bound: now, address: pod.status?.podIP ?? deps.address() }
    lives.set(uid, life)
  }
  const { script } = life
  const pods = client.kind<Pod>(Pod)
  const isOver = isFinished(pod)
  if (pod.metadata?.deletionTimestamp) {
    life.deleted ??= now
    const left = life.deleted + (script.stopMs ?? 0) - now
    if (left > 0 && !isOver) return left
    if (!isOver && pod.metadata.finalizers?.length) await pods.updateStatus(withPhase(pod, 'Failed', life, script, now))
    await pods.delete(refOf(pod), { gracePeriodSeconds: 0, preconditions: { uid } })
    return undefined
  }
  if (isOver) return undefined
  const running = life.bound + (script.startMs ?? 0)
  const ready = script.readyMs === null ? undefined : running + (script.readyMs ?? 0)
  const exit = script.exitMs === undefined ? undefined : running + script.exitMs
  const phase: Phase =
    exit !== undefined && exit <= now
      ? (script.exitCode ?? 0) === 0
        ? 'Succeeded'
        : 'Failed'
      : running > now
        ? 'Pending'
        : ready !== undefined && ready <= now
          ? 'Ready'
          : 'Running'
  if (phase !== phaseOf(pod)) await pods.updateStatus(withPhase(pod, phase, life, script, now))
  const next = [running, ready, exit].filter((due): due is number => due !== undefined && due > now)
  return next.length > 0 ? Math.min(...next) - now : undefined
}

type Phase = 'Pending' | 'Running' | 'Ready' | 'Succeeded' | 'Failed'

const phaseOf = (pod: Pod) => (isReady(pod) ? 'Ready' : (pod.status?.phase ?? 'Pending'))

function withPhase(pod: Pod, phase: Phase, life: Life, script: PodScript, now: number): Pod {
  const time = rfc3339(now)
  const becomesReady = phase === 'Ready'
  const condition = (type: string, holds: boolean, reason?: string) => {
    const status = holds ? 'True' : 'False'
    const old = pod.status?.conditions?.find(each => each.type === type)
    return {
      type,
      status,
      lastTransitionTime: (old?.status === status && old.lastTransitionTime) || time,
      ...(reason && { reason }),
    }
  }
  const why = becomesReady ? undefined : phase === 'Succeeded' ? 'PodCompleted' : 'ContainersNotReady'
  const terminated = {
    exitCode: script.exitCode ?? 0,
    reason: phase === 'Succeeded' ? 'Completed' : 'Error',
    finishedAt: time,
    startedAt: time,
  }
  const isOver = phase === 'Succeeded' || phase === 'Failed'
  const others = (pod.status?.conditions ?? []).filter(
    each => !['Initialized', 'Ready', 'ContainersReady'].includes(each.type),
  )
  const status = {
    ...pod.status,
    phase: becomesReady ? 'Running' : phase,
    startTime: pod.status?.startTime ?? time,
    ...(phase !== 'Pending' && { podIP: life.address, podIPs: [{ ip: life.address }], hostIP: '192.0.2.1' }),
    conditions: [
      ...others,
      condition('Initialized', true),
      condition('Ready', becomesReady, why),
      condition('ContainersReady', becomesReady, why),
    ],
    containerStatuses: (pod.spec?.containers ?? []).map(({ name, image = '' }) => ({
      name,
      image,
      imageID: '',
      ready: becomesReady,
      started: phase !== 'Pending' && !isOver,
      restartCount: 0,
      state: isOver
        ? { terminated }
        : phase === 'Pending'
          ? { waiting: { reason: 'ContainerCreating' } }
          : { running: { startedAt: time } },
    })),
  }
  return structuredClone({ ...pod, status }) as Pod
}
