import type { Pod } from '../../api/generated/types/core-v1.ts'
import { notSupported } from '../../api/machinery/field-error.ts'
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.ts'
import { refuse } from './refusal.ts'

const LISTS = ['initContainers', 'containers', 'ephemeralContainers'] as const

const imagesOf = ({ spec }: Pod) => LISTS.flatMap(list => (spec?.[list] ?? []).map(({ image }) => image))

function bringsImages({ operation, object, old }: AdmissionAttributes): boolean {
  if (operation === 'CREATE') return true
  const known = new Set(imagesOf(old as Pod))
  return imagesOf(object as Pod).some(image => !known.has(image))
}

/** AlwaysPullImages (off unless asked for): no pod runs an image that it could not pull itself. */
export const alwaysPullImages: AdmissionPlugin = {
  name: 'AlwaysPullImages',
  handles: request =>
    request.kind.key === 'v1/pods' &&
    request.subresource === '' &&
    (request.operation === 'CREATE' || request.operation === 'UPDATE') &&
    bringsImages(request),
  mutate({ object }) {
    const { spec } = object as Pod
    for (const list of LISTS) for (const container of spec?.[list] ?? []) container.imagePullPolicy = 'Always'
    for (const { image } of spec?.volumes ?? []) if (image) image.pullPolicy = 'Always'
  },
  validate(request) {
    const { spec } = request.object as Pod
    for (const list of LISTS)
      for (const [at, { imagePullPolicy }] of (spec?.[list] ?? []).entries())
        if (imagePullPolicy !== 'Always') {
          const { field, message } = notSupported(`spec.${list}[${at}].imagePullPolicy`, imagePullPolicy, ['Always'])
          throw refuse(request, `${field}: ${message}`)
        }
  },
}
