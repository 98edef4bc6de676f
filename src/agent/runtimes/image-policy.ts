/** Whether an image may or must be pulled: names and imagePullPolicy as the kubelet has them. */
import { formatReference, parseReference } from '../images/reference.ts'
import { RuntimeError } from './runtime.ts'

/** The name with its registry and tag. Throws `RuntimeError` for what is no name of an image. */
export function fullImageName(image: string): string {
  try {
    return formatReference(parseReference(image))
  } catch (cause) {
    const message = `Failed to apply default image tag ${JSON.stringify(image)}: ${(cause as Error).message}`
    throw new RuntimeError('InvalidImageName', message, { cause })
  }
}

/** Throws `RuntimeError` where the policy forbids to pull an image that is not there. */
export function checkPull(image: string, policy: string): void {
  if (policy !== 'Never') return
  const message = `Container image ${JSON.stringify(image)} is not present with pull policy of Never`
  throw new RuntimeError('ErrImageNeverPull', message)
}
