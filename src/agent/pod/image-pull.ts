/** Getting a container's image, and what is said of an image that cannot be had: as the kubelet has it. */
import { type EnsuredImage, RuntimeError, type VolumeImage } from '../runtimes/runtime.ts'
import { type ContainerDeps, containerEvent, postpone } from './container-events.ts'
import type { Ground } from './ground.ts'
import { pullCredentials } from './pull-secrets.ts'
import type { Slot } from './slot.ts'

/** A failed pull is told as such for so long; then the container is said to wait for the next one. */
const TOLD_MS = 1000

const quoted = JSON.stringify

/** As Go prints a duration that is cut to milliseconds: `523ms`, `1.5s`, `1m2.03s`. */
export function pullDuration(ms: number): string {
  const whole = Math.floor(ms)
  if (whole < 1000) return whole === 0 ? '0s' : `${whole}ms`
  const minutes = Math.floor(whole / 60_000)
  return `${minutes > 0 ? `${minutes}m` : ''}${(whole % 60_000) / 1000}s`
}

/** An image that a pod needs, and how events about it are told. */
export interface Wanted {
  readonly image: string
  readonly policy: string | undefined
  event(type: 'Normal' | 'Warning', reason: string, message: string): void
}

/** Gets it, and tells in events how that went. Rejects with `RuntimeError`. */
async function obtain(
  deps: ContainerDeps,
  { driver, objects }: Pick<Ground, 'driver' | 'objects'>,
  { image, policy = 'IfNotPresent', event }: Wanted,
): Promise<EnsuredImage> {
  try {
    const names = deps.pod().spec?.imagePullSecrets ?? []
    const secrets = names.flatMap(({ name }) => (name && objects.secret(name)) || [])
    let began = 0
    const found = await driver.ensureImage(image, policy, {
      credentials: pullCredentials(secrets, image),
      pulling() {
        began = deps.clock.elapsed()
        event('Normal', 'Pulling', `Pulling image ${quoted(image)}`)
      },
    })
    const took = pullDuration(deps.clock.elapsed() - began)
    const message = found.pulled
      ? `Successfully pulled image ${quoted(image)} in ${took} (${took} including waiting). Image size: ${found.size ?? 0} bytes.`
      : `Container image ${quoted(image)} already present on machine and can be accessed by the pod`
    event('Normal', 'Pulled', message)
    return found
  } catch (cause) {
    const error =
      cause instanceof RuntimeError
        ? cause
        : new RuntimeError('ErrImagePull', String((cause as Error).message ?? cause), { cause })
    const { reason, message } = error
    if (reason === 'ErrImagePull') event('Warning', 'Failed', `Failed to pull image ${quoted(image)}: ${message}`)
    else if (reason === 'ErrImageNeverPull') event('Warning', 'ErrImageNeverPull', message)
    else if (reason === 'InvalidImageName') event('Warning', 'InspectFailed', message)
    throw error
  }
}

/** What `get` gives, or undefined where that is not to be had now: the slot says why, and when it is tried again. */
async function orPostponed<T>(
  deps: ContainerDeps,
  slot: Slot,
  { image, event }: Wanted,
  get: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await get()
  } catch (error) {
    const { reason, message } = error as RuntimeError
    containerEvent(deps, slot, 'Warning', 'Failed', `Error: ${reason}`)
    postpone(deps, slot, reason, message)
    slot.unpulled = { image, at: deps.clock.elapsed(), event }
    return undefined
  }
}

/** A container's image, or undefined where it is not to be had now. */
export async function ensureImage(
  deps: ContainerDeps,
  ground: Pick<Ground, 'driver' | 'objects'>,
  slot: Slot,
): Promise<EnsuredImage | undefined> {
  const wanted: Wanted = {
    image: slot.spec.image ?? '',
    policy: slot.spec.imagePullPolicy,
    event: (type, reason, message) => containerEvent(deps, slot, type, reason, message),
  }
  return orPostponed(deps, slot, wanted, () => obtain(deps, ground, wanted))
}

/**
 * The images of all volumes that a container mounts, or undefined where one is not to be had now. Each is asked for once
 * in a pod's life here, so that all its containers see the same.
 */
export async function ensureVolumeImages(
  deps: ContainerDeps,
  ground: Pick<Ground, 'driver' | 'objects' | 'images'>,
  slot: Slot,
): Promise<ReadonlyMap<string, VolumeImage> | undefined> {
  const found = new Map<string, VolumeImage>()
  const mounted = new Set(slot.spec.volumeMounts?.map(each => each.name))
  for (const { name, image } of deps.pod().spec?.volumes ?? []) {
    if (!image || !mounted.has(name)) continue
    const wanted: Wanted = {
      image: image.reference ?? '',
      policy: image.pullPolicy,
      event: (type, reason, message) => deps.events.event(deps.pod(), type, reason, message),
    }
    const known = ground.images.get(name) ?? obtain(deps, ground, wanted)
    ground.images.set(name, known)
    known.catch(() => ground.images.delete(name))
    const got = await orPostponed(deps, slot, wanted, () => known)
    if (!got) return undefined
    found.set(name, { id: got.imageId, name: wanted.image })
  }
  return found
}

/** After a failed pull: that the next one is waited for. Milliseconds until that is to be said. */
export function tellPullBackOff(deps: ContainerDeps, slot: Slot): number | undefined {
  const { waiting, unpulled } = slot
  if (waiting?.reason !== 'ErrImagePull' || slot.busy || !unpulled) return undefined
  const wait = unpulled.at + TOLD_MS - deps.clock.elapsed()
  if (wait > 0) return wait
  const text = `Back-off pulling image ${quoted(unpulled.image)}`
  unpulled.event('Normal', 'BackOff', text)
  containerEvent(deps, slot, 'Warning', 'Failed', 'Error: ImagePullBackOff')
  slot.waiting = { reason: 'ImagePullBackOff', message: `${text}: ErrImagePull: ${waiting.message ?? ''}` }
  return undefined
}
