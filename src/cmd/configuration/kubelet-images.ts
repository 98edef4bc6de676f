/** What a node's configuration says of images: how many are pulled at once, for whom they are, and when they are removed. */
import type { ImageGarbageSettings } from '../../agent/node/image-garbage.ts'
import { VERIFICATIONS, type VerificationSettings } from '../../agent/pulls/records.ts'
import { DEFAULT_SETTINGS, type NodeSettings } from '../../agent/settings.ts'
import { parseDuration } from '../../api/machinery/time.ts'
import type { Shape } from '../../apiserver/configuration/read.ts'
import type { Of as OfField } from './fields.ts'

/** Of KubeletConfiguration. */
export interface ImageFields {
  readonly serializeImagePulls?: boolean
  readonly maxParallelImagePulls?: number
  readonly imageMinimumGCAge?: string
  readonly imageMaximumGCAge?: string
  readonly imageGCHighThresholdPercent?: number
  readonly imageGCLowThresholdPercent?: number
  readonly imagePullCredentialsVerificationPolicy?: string
  readonly preloadedImagesVerificationAllowlist?: readonly string[]
}

type Of = OfField<keyof ImageFields>

export const IMAGE_SHAPE = {
  serializeImagePulls: 'boolean',
  maxParallelImagePulls: 'number',
  imageMinimumGCAge: 'string',
  imageMaximumGCAge: 'string',
  imageGCHighThresholdPercent: 'number',
  imageGCLowThresholdPercent: 'number',
  imagePullCredentialsVerificationPolicy: 'string',
  preloadedImagesVerificationAllowlist: ['string'],
} as const satisfies Shape

function parallelPulls({ serializeImagePulls, maxParallelImagePulls: most }: ImageFields, of: Of): number {
  if (serializeImagePulls === undefined && most === undefined) return DEFAULT_SETTINGS.parallelPulls
  return of('maxParallelImagePulls', () => {
    if (most !== undefined && (!Number.isInteger(most) || most < 1))
      throw new Error(`${most} must be a positive number`)
    // One at a time is the kubelet's default.
    const isSerial = serializeImagePulls ?? true
    if (isSerial && (most ?? 1) > 1) throw new Error('cannot be larger than 1 unless serializeImagePulls is false')
    return isSerial ? 1 : (most ?? Number.POSITIVE_INFINITY)
  })
}

/** Milliseconds, not below zero. */
function ageOf(text: string): number {
  const ms = parseDuration(text)
  if (ms < 0) throw new Error(`${text} must not be negative`)
  return ms
}

function percentOf(value: number): number {
  if (!Number.isInteger(value) || value < 0 || value > 100) throw new Error(`${value} must be between 0 and 100`)
  return value
}

function garbage(fields: ImageFields, of: Of): ImageGarbageSettings {
  const { highPercent, lowPercent, minAgeMs } = DEFAULT_SETTINGS.imageGarbage
  const percent = (field: 'imageGCHighThresholdPercent' | 'imageGCLowThresholdPercent', otherwise: number) =>
    of(field, () => percentOf(fields[field] ?? otherwise))
  const high = percent('imageGCHighThresholdPercent', highPercent)
  const low = percent('imageGCLowThresholdPercent', lowPercent)
  const { imageMinimumGCAge, imageMaximumGCAge = '0s' } = fields
  const least = of('imageMinimumGCAge', () => (imageMinimumGCAge ? ageOf(imageMinimumGCAge) : minAgeMs))
  const most = of('imageMaximumGCAge', () => ageOf(imageMaximumGCAge))
  of('imageGCLowThresholdPercent', () => {
    if (low >= high) throw new Error(`${low} must be less than imageGCHighThresholdPercent, ${high}`)
  })
  of('imageMaximumGCAge', () => {
    if (most > 0 && most <= least) throw new Error(`${imageMaximumGCAge} must be greater than imageMinimumGCAge`)
  })
  return { highPercent: high, lowPercent: low, minAgeMs: least, ...(most > 0 && { maxAgeMs: most }) }
}

function verification(fields: ImageFields, of: Of): VerificationSettings {
  const { imagePullCredentialsVerificationPolicy: wanted, preloadedImagesVerificationAllowlist: allowlist = [] } =
    fields
  const policy = of('imagePullCredentialsVerificationPolicy', () => {
    const found = VERIFICATIONS.find(each => each === wanted)
    if (wanted !== undefined && !found)
      throw new Error(`${JSON.stringify(wanted)} must be one of ${VERIFICATIONS.join(', ')}`)
    return found ?? DEFAULT_SETTINGS.verification.policy
  })
  of('preloadedImagesVerificationAllowlist', () => {
    if (allowlist.length > 0 && policy !== 'NeverVerifyAllowlistedImages')
      throw new Error('can only be set where imagePullCredentialsVerificationPolicy is NeverVerifyAllowlistedImages')
    const wrong = allowlist.find(each => !/^[\w.:-]+(\/[\w.-]+)*(\/\*)?$/.test(each))
    if (wrong !== undefined)
      throw new Error(`${JSON.stringify(wrong)} is no image like example.com/app or example.com/*`)
  })
  return { policy, allowlist }
}

/** What the fields say. Throws what `of` throws. */
export const imageSettings = (
  fields: ImageFields,
  of: Of,
): Pick<NodeSettings, 'parallelPulls' | 'imageGarbage' | 'verification'> => ({
  parallelPulls: parallelPulls(fields, of),
  imageGarbage: garbage(fields, of),
  verification: verification(fields, of),
})
