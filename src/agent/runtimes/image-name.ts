/** Names of images as pods have them. */
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
