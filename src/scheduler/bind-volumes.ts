/**
 * Binds the claims of a pod that waited for it, before the pod itself is bound: what was decided counts at once, is
 * written, and is waited for until the volumes are there.
 */
import type { Node } from '../api/kinds/core/node.ts'
import { PersistentVolume } from '../api/kinds/core/persistent-volume.ts'
import { PersistentVolumeClaim } from '../api/kinds/core/persistent-volume-claim.ts'
import { claimedBy, SELECTED_NODE } from '../api/machinery/volume-match.ts'
import type { Client } from '../client/client.ts'
import { keyOf } from '../client/informer-types.ts'
import { refOf } from '../client/resource.ts'
import type { Clock } from '../lib/clock.ts'
import { cloneJson } from '../lib/json.ts'
import type { PodInfo } from './pod-info.ts'
import { claimsOf, findVolumes, readClaims } from './pod-volumes.ts'
import type { Binding, FollowedStorage } from './storage.ts'

/** How long a pod waits for its volumes on one node (upstream's bindTimeoutSeconds), ms. */
const TIMEOUT_MS = 600_000

export interface BindVolumesDeps {
  readonly client: Client
  readonly storage: FollowedStorage
  readonly clock: Clock
  /** Ends all waits. */
  readonly signal: AbortSignal
}

/**
 * Decides the claims of a pod that is to go to `node`, and lets that count at once; undefined where nothing is to be
 * decided. The promise resolves when all are bound; it rejects when that was given up, and the decision counts no more.
 */
export function bindVolumes(deps: BindVolumesDeps, { pod }: PodInfo, node: Node): Promise<void> | undefined {
  const { storage } = deps
  if (claimsOf(pod).length === 0) return undefined
  const claims = readClaims(pod, storage)
  if (typeof claims === 'string') return Promise.reject(new Error(claims))
  if (claims.delayed.length === 0) return undefined
  const found = findVolumes(claims, node, storage)
  if ('reasons' in found) return Promise.reject(new Error(found.reasons.join(', ')))
  const undo = storage.assume(found.binding)
  return carryOut(deps, found.binding, claims.delayed).finally(undo)
}

async function carryOut(deps: BindVolumesDeps, binding: Binding, claims: readonly PersistentVolumeClaim[]) {
  await write(deps, binding)
  await untilBound(deps, binding, claims.map(keyOf))
}

async function write({ client }: BindVolumesDeps, { volumes, provisioned, nodeName }: Binding) {
  for (const { claim, volume } of volumes)
    await client.kind<PersistentVolume>(PersistentVolume).update(cloneJson(claimedBy(volume, claim)))
  for (const claim of provisioned) {
    const { uid, resourceVersion } = claim.metadata ?? {}
    if (claim.metadata?.annotations?.[SELECTED_NODE] === nodeName) continue
    const patch = { metadata: { uid, resourceVersion, annotations: { [SELECTED_NODE]: nodeName } } }
    await client.kind<PersistentVolumeClaim>(PersistentVolumeClaim).patch(refOf(claim), patch, { type: 'merge' })
  }
}

/** Resolves when all claims are bound; rejects when one will not be, or not in time. */
function untilBound({ storage, clock, signal }: BindVolumesDeps, binding: Binding, keys: readonly string[]) {
  const isProvisioned = new Set(binding.provisioned.map(keyOf))
  /** Claims that were seen with the node that was written. */
  const told = new Set<string>()
  return new Promise<void>((resolve, reject) => {
    const settle = (error?: Error) => {
      timer.cancel()
      end()
      signal.removeEventListener('abort', abort)
      if (error) reject(error)
      else resolve()
    }
    const abort = () => settle(new Error('the scheduler ends'))
    const look = () => {
      let isDone = true
      for (const key of keys) {
        const claim = storage.claim(key)
        if (!claim) return settle(new Error(`binding volumes: persistentvolumeclaim ${JSON.stringify(key)} not found`))
        if (claim.spec?.volumeName && claim.status?.phase === 'Bound') continue
        isDone = false
        if (!isProvisioned.has(key) || claim.spec?.volumeName) continue
        // The provisioner takes the node away where it cannot make the volume there.
        const node = storage.written(key)
        if (node === binding.nodeName) told.add(key)
        else if (told.has(key))
          return settle(
            new Error(`binding volumes: provisioning failed for PVC ${JSON.stringify(claim.metadata?.name)}`),
          )
      }
      if (isDone) settle()
    }
    const timer = clock.after(TIMEOUT_MS, () => settle(new Error('binding volumes: context deadline exceeded')))
    const end = storage.onChange(look)
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    else look()
  })
}
