/** Getting a container's image, and what is said of an image that cannot be had: as the kubelet has it. */
import { type EnsuredImage, RuntimeError } from '../runtimes/runtime.ts'
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

/** The image, or undefined where it is not to be had now: the slot says why, and when it is tried again. */
export async function ensureImage(
  deps: ContainerDeps,
  { driver, objects }: Pick<Ground, 'driver' | 'objects'>,
  slot: Slot,
): Promise<EnsuredImage | undefined> {
  const image = slot.spec.image ?? ''
  const event = (type: 'Normal' | 'Warning', reason: string, message: string) =>
    containerEvent(deps, slot, type, reason, message)
  try {
    const names = deps.pod().spec?.imagePullSecrets ?? []
    const secrets = names.flatMap(({ name }) => (name && objects.secret(name)) || [])
    let began = 0
    const found = await driver.ensureImage(image, slot.spec.imagePullPolicy ?? 'IfNotPresent', {
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
  } catch (error) {
    const { reason, message } =
      error instanceof RuntimeError
        ? error
        : new RuntimeError('ErrImagePull', String((error as Error).message ?? error))
    if (reason === 'ErrImagePull') event('Warning', 'Failed', `Failed to pull image ${quoted(image)}: ${message}`)
    else if (reason === 'ErrImageNeverPull') event('Warning', 'ErrImageNeverPull', message)
    else if (reason === 'InvalidImageName') event('Warning', 'InspectFailed', message)
    event('Warning', 'Failed', `Error: ${reason}`)
    postpone(deps, slot, reason, message)
    slot.toldAt = deps.clock.elapsed()
    return undefined
  }
}

/** After a failed pull: that the next one is waited for. Milliseconds until that is to be said. */
export function tellPullBackOff(deps: ContainerDeps, slot: Slot): number | undefined {
  const { waiting } = slot
  if (waiting?.reason !== 'ErrImagePull' || slot.busy) return undefined
  const wait = slot.toldAt + TOLD_MS - deps.clock.elapsed()
  if (wait > 0) return wait
  const text = `Back-off pulling image ${quoted(slot.spec.image ?? '')}`
  containerEvent(deps, slot, 'Normal', 'BackOff', text)
  containerEvent(deps, slot, 'Warning', 'Failed', 'Error: ImagePullBackOff')
  slot.waiting = { reason: 'ImagePullBackOff', message: `${text}: ErrImagePull: ${waiting.message ?? ''}` }
  return undefined
}
