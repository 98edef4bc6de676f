/** A pod that was deleted leaves services before its containers are ended: nobody is led to one that listens no more. */
import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { PodNetwork } from '../pod-network.ts'

export interface ServicesExit {
  /**
   * Whether it is leaving; the first call begins. It takes no more than half of the grace of `left` ms, and nothing
   * where there is none.
   */
  isUnderWay(pod: Pod, left: number): boolean
}

/** For one pod; `changed` is called when it has left. */
export function createServicesExit(
  { leave }: Pick<PodNetwork, 'leave'>,
  uid: string,
  changed: () => void,
): ServicesExit {
  let state: 'before' | 'leaving' | 'left' = 'before'
  return {
    isUnderWay({ status }, left) {
      const ips = (status?.podIPs ?? []).map(({ ip }) => ip)
      if (!leave || ips.length === 0 || left === 0) return false
      if (state === 'before') {
        state = 'leaving'
        void leave({ uid, ips, withinMs: left / 2 }).finally(() => {
          state = 'left'
          changed()
        })
      }
      return state === 'leaving'
    },
  }
}
