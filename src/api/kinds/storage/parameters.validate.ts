/** What classes say to a driver (k8s.io/kubernetes `pkg/apis/storage/validation`). */
import { invalid, required, tooLong } from '../../machinery/field-error.ts'
import { checkQualifiedName, type Errors } from '../rules.ts'

const MOST = 512
export const SIZE_MAX = 256 * 1024

/** Bytes of all keys and values. */
export function sizeOf(map: Readonly<Record<string, string>>): number {
  const text = new TextEncoder()
  return Object.entries(map).reduce((sum, entry) => sum + text.encode(entry.join('')).length, 0)
}

export function checkParameters(
  parameters: Readonly<Record<string, string>> | undefined,
  path: string,
  errors: Errors,
): void {
  const given = parameters ?? {}
  if (Object.keys(given).length > MOST) return void errors.push(tooLong(path, MOST))
  if (Object.hasOwn(given, '')) errors.push(invalid(path, '', 'field can not be empty.'))
  if (sizeOf(given) > SIZE_MAX) errors.push(tooLong(path, SIZE_MAX))
}

/** The name of who makes volumes: a qualified name in any case. */
export function checkProvisioner(name: string | undefined, path: string, errors: Errors): void {
  if (name) checkQualifiedName(name.toLowerCase(), path, errors)
  else errors.push(required(path))
}
