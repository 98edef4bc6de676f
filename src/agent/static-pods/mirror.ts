/**
 * The image of a static pod in the API (its mirror): made, made again when it is deleted or not the one of this pod,
 * given the pod's status, and taken away with it. The pod itself does not depend on it.
 */
import type { Node, Pod } from '../../api/generated/types/core-v1.ts'
import { StatusError } from '../../api/machinery/status-error.ts'
import { createBackOff } from '../../client/back-off.ts'
import type { Client, KindClient } from '../../client/client.ts'
import { type Clock, sleep } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import { deleteNow } from '../pod/delete-ended.ts'
import { pods } from '../resources.ts'
import { MIRROR } from './manifest.ts'

export interface MirrorDeps {
  readonly client: Client
  readonly clock: Clock
  readonly logger: Logger
  /** The node, by which the mirror goes when it goes. */
  readonly node: Node
  /** What the API has under the pod's name. */
  current(): Pod | undefined
}

export interface Mirror {
  /** Of the mirror in the API; undefined while there is none. */
  uid(): string | undefined
  /** The API has news of the pod's name. */
  seen(): void
  /** A client through which the pod's worker writes to the mirror as if it were the pod. */
  readonly client: Client
}

/** Whether an object of the API is the mirror of some static pod. */
export const isMirror = (pod: Pod): boolean => pod.metadata?.annotations?.[MIRROR] !== undefined

/** Begins to keep the mirror of a static pod; ends with the signal, or when the pod's worker deletes it. */
export function keepMirror(deps: MirrorDeps, pod: Pod, signal: AbortSignal): Mirror {
  const { client, clock, logger } = deps
  const api = client.kind(pods)
  const { namespace, name = '', uid: hash = '' } = pod.metadata ?? {}
  const ref = { namespace, name }
  const backOff = createBackOff(200, 30_000)
  let over = false
  let working = false
  let again = false
  /** The newest status, for a mirror that is made later. */
  let told: { status?: object } | undefined

  const own = (found: Pod | undefined) => found?.metadata?.annotations?.[MIRROR] === hash
  const isThere = (found: Pod | undefined): found is Pod =>
    found !== undefined && own(found) && found.metadata?.deletionTimestamp === undefined
  const uid = () => {
    const found = deps.current()
    return isThere(found) ? found.metadata?.uid : undefined
  }
  const write = (to: string | undefined, body: object) =>
    api.patch(ref, { ...body, metadata: { uid: to } }, { type: 'strategic', subresource: 'status' })

  async function make() {
    const { uid: _, ...metadata } = pod.metadata ?? {}
    const { apiVersion, kind, metadata: node } = deps.node
    const owner = {
      apiVersion: apiVersion ?? 'v1',
      kind: kind ?? 'Node',
      name: node?.name ?? '',
      uid: node?.uid ?? '',
      controller: true,
    }
    const made = await api.create(
      structuredClone({
        ...pod,
        metadata: { ...metadata, annotations: { ...metadata.annotations, [MIRROR]: hash }, ownerReferences: [owner] },
      }),
    )
    if (told) await write(made.metadata?.uid, structuredClone(told))
  }
  async function look() {
    const found = deps.current()
    if (over || isThere(found)) return
    // Deleted by someone, or of an earlier manifest: it goes now, and its going is seen.
    if (found && isMirror(found)) return deleteNow(client, found)
    if (!found) await make()
    else logger.warn({ pod: `${namespace}/${name}` }, 'another pod has the name of a static pod: it is not shown')
  }
  async function run() {
    working = true
    try {
      do {
        again = false
        await look()
        backOff.reset()
      } while (again && !signal.aborted)
    } catch (error) {
      const isTaken = error instanceof StatusError && error.code === 409
      if (!isTaken) logger.warn({ err: error, pod: `${namespace}/${name}` }, 'a static pod could not be shown')
      await sleep(clock, backOff.next(), signal)
      again = true
    } finally {
      working = false
      if (again && !signal.aborted) void run()
    }
  }
  const seen = () => {
    if (over || signal.aborted) return
    if (working) again = true
    else void run()
  }

  const mirrored: Pick<KindClient<Pod>, 'patch' | 'delete'> = {
    async patch(_ref, body) {
      const { metadata: __, ...rest } = body as { metadata?: object; status?: object }
      told = structuredClone(rest)
      const status = rest.status as NonNullable<Pod['status']>
      const answer = { ...pod, status }
      const to = uid()
      if (to === undefined) return answer
      try {
        return await write(to, rest)
      } catch (error) {
        // It went meanwhile: the next one is told all of this.
        if (error instanceof StatusError && (error.code === 404 || error.code === 409)) return answer
        throw error
      }
    },
    async delete() {
      over = true
      const found = deps.current()
      if (found && own(found)) await deleteNow(client, found)
      return pod
    },
  }
  seen()
  return {
    uid,
    seen,
    client: {
      ...client,
      kind: resource =>
        resource.key === pods.key
          ? ({ ...api, ...mirrored } as unknown as ReturnType<typeof client.kind>)
          : client.kind(resource),
    } as Client,
  }
}
