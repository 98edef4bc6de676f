/** Pulls of simulated images: all are there but those whose tag says that they are not. */
import type { ImageScript } from './script.ts'

/** Tags by which people, and the conformance suite, name images that do not exist. */
const ABSENT = new Set(['404', 'non-existent', 'nonexistent', 'does-not-exist'])

/** What becomes of the pull of an image. */
export function scriptOfImage(image: string): ImageScript {
  const tag = /:([^:/@]+)$/.exec(image)?.[1]
  if (tag === undefined || !ABSENT.has(tag)) return {}
  const message = `failed to pull and unpack image "${image}": the simulated image has the tag ${JSON.stringify(tag)}`
  return { error: { reason: 'ErrImagePull', message } }
}
