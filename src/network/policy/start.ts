/**
 * NetworkPolicy in the kernel: follows policies, pods and namespaces, and brings the table `tutti-policy` up to date,
 * what changed within one turn of the event loop together. Loaded with the first policy: a cluster without any has no
 * table and follows no pods for it.
 */
import type { Namespace as NamespaceType, Pod as PodType } from '../../api/generated/types/core-v1.ts'
import type { NetworkPolicy as NetworkPolicyType } from '../../api/generated/types/networking-v1.ts'
import { isFinished } from '../../api/kinds/core/finished.ts'
import { Namespace } from '../../api/kinds/core/namespace.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { NetworkPolicy } from '../../api/kinds/networking/network-policy.ts'
import { keyOf } from '../../client/informer-types.ts'
import type { Informers } from '../../client/informers.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Family } from '../../lib/ip-range.ts'
import type { Logger } from '../../lib/log.ts'
import type { Guard } from '../guard/guard.ts'
import { createRounds } from '../rounds.ts'
import type { Nft } from '../tools/nft.ts'
import { compilePolicy } from './compile.ts'
import { createPolicyEngine, type PolicyPod } from './engine.ts'
import { baseTable, type DnsPlace, policyTable } from './ruleset.ts'
import { createTable } from './table.ts'

/** Milliseconds for which a pod waits to be seen here. */
const UNSEEN = 2000

export interface PoliciesDeps {
  readonly informers: Informers
  readonly nft: Nft
  readonly nodeName: string
  readonly family: Family
  readonly dns?: DnsPlace
  readonly guard?: Guard
  readonly clock: Clock
  readonly logger: Logger
}

export interface Policies {
  /** Resolves when what policies say of a pod holds for these addresses. For a pod that has not started. */
  protect(pod: { readonly uid: string }, addresses: readonly string[]): Promise<void>
  /** The pod's addresses are given back. */
  release(uid: string): void
  /** Resolves when everything that was known at the call is in the kernel. */
  idle(): Promise<void>
}

/** Starts following; resolves when the first state is in the kernel. Ends with the signal; the rules stay. */
export async function startPolicies(deps: PoliciesDeps, signal: AbortSignal): Promise<Policies> {
  const { informers, nft, nodeName, family, clock, logger } = deps
  const table = createTable(policyTable(family), baseTable(family))
  const engine = createPolicyEngine(table, { family, ...(deps.dns && { dns: deps.dns }) })
  const policies = informers.of<NetworkPolicyType>(NetworkPolicy)
  const pods = informers.of<PodType>(Pod)
  const namespaces = informers.of<NamespaceType>(Namespace)
  await Promise.all([policies.synced(), pods.synced(), namespaces.synced()])

  /** Addresses that pods were given and that the API may not know yet. */
  const given = new Map<string, readonly string[]>()
  const awaited = new Map<string, () => void>()
  const keys = new Map<string, string>()

  function view(pod: PodType): PolicyPod | undefined {
    const { metadata, spec, status } = pod
    if (isFinished(pod) || spec?.hostNetwork) return undefined
    return {
      namespace: metadata?.namespace ?? '',
      labels: metadata?.labels ?? {},
      addresses: status?.podIPs?.map(({ ip }) => ip) ?? given.get(metadata?.uid ?? '') ?? [],
      ports: [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].flatMap(({ ports = [] }) =>
        ports.flatMap(({ name, protocol = 'TCP', containerPort }) =>
          name ? [{ name, protocol, port: containerPort }] : [],
        ),
      ),
      here: spec?.nodeName === nodeName,
    }
  }

  const { wake, wakeWhole, idle } = createRounds(
    {
      isDirty: table.isTouched,
      async make(whole) {
        const commands = whole ? table.whole() : table.commands()
        table.stands()
        if (whole) await nft.load(commands)
        else if (commands) await nft.change(commands)
      },
      failed: error =>
        logger.error({ err: error }, 'network: policies could not be brought up to date, building all anew'),
      clock,
    },
    signal,
  )

  async function seen(uid: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = clock.after(UNSEEN, resolve)
    awaited.set(uid, resolve)
    await promise
    awaited.delete(uid)
    timer.cancel()
  }

  const ends = [
    namespaces.onChange(({ previous, current }) => {
      engine.namespace((current ?? previous)?.metadata?.name ?? '', current && (current.metadata?.labels ?? {}))
      wake()
    }),
    policies.onChange(({ previous, current }) => {
      engine.policy(keyOf((current ?? previous)!), current && compilePolicy(current))
      wake()
    }),
    pods.onChange(({ previous, current }) => {
      const pod = (current ?? previous)!
      const uid = pod.metadata?.uid ?? ''
      if (current) keys.set(uid, keyOf(pod))
      else keys.delete(uid)
      engine.pod(keyOf(pod), current && view(current))
      wake()
      awaited.get(uid)?.()
    }),
  ]
  signal.addEventListener('abort', () => {
    for (const end of ends) end()
    for (const resolve of awaited.values()) resolve()
  })
  deps.guard?.hold(policyTable(family), wakeWhole)
  wake()
  await idle()

  return {
    async protect({ uid }, addresses) {
      given.set(uid, addresses)
      // The agent has seen the pod in a watch of its own; this one is as quick, unless the pod is gone already.
      if (!keys.has(uid) && !signal.aborted) await seen(uid)
      const key = keys.get(uid)
      const pod = key === undefined ? undefined : pods.get(key)
      if (key === undefined || !pod) return
      engine.pod(key, view(pod))
      wake()
      await idle()
    },
    release(uid) {
      given.delete(uid)
      awaited.get(uid)?.()
    },
    idle,
  }
}
