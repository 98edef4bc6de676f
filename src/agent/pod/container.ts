/** Starting and stopping one container, with its hooks and the events that `kubectl describe` shows. */
import type { Pod } from '../../api/generated/types/core-v1.ts'
import { type ProbeTarget, runHook } from '../probes/run.ts'
import type { FoundImage, VolumeImage } from '../runtimes/runtime.ts'
import { containerConfig } from './container-config.ts'
import { type ContainerDeps, containerEvent, postpone } from './container-events.ts'
import { type PodDeps, podTitle } from './deps.ts'
import { ConfigError } from './env.ts'
import { DEFAULT_GRACE_S } from './grace.ts'
import type { Ground } from './ground.ts'
import { ensureImage, ensureVolumeImages } from './image-pull.ts'
import { imageSource } from './image-source.ts'
import { statusesOf } from './object.ts'
import { type Slot, specIn } from './slot.ts'

/** What a container has after its preStop hook has used up the grace (as the kubelet's). */
const LAST_MS = 2000
/** A postStart hook has no limit of its own. */
const HOOK_MS = 3_600_000

/** How a container of the pod is reached by probes and hooks. */
export const targetOf = (deps: PodDeps, ground: Ground, slot: Slot, containerId: string): ProbeTarget => ({
  driver: ground.driver,
  clock: deps.clock,
  containerId,
  container: slot.spec,
  host: ground.podIPs[0] ?? deps.node.ips[0] ?? '127.0.0.1',
  ports: ground.ports,
})

/** The number that the next instance has: restarts so far. */
function nextAttempt(pod: Pod, slot: Slot): number {
  const [latest] = slot.instances
  if (latest) return latest.state === 'created' ? latest.attempt : latest.attempt + 1
  if (slot.lost) return slot.lost.restartCount + 1
  const old = statusesOf(pod).find(each => each.name === slot.spec.name)
  return old?.containerID ? old.restartCount + 1 : (old?.restartCount ?? 0)
}

/** Starts the next instance. Never rejects: what goes wrong is in `slot.waiting` and in events. */
export async function startContainer(deps: ContainerDeps, ground: Ground, slot: Slot): Promise<void> {
  const attempt = nextAttempt(deps.pod(), slot)
  const [latest] = slot.instances
  if (latest?.state === 'created') await ground.driver.removeContainer(latest.id)
  if (latest?.state === 'exited') {
    if (slot.forced === latest.id) slot.backOff.reset()
    else slot.backOff.restarted(deps.clock.now())
  }
  // A pull may take minutes: others' starts do not wait for it.
  const image = await ensureImage(deps, ground, slot)
  const images = image && (await ensureVolumeImages(deps, ground, slot))
  if (!images) return
  const id = await deps.starts.run(() => launch(deps, ground, slot, attempt, { image, ofVolumes: images }))
  if (id) await postStart(deps, ground, slot, id)
}

/** The instance that runs now; undefined when there is none. */
async function launch(
  deps: ContainerDeps,
  ground: Ground,
  slot: Slot,
  attempt: number,
  { image, ofVolumes }: { readonly image: FoundImage; readonly ofVolumes: ReadonlyMap<string, VolumeImage> },
): Promise<string | undefined> {
  const pod = deps.pod()
  const { driver } = ground
  const failed = (reason: string, message: string) => {
    containerEvent(deps, slot, 'Warning', 'Failed', `Error: ${message}`)
    postpone(deps, slot, reason, message)
    return undefined
  }
  let id: string
  try {
    const env = {
      objects: ground.objects,
      addresses: { podIPs: ground.podIPs, hostIPs: deps.node.ips },
      allocatable: deps.node.allocatable(),
      volumePath: (name: string) => ground.volumes?.pathOf(name),
      services: deps.serviceEnv(pod.metadata?.namespace ?? '', pod.spec?.enableServiceLinks ?? true),
    }
    const allocated = deps.allocated()
    const plugged = await deps.devices.prepare(pod, slot.spec).catch(cause => {
      throw new ConfigError((cause as Error).message, { cause })
    })
    const config = await containerConfig(allocated, specIn(allocated, slot), attempt, {
      env,
      volumes: ground.volumes,
      recursiveReadOnly: driver.capabilities.recursiveReadOnly ?? false,
      ports: ground.ports,
      memoryCapacity: deps.node.memoryCapacity,
      image,
      volumeImages: imageSource(ground, ofVolumes),
      seccompDirectory: deps.seccompDirectory,
      plugged,
      targetId: targetIdOf(deps, slot),
    })
    id = await driver.createContainer(ground.sandbox, config)
    slot.limits = { id, resources: config.resources }
  } catch (error) {
    const reason = error instanceof ConfigError ? 'CreateContainerConfigError' : 'CreateContainerError'
    return failed(reason, (error as Error).message)
  }
  containerEvent(deps, slot, 'Normal', 'Created', 'Container created')
  try {
    await driver.startContainer(id)
  } catch (error) {
    const message = (error as Error).message
    containerEvent(deps, slot, 'Warning', 'Failed', `Error: ${message}`)
    // There is an instance, which has failed: its restart is a matter of back-off.
    slot.waiting = { reason: 'RunContainerError', message }
    return undefined
  }
  slot.waiting = undefined
  slot.retryAt = 0
  slot.toldBackOff = 0
  containerEvent(deps, slot, 'Normal', 'Started', 'Container started')
  return id
}

/** The instance whose processes an ephemeral container shall see. Throws `ConfigError` where it does not run. */
function targetIdOf(deps: ContainerDeps, { spec }: Slot): string | undefined {
  const name = spec.targetContainerName
  if (!name) return undefined
  const id = deps.running(name)
  if (id === undefined) throw new ConfigError(`unable to find target container ${name}`)
  return id
}

async function postStart(deps: ContainerDeps, ground: Ground, slot: Slot, id: string) {
  const hook = slot.spec.lifecycle?.postStart
  if (!hook) {
    slot.hooked = id
    return
  }
  deps.changed()
  const problem = await runHook(targetOf(deps, ground, slot, id), hook, HOOK_MS)
  if (problem === undefined) {
    slot.hooked = id
    return
  }
  deps.logger.info({ pod: podTitle(deps.pod()), container: slot.spec.name, problem }, 'a postStart hook failed')
  containerEvent(deps, slot, 'Warning', 'FailedPostStartHook', 'PostStartHook failed')
  containerEvent(deps, slot, 'Normal', 'Killing', 'FailedPostStartHook')
  await ground.driver.stopContainer(id, (deps.pod().spec?.terminationGracePeriodSeconds ?? DEFAULT_GRACE_S) * 1000)
  slot.waiting = { reason: 'PostStartHookError', message: 'PostStartHook failed' }
}

/**
 * Stops the running instance: preStop hook, signal, and after the grace the kill. `slot.hurry` shortens the grace
 * meanwhile. `ground` is absent for a pod of which only the runtime is known. Never rejects.
 */
export async function stopContainer(
  deps: ContainerDeps,
  ground: Pick<Ground, 'driver'> & Partial<Ground>,
  slot: Slot,
  message: string,
  graceMs: number,
): Promise<void> {
  const [latest] = slot.instances
  if (latest?.state !== 'running') return
  const { clock } = deps
  let deadline = clock.elapsed() + graceMs
  let hastened: (() => void) | undefined
  slot.hurry = ms => {
    const sooner = clock.elapsed() + ms
    if (sooner >= deadline) return
    deadline = sooner
    hastened?.()
  }
  containerEvent(deps, slot, 'Normal', 'Killing', message)
  const hook = slot.spec.lifecycle?.preStop
  try {
    if (hook && graceMs > 0) {
      const target = targetOf(deps, { podIPs: [], ports: {}, ...ground } as Ground, slot, latest.id)
      const hurried = new Promise<string | undefined>(resolve => {
        hastened = () => {
          const timer = clock.after(Math.max(deadline - clock.elapsed(), 0), () => resolve('grace period ended'))
          deps.signal.addEventListener('abort', () => timer.cancel(), { once: true })
        }
      })
      const problem = await Promise.race([runHook(target, hook, graceMs), hurried])
      if (problem !== undefined) containerEvent(deps, slot, 'Warning', 'FailedPreStopHook', 'PreStopHook failed')
    }
    hastened = () =>
      void ground.driver.stopContainer(latest.id, Math.max(deadline - clock.elapsed(), 0)).catch(() => {})
    const left = deadline - clock.elapsed()
    await ground.driver.stopContainer(latest.id, graceMs > 0 && hook ? Math.max(left, LAST_MS) : Math.max(left, 0))
  } catch (error) {
    deps.logger.warn({ err: error, pod: podTitle(deps.pod()), container: slot.spec.name }, 'a container did not stop')
    deps.events.event(deps.pod(), 'Warning', 'FailedKillPod', `error killing pod: ${(error as Error).message}`)
  } finally {
    slot.hurry = undefined
  }
}
