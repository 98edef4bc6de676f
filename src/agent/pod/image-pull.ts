/** Getting a container's image, and what is said of an image that cannot be had: as the kubelet has it. */
import type { ImageRequest } from '../pulls/pulls.ts'
import type { FoundImage, RuntimeError, VolumeImage } from '../runtimes/runtime.ts'
import { type ContainerDeps, containerEvent, postpone } from './container-events.ts'
import type { Ground } from './ground.ts'
import type { Slot } from './slot.ts'

/** A failed pull is told as such for so long; then the container is said to wait for the next one. */
const TOLD_MS = 1000

const quoted = JSON.stringify

/** An image that a pod needs, and how events about it are told. */
export type Wanted = Pick<ImageRequest, 'image' | 'event'> & { readonly policy: string | undefined }

/** Gets it, and tells in events how that went. Rejects with `RuntimeError`. */
function obtain(
  deps: ContainerDeps,
  { driver, objects }: Pick<Ground, 'driver' | 'objects'>,
  { policy = 'IfNotPresent', ...wanted }: Wanted,
): Promise<FoundImage> {
  const names = (deps.pod().spec?.imagePullSecrets ?? []).flatMap(({ name }) => name || [])
  const secrets = names.flatMap(name => objects.secret(name) ?? [])
  const missing = names.filter(name => !objects.secret(name))
  if (missing.length) {
    const what = `Unable to retrieve some image pull secrets (${missing.join(', ')})`
    const message = `${what}; attempting to pull the image may not succeed.`
    deps.events.event(deps.pod(), 'Warning', 'FailedToRetrieveImagePullSecret', message)
  }
  return deps.pulls.ensure({ driver, policy, secrets, ...wanted })
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
): Promise<FoundImage | undefined> {
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
