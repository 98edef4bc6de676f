/** Tokens of a pod's service account, asked for when needed and again before they expire. */
import type { Pod, ServiceAccountTokenProjection } from '../../api/generated/types/core-v1.ts'
import { parseTime } from '../../api/machinery/time.ts'
import type { Client } from '../../client/client.ts'
import type { Clock, Timer } from '../../lib/clock.ts'
import { serviceAccounts } from '../resources.ts'
import { VolumeError } from '../volumes/volume.ts'

const DAY_MS = 86_400_000
const DEFAULT_SECONDS = 3600

export interface PodTokens {
  get(projection: ServiceAccountTokenProjection): Promise<string>
  stop(): void
}

interface Kept {
  readonly token: string
  /** ms since the epoch: from then on a new one is asked for. */
  readonly renewAt: number
}

/** `renew` is called when a token that was handed out should be replaced: after 80 % of its life, or a day. */
export function createPodTokens(deps: { client: Client; clock: Clock }, pod: Pod, renew: () => void): PodTokens {
  const kept = new Map<string, Kept>()
  const { namespace, name, uid } = pod.metadata ?? {}
  const account = pod.spec?.serviceAccountName || 'default'
  let timer: Timer | undefined

  const arm = () => {
    timer?.cancel()
    const next = Math.min(...[...kept.values()].map(each => each.renewAt))
    if (Number.isFinite(next)) timer = deps.clock.after(Math.max(next - deps.clock.now(), 1000), renew)
  }
  return {
    async get({ audience = '', expirationSeconds = DEFAULT_SECONDS }) {
      const key = `${audience}/${expirationSeconds}`
      const now = deps.clock.now()
      const old = kept.get(key)
      if (old && old.renewAt > now) return old.token
      const request = {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {
          audiences: audience ? [audience] : [],
          expirationSeconds,
          boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
        },
      }
      try {
        type Answer = { status?: { token?: string; expirationTimestamp?: string } }
        const client = deps.client.kind(serviceAccounts)
        const { status } = await client.subresource<Answer>({ namespace, name: account }, 'token', request)
        const expires = parseTime(status?.expirationTimestamp) ?? now + expirationSeconds * 1000
        kept.set(key, { token: status?.token ?? '', renewAt: now + Math.min((expires - now) * 0.8, DAY_MS) })
      } catch (error) {
        // The old one still opens doors for a while.
        if (old) return old.token
        throw new VolumeError(`failed to fetch token: ${(error as Error).message}`, { cause: error })
      } finally {
        arm()
      }
      return kept.get(key)?.token ?? ''
    },
    stop: () => timer?.cancel(),
  }
}
