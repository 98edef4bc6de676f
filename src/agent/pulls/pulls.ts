/**
 * How a node comes by images, whatever runtime keeps them: by policy, with the pod's secrets and what the node's
 * credential providers know, so many at once; told in the kubelet's events. What is there is not for every pod.
 */
import type { Secret } from '../../api/generated/types/core-v1.ts'
import { formatDuration } from '../../api/machinery/time.ts'
import type { Clock } from '../../lib/clock.ts'
import { type ImageReference, referenceOf } from '../images/reference.ts'
import { createLimiter } from '../limiter.ts'
import { type FoundImage, type RuntimeDriver, RuntimeError } from '../runtimes/runtime.ts'
import type { CredentialProvider } from './provider.ts'
import type { Proof, PullRecords } from './records.ts'
import { secretProofs } from './secrets.ts'

/** An image that a pod needs. */
export interface ImageRequest {
  readonly driver: Pick<RuntimeDriver, 'findImage' | 'pullImage'>
  readonly image: string
  /** Always, IfNotPresent or Never. */
  readonly policy: string
  /** Those of its imagePullSecrets that are there. */
  readonly secrets: readonly Secret[]
  /** Tells how it goes. */
  event(type: 'Normal' | 'Warning', reason: string, message: string): void
}

interface Wanted extends ImageRequest {
  /** Undefined for what is no name of an image. */
  readonly place: ImageReference | undefined
  /** What the pod's secrets hold for it. */
  readonly own: readonly Proof[]
}

export interface Pulls {
  /**
   * Makes sure that the image is there. Rejects with `RuntimeError` (ErrImagePull, ErrImageNeverPull, InvalidImageName,
   * ImageNotSupported, …).
   */
  ensure(request: ImageRequest): Promise<FoundImage>
}

export interface PullsDeps {
  readonly clock: Clock
  /** Pulls at once. */
  readonly limit: number
  readonly providers: readonly CredentialProvider[]
  readonly records: PullRecords
}

const quoted = JSON.stringify

const asRuntimeError = (cause: unknown): RuntimeError =>
  cause instanceof RuntimeError
    ? cause
    : new RuntimeError('ErrImagePull', String((cause as Error).message ?? cause), { cause })

export function createPulls({ clock, limit, providers, records }: PullsDeps): Pulls {
  const turns = createLimiter(limit, clock)

  /** What may be shown to the registry: the pod's own first. */
  async function proofsFor({ image, place, own }: Wanted): Promise<readonly Proof[]> {
    const known = place ? await Promise.all(providers.map(each => each.credentials(image, place))) : []
    return [...own, ...known.flat().map(credentials => ({ credentials }))]
  }
  /** Shows each proof in turn, and nothing where there is none; rejects with the last refusal. */
  async function pullWith(wanted: Wanted): Promise<FoundImage> {
    const { driver, image, place } = wanted
    const all = await proofsFor(wanted)
    if (place) records.begin(place)
    let refusal: unknown
    for (const proof of all.length > 0 ? all : [undefined]) {
      try {
        const pulled = await driver.pullImage(image, proof?.credentials)
        if (place) records.end(place, { id: pulled.imageId, proof })
        return pulled
      } catch (error) {
        refusal = error
      }
    }
    if (place) records.end(place)
    throw refusal
  }
  /** The pod may use what is there. */
  const isOpen = ({ place, own }: Wanted, { imageId }: FoundImage): boolean =>
    place === undefined || records.isOpen(place, imageId, own)
  async function pull(wanted: Wanted): Promise<FoundImage> {
    const { image, event } = wanted
    event('Normal', 'Pulling', `Pulling image ${quoted(image)}`)
    const asked = clock.elapsed()
    let began = asked
    try {
      const pulled = await turns.run(() => {
        began = clock.elapsed()
        return pullWith(wanted)
      })
      const [took, waited] = [began, asked].map(since => formatDuration(Math.floor(clock.elapsed() - since)))
      const size = `Image size: ${pulled.size ?? 0} bytes.`
      event(
        'Normal',
        'Pulled',
        `Successfully pulled image ${quoted(image)} in ${took} (${waited} including waiting). ${size}`,
      )
      return pulled
    } catch (cause) {
      const error = asRuntimeError(cause)
      event('Warning', 'Failed', `Failed to pull image ${quoted(image)}: ${error.message}`)
      throw error
    }
  }
  /** What is there already; undefined: it is to be pulled. */
  async function present(wanted: Wanted): Promise<FoundImage | undefined> {
    const { driver, image, policy, event } = wanted
    let found: FoundImage | undefined
    try {
      found = await driver.findImage(image)
    } catch (error) {
      if ((error as RuntimeError).reason === 'InvalidImageName')
        event('Warning', 'InspectFailed', (error as RuntimeError).message)
      throw error
    }
    if (found && (found.builtIn || (policy !== 'Always' && isOpen(wanted, found)))) {
      event(
        'Normal',
        'Pulled',
        `Container image ${quoted(image)} already present on machine and can be accessed by the pod`,
      )
      return found
    }
    if (policy !== 'Never') return undefined
    const message = `Container image ${quoted(image)} is not present with pull policy of Never`
    event('Warning', 'ErrImageNeverPull', message)
    throw new RuntimeError('ErrImageNeverPull', message)
  }
  return {
    async ensure(request) {
      const { image, secrets } = request
      try {
        const wanted = { ...request, place: referenceOf(image), own: secretProofs(secrets, image) }
        return (await present(wanted)) ?? (await pull(wanted))
      } catch (error) {
        throw asRuntimeError(error)
      }
    },
  }
}
