import type { ObjectMeta } from '../../generated/types/meta-v1.ts'
import { forbidden } from '../../machinery/field-error.ts'
import { validateAnnotations, validateLabels } from '../../machinery/names.ts'
import type { Errors } from '../rules.ts'

/** Metadata of what objects are made from: labels and annotations, and nothing else. */
export function checkTemplateMeta(metadata: ObjectMeta | undefined, path: string, errors: Errors): void {
  const { labels, annotations, ...others } = metadata ?? {}
  if (labels) errors.push(...validateLabels(labels, `${path}.labels`))
  if (annotations) errors.push(...validateAnnotations(annotations, `${path}.annotations`))
  for (const [field, value] of Object.entries(others)) {
    if (value === undefined || value === '' || value === null || (value === 0 && field === 'generation')) continue
    errors.push(forbidden(`${path}.${field === 'uid' ? 'uID' : field}`, 'cannot be set'))
  }
}
