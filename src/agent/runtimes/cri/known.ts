/**
 * What is known of a node's sandboxes and containers: read once, and again for each that the runtime has an event about,
 * so that asking for a state is no call. While the runtime is away the last state stands.
 */

import { type CallError, CODE } from '../../../lib/grpc/channel.ts'
import type { Resources } from '../runtime.ts'
import { OWNER_LABEL, type SandboxNote } from './config.ts'
import { createOomReasons } from './oom.ts'
import type { CriCall } from './services.ts'
import { containerOf, type KnownContainer, type KnownSandbox, sandboxOf } from './status.ts'

export interface Known {
  readonly sandboxes: ReadonlyMap<string, KnownSandbox>
  readonly containers: ReadonlyMap<string, KnownContainer>
  /** Reads everything; what differs is told. */
  load(): Promise<void>
  /** Reads one container; resolves with it, or undefined when it is gone. */
  readContainer(id: string, sandbox: string): Promise<KnownContainer | undefined>
  readSandbox(id: string): Promise<KnownSandbox | undefined>
  /** A sandbox has been removed, and its containers with it. */
  forget(id: string): void
  /** Containers of a sandbox, in order of creation. */
  ofSandbox(id: string): KnownContainer[]
}

export interface KnownDeps {
  readonly call: CriCall
  /** Label value of what is this node's. */
  readonly owner: string
  /** Limits of a running container as the kernel has them, for runtimes that do not say. */
  limits?(sandbox: SandboxNote, id: string): Resources | undefined
  /** Processes of a pod that the kernel has killed for want of memory, for runtimes that do not say. */
  oomKills?(sandbox: SandboxNote): number | undefined
  changedContainer(container: KnownContainer): void
  changedSandbox(sandbox: KnownSandbox): void
}

const isGone = (error: unknown) => (error as CallError).code === CODE.notFound

/** Knows nothing before the first `load`. */
export function createKnown({
  call,
  owner,
  limits,
  oomKills = () => undefined,
  changedContainer,
  changedSandbox,
}: KnownDeps): Known {
  const oomReasons = createOomReasons(oomKills)
  const sandboxes = new Map<string, KnownSandbox>()
  const containers = new Map<string, KnownContainer>()
  const labelSelector = { [OWNER_LABEL]: owner }
  /** Reads under way, by id: an answer counts unless that to a later question has come already. */
  const reads = new Map<string, { pending: number; answered: number }>()
  let count = 0

  /** Begins a read; the function that it gives ends it, and says whether its answer counts. */
  function begin(id: string): () => boolean {
    const turn = ++count
    const state = reads.get(id) ?? { pending: 0, answered: 0 }
    reads.set(id, state)
    state.pending++
    return () => {
      if (--state.pending === 0) reads.delete(id)
      const counts = turn > state.answered
      if (counts) state.answered = turn
      return counts
    }
  }
  async function ask<T>(
    id: string,
    work: () => Promise<T>,
  ): Promise<{ readonly answer?: T; readonly counts: boolean }> {
    const finish = begin(id)
    try {
      const answer = await work()
      return { answer, counts: finish() }
    } catch (error) {
      const counts = finish()
      if (!isGone(error)) throw error
      return { counts }
    }
  }
  function withLimits(container: KnownContainer): KnownContainer {
    const { id, sandboxId, state, resources } = container.status
    const sandbox = sandboxes.get(sandboxId)
    const found = state === 'running' && !resources && sandbox ? limits?.(sandbox.note, id) : undefined
    return found ? { ...container, status: { ...container.status, resources: found } } : container
  }
  /** A container that has ended, with the reason that is known of it. */
  function ended(container: KnownContainer, before: KnownContainer): KnownContainer {
    const sandbox = sandboxes.get(container.status.sandboxId)
    if (!sandbox) return container
    return before.status.state === 'exited'
      ? oomReasons.keep(container, before)
      : oomReasons.explain(container, sandbox)
  }
  async function readContainer(id: string, sandbox: string) {
    const { answer, counts } = await ask(id, () => call('ContainerStatus', { containerId: id }))
    const before = containers.get(id)
    if (!counts) return before
    if (!answer?.status) {
      containers.delete(id)
      if (before) changedContainer(before)
      return undefined
    }
    const told = withLimits(containerOf(answer.status, sandbox))
    // An end is for good.
    if (before?.status.state === 'exited' && told.status.state !== 'exited') return before
    const now = before && told.status.state === 'exited' ? ended(told, before) : told
    containers.set(id, now)
    if (before?.status.state !== now.status.state) changedContainer(now)
    return now
  }
  async function readSandbox(id: string) {
    const { answer, counts } = await ask(id, () => call('PodSandboxStatus', { podSandboxId: id }))
    const before = sandboxes.get(id)
    if (!counts) return before
    if (!answer?.status) {
      sandboxes.delete(id)
      oomReasons.forget(id)
      if (before) changedSandbox(before)
      return undefined
    }
    const now = sandboxOf(answer.status)
    oomReasons.seen(now)
    sandboxes.set(id, now)
    if (before?.status.state !== now.status.state) changedSandbox(now)
    return now
  }

  return {
    sandboxes,
    containers,
    readContainer,
    readSandbox,
    async load() {
      const [pods, all] = await Promise.all([
        call('ListPodSandbox', { filter: { labelSelector } }),
        call('ListContainers', { filter: { labelSelector } }),
      ])
      const here = new Set([...pods.items, ...all.containers].map(each => each.id))
      const gone = [...sandboxes.keys()].filter(id => !here.has(id))
      const goneContainers = [...containers.values()].filter(({ status }) => !here.has(status.id))
      await Promise.all([
        ...pods.items.map(({ id }) => readSandbox(id)),
        ...gone.map(readSandbox),
        ...all.containers.map(({ id, podSandboxId }) => readContainer(id, podSandboxId)),
        ...goneContainers.map(({ status }) => readContainer(status.id, status.sandboxId)),
      ])
    },
    forget(id) {
      const gone = [...containers.values()].filter(({ status }) => status.sandboxId === id)
      for (const { status } of gone) containers.delete(status.id)
      const sandbox = sandboxes.get(id)
      sandboxes.delete(id)
      oomReasons.forget(id)
      // What is still being read is not so any more.
      for (const each of [id, ...gone.map(({ status }) => status.id)]) {
        const read = reads.get(each)
        if (read) read.answered = ++count
      }
      for (const container of gone) changedContainer(container)
      if (sandbox) changedSandbox(sandbox)
    },
    ofSandbox: id =>
      [...containers.values()]
        .filter(({ status }) => status.sandboxId === id)
        .sort((a, b) => a.status.createdAt - b.status.createdAt),
  }
}
