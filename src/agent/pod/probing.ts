/** Which instance of a container is probed, and what its probes say to the outside. */
import type { Pod } from '../../api/generated/types/core-v1.ts'
import { isSidecar } from '../../api/kinds/core/pod-containers.ts'
import { createProber } from '../probes/prober.ts'
import { runProbe } from '../probes/run.ts'
import { targetOf } from './container.ts'
import { type ContainerDeps, containerEvent } from './container-events.ts'
import type { Ground } from './ground.ts'
import { statusesOf } from './object.ts'
import type { Slot } from './slot.ts'

const TITLES = { startup: 'Startup', readiness: 'Readiness', liveness: 'Liveness' }

/** Probes the newest instance while it runs, and no other. `ending`: the pod is being brought to its end. */
export function probeSlot(
  deps: ContainerDeps,
  ground: Ground | undefined,
  slot: Slot,
  pod: Pod,
  ending: boolean,
): void {
  const [latest] = slot.instances
  const lasts = slot.sort === 'main' || (slot.init && isSidecar(slot.spec))
  const wanted = latest?.state === 'running' && slot.hooked === latest.id && lasts
  if (slot.prober && (!wanted || slot.prober.id !== latest.id)) {
    slot.prober.prober.stop()
    slot.prober = undefined
  }
  if (!wanted || slot.prober || !ground) return
  const known = statusesOf(pod).find(each => each.containerID?.endsWith(latest.id))
  const target = targetOf(deps, ground, slot, latest.id)
  const before = known && { started: known.started ?? false, ready: known.ready }
  const prober = createProber(slot.spec, latest.startedAt, before, {
    clock: deps.clock,
    run: each => runProbe(target, each),
    changed: deps.changed,
    tried(type, { ok, output }) {
      slot.probed[type][ok ? 'successful' : 'failed']++
      if (!ok) containerEvent(deps, slot, 'Warning', 'Unhealthy', `${TITLES[type]} probe failed: ${output}`)
    },
  })
  if (ending) prober.endPodBegan()
  slot.prober = { id: latest.id, prober }
}
