import { required } from '../../machinery/field-error.ts'
import { isPathSegment } from '../../machinery/names.ts'
import { checkFormat, checkSubdomain, type Errors } from '../rules.ts'

/** A path segment that must be there. */
export function checkSegment(value: string | undefined, path: string, errors: Errors): void {
  if (value) checkFormat(isPathSegment(value), value, path, errors)
  else errors.push(required(path))
}

/** A reference to an object of any kind. */
export function checkReference(
  { apiGroup, kind, name }: { readonly apiGroup?: string; readonly kind?: string; readonly name?: string },
  path: string,
  errors: Errors,
): void {
  if (apiGroup !== undefined) checkSubdomain(apiGroup, `${path}.apiGroup`, errors)
  checkSegment(kind, `${path}.kind`, errors)
  checkSegment(name, `${path}.name`, errors)
}
