/**
 * The ledger of quotas: what they have used stands in their status, is charged before a write and counted again when
 * something goes. One thing at a time happens in a namespace, so that no two writes see the same room; writes that wait
 * are charged together, with one commit. Counting happens here, beside the registry, and not in a controller: only here
 * is it known which writes were charged and are not to be seen yet (docs/adr/0008-quotas-are-counted-in-the-server.md).
 */
import type { ResourceQuota } from '../../api/generated/types/core-v1.ts'
import type { ResourceList } from '../../api/kinds/core/resources.ts'
import type { Kind } from '../../api/machinery/kind.ts'
import { StatusError } from '../../api/machinery/status-error.ts'
import { add, sameAmounts } from '../../api/quota/amounts.ts'
import { chargesOf } from '../../api/quota/charge.ts'
import type { Evaluator } from '../../api/quota/evaluator.ts'
import type { Logger } from '../../lib/log.ts'
import type { AdmissionAttributes } from '../admission/plugin.ts'
import type { KindReader, Registry, WriteContext } from '../registry/registry.ts'
import type { InFlight } from './in-flight.ts'
import { type RecountDeps, recount } from './recount.ts'

export interface LedgerDeps extends RecountDeps {
  readonly quotaKind: Kind
  readonly quotas: KindReader
  readonly inFlight: InFlight
  update: Registry['update']
  readonly logger: Logger
}

export interface Ledger {
  /** Charges a write, or rejects with a QuotaRefusal. */
  charge(request: AdmissionAttributes, evaluator: Evaluator): Promise<void>
  /** Counts a quota of a namespace again, soon. */
  recount(namespace: string, quota: string): void
}

interface Waiting {
  readonly request: AdmissionAttributes
  readonly evaluator: Evaluator
  resolve(): void
  reject(error: unknown): void
}

/** What waits in one namespace. */
interface Desk {
  waiting: Waiting[]
  recounts: Set<string>
}

const WRITER: WriteContext = {
  user: { name: 'system:apiserver', groups: ['system:masters'] },
  fieldManager: 'kube-apiserver',
  subresource: 'status',
  admitted: true,
}

/** Someone else may change a quota's status at the same time; more often than this is a fault. */
const ATTEMPTS = 10

const isGone = (error: unknown) => error instanceof StatusError && error.reason === 'NotFound'
const isConflict = (error: unknown) => error instanceof StatusError && error.reason === 'Conflict'

/** A quota limits what waits, and says nothing of what is used of it: its kind came later than the quota. */
const isUncounted = ({ spec, status }: ResourceQuota, waiting: readonly Waiting[]) =>
  waiting.some(({ evaluator }) =>
    evaluator.matching(Object.keys(spec?.hard ?? {})).some(name => status?.used?.[name] === undefined),
  )

/** What one pass over a desk came to. */
interface Pass {
  /** By name, as they will be. */
  readonly quotas: Map<string, ResourceQuota>
  readonly granted: { readonly waiting: Waiting; readonly amounts: ReadonlyMap<string, ResourceList> }[]
  readonly refused: { readonly waiting: Waiting; readonly error: unknown }[]
}

/** Opens the ledger. */
export function openLedger(deps: LedgerDeps): Ledger {
  const { quotas, inFlight } = deps
  const desks = new Map<string, Desk>()

  const counted = (quota: ResourceQuota): ResourceQuota => {
    const { namespace = '', name = '' } = quota.metadata ?? {}
    const hard = { ...quota.spec?.hard }
    const seen = recount(deps, quota, quota.status?.used ?? {})
    const unseen = Object.entries(inFlight.unseen(namespace, name)).filter(([each]) => seen[each] !== undefined)
    return { ...quota, status: { hard, used: add(seen, Object.fromEntries(unseen)) } }
  }

  function look(namespace: string, waiting: readonly Waiting[], recounts: ReadonlySet<string>): Pass {
    const now = deps.clock.now()
    const state = new Map<string, ResourceQuota>()
    for (const { value } of quotas.list(namespace)) {
      const quota = value as ResourceQuota
      const name = quota.metadata?.name ?? ''
      state.set(name, recounts.has(name) || isUncounted(quota, waiting) ? counted(quota) : quota)
    }
    const pass: Pass = { quotas: state, granted: [], refused: [] }
    for (const each of waiting) {
      const { request, evaluator } = each
      try {
        const charges = chargesOf([...state.values()], evaluator, request, now)
        const amounts = new Map(charges.map(({ quota, amount }) => [quota.metadata?.name ?? '', amount]))
        if (!request.dryRun)
          for (const { quota, used } of charges)
            state.set(quota.metadata?.name ?? '', { ...quota, status: { ...quota.status, used } })
        pass.granted.push({ waiting: each, amounts })
      } catch (error) {
        pass.refused.push({ waiting: each, error })
      }
    }
    return pass
  }

  /** Writes the quotas that changed. Rejects with a Conflict where one is not any more as it was looked at. */
  async function write(namespace: string, pass: Pass): Promise<void> {
    const writes = [...pass.quotas].map(async ([name, next]) => {
      const seen = quotas.get(namespace, name)?.value as ResourceQuota | undefined
      const [a, b] = [seen?.status ?? {}, next.status ?? {}]
      if (seen && sameAmounts(a.hard ?? {}, b.hard ?? {}) && sameAmounts(a.used ?? {}, b.used ?? {})) return
      const change = (object: ResourceQuota) => {
        object.metadata!.resourceVersion = next.metadata!.resourceVersion!
        object.status = { hard: { ...b.hard }, used: { ...b.used } }
      }
      await deps.update(deps.quotaKind, { namespace, name }, object => change(object as ResourceQuota), WRITER)
    })
    const failed = (await Promise.allSettled(writes)).flatMap(each => (each.status === 'rejected' ? [each.reason] : []))
    // A quota that has gone limits nothing any more.
    const problem = failed.find(error => !isGone(error))
    if (problem) throw problem
  }

  async function serve(namespace: string, waiting: readonly Waiting[], recounts: Set<string>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const pass = look(namespace, waiting, recounts)
      try {
        await write(namespace, pass)
      } catch (error) {
        // What was written of it is counted again, as it has no write to its name.
        for (const name of pass.quotas.keys()) recounts.add(name)
        if (isConflict(error) && attempt < ATTEMPTS) continue
        throw error
      }
      for (const { waiting: each, error } of pass.refused) each.reject(error)
      for (const { waiting: each, amounts } of pass.granted) {
        if (amounts.size && !each.request.dryRun) inFlight.begin(each.request, amounts)
        each.resolve()
      }
      return
    }
  }

  async function work(namespace: string, desk: Desk): Promise<void> {
    while (desk.waiting.length || desk.recounts.size) {
      const { waiting, recounts } = desk
      desk.waiting = []
      desk.recounts = new Set()
      try {
        await serve(namespace, waiting, recounts)
      } catch (error) {
        deps.logger.error({ err: error, namespace }, 'the usage of quotas could not be written')
        for (const each of waiting) each.reject(error)
      }
    }
    desks.delete(namespace)
  }

  const at = (namespace: string, add: (desk: Desk) => void) => {
    const desk = desks.get(namespace)
    if (desk) return add(desk)
    const fresh: Desk = { waiting: [], recounts: new Set() }
    desks.set(namespace, fresh)
    add(fresh)
    // Not within the event that told of it; and what comes in the same turn is served together.
    queueMicrotask(() => void work(namespace, fresh))
  }

  return {
    charge: (request, evaluator) =>
      new Promise((resolve, reject) =>
        at(request.namespace, desk => desk.waiting.push({ request, evaluator, resolve, reject })),
      ),
    recount: (namespace, quota) => at(namespace, desk => desk.recounts.add(quota)),
  }
}
