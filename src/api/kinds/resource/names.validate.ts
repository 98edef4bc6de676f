/** Names of dynamic resource allocation (API doc: resource.k8s.io/v1): drivers, pools, devices, attributes. */
import { invalid, required, tooLong } from '../../machinery/field-error.ts'
import { isDns1123Subdomain, isQualifiedName, regexError } from '../../machinery/names.ts'
import { checkFormat, checkLabelName, checkSubdomain, type Errors } from '../rules.ts'

const DRIVER_MAX = 63
const POOL_MAX = 253
const IDENTIFIER_MAX = 32

/** Longest key of attributes and capacities: `domain/identifier`. */
export const KEY_MAX = DRIVER_MAX + 1 + IDENTIFIER_MAX

/** As names of CSI drivers: a subdomain of at most 63 bytes; capitals are let pass. */
export function checkDriver(name: string | undefined, path: string, errors: Errors): void {
  if (!name) {
    errors.push(required(path))
    return
  }
  if (name.length > DRIVER_MAX) errors.push(tooLong(path, DRIVER_MAX))
  checkFormat(isDns1123Subdomain(name.toLowerCase()), name, path, errors)
}

/** Subdomains, separated by slashes. */
export function checkPool(name: string | undefined, path: string, errors: Errors): void {
  if (!name) return void errors.push(required(path))
  if (name.length > POOL_MAX) errors.push(tooLong(path, POOL_MAX))
  for (const part of name.split('/')) checkSubdomain(part, path, errors)
}

/** A label, in the sense of DNS; an absent one is a bad one. */
export const checkShortName = (name: string | undefined, path: string, errors: Errors) =>
  checkLabelName(name ?? '', path, errors)

const IDENTIFIER = '[A-Za-z_][A-Za-z0-9_]*'
const WRONG = regexError(
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
  IDENTIFIER,
  'my_name',
  'MY_NAME',
  'MyName',
)
const isIdentifier = new RegExp(`^${IDENTIFIER}$`)

function checkIdentifier(name: string, path: string, errors: Errors): void {
  if (name.length > IDENTIFIER_MAX) errors.push(tooLong(path, IDENTIFIER_MAX))
  if (!isIdentifier.test(name)) errors.push(invalid(path, name, WRONG))
}

/** `identifier` or `domain/identifier`. More slashes are let pass, as Kubernetes does. */
export function checkAttributeName(name: string, path: string, errors: Errors): void {
  const parts = name.split('/')
  if (parts.length === 1) checkIdentifier(name, path, errors)
  if (parts.length !== 2) return
  const [domain, identifier] = parts as [string, string]
  if (domain) checkDriver(domain, path, errors)
  else errors.push(invalid(path, '', 'the domain must not be empty'))
  if (identifier) checkIdentifier(identifier, path, errors)
  else errors.push(invalid(path, '', 'the name must not be empty'))
}

/** `domain/identifier`. */
export function checkFullAttributeName(name: string, path: string, errors: Errors): void {
  checkAttributeName(name, path, errors)
  if (!name.includes('/')) {
    errors.push(invalid(path, name, 'a fully qualified name must be a domain and a name separated by a slash'))
  }
}

/** A key of a label. */
export const checkKey = (name: string | undefined, path: string, errors: Errors) =>
  checkFormat(isQualifiedName(name ?? ''), name ?? '', path, errors)

/** A key for a path, shortened in the middle where it is longer than any good one. */
export function shortened(key: string, max: number): string {
  if (key.length <= max) return key
  const room = max - 3
  return `${key.slice(0, (room + 1) >> 1)}...${key.slice(key.length - (room >> 1))}`
}
