/**
 * What names, labels and the rest of metadata may look like
 * (https://kubernetes.io/docs/concepts/overview/working-with-objects/names/).
 *
 * The checks return what is wrong, in Kubernetes' words, and the one shared empty list when nothing is: common names
 * are decided by a scan over their characters, the regular expressions stand in the messages only.
 */
import type { FieldError } from './field-error.ts'
import { forbidden, invalid, required, tooLong } from './field-error.ts'
import type { ObjectMeta, OwnerReference } from './object.ts'

const OK: readonly string[] = Object.freeze([])

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`
const LABEL_1035 = '[a-z]([-a-z0-9]*[a-z0-9])?'
const QUALIFIED = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'

const HYPHEN = 45
const DOT = 46
const UNDERSCORE = 95

const digit = (c: number) => c >= 48 && c <= 57
const lower = (c: number) => c >= 97 && c <= 122
const upper = (c: number) => c >= 65 && c <= 90

/** What an expression asks for, as Kubernetes words it. */
export function regexError(message: string, pattern: string, ...examples: string[]): string {
  const text = `regex used for validation is '${pattern}'`
  if (!examples.length) return `${message} (${text})`
  return `${message} (e.g. ${examples.map(example => `'${example}', `).join(' or ')}${text})`
}

const maxLength = (length: number, unit = 'characters') => `must be no more than ${length} ${unit}`

/** Lower-case labels parted by dots (or one label, without `dots`); each begins and ends with a letter or digit. */
function scanLabels(value: string, dots: boolean): boolean {
  let previous = DOT
  for (let i = 0; i < value.length; i++) {
    const c = value.charCodeAt(i)
    if (c === DOT) {
      if (!dots || previous === DOT || previous === HYPHEN) return false
    } else if (c === HYPHEN) {
      if (previous === DOT) return false
    } else if (!lower(c) && !digit(c)) return false
    previous = c
  }
  return previous !== DOT && previous !== HYPHEN
}

/** Letters, digits, `-`, `_` and `.`, with a letter or digit at both ends; not empty. */
function scanQualified(value: string): boolean {
  const last = value.length - 1
  for (let i = 0; i <= last; i++) {
    const c = value.charCodeAt(i)
    if (lower(c) || upper(c) || digit(c)) continue
    if (i === 0 || i === last || (c !== HYPHEN && c !== UNDERSCORE && c !== DOT)) return false
  }
  return last >= 0
}

/** RFC 1123 label: up to 63 lower-case letters, digits and hyphens. */
export function isDns1123Label(value: string): readonly string[] {
  if (value.length <= 63 && scanLabels(value, false)) return OK
  const errors: string[] = []
  if (value.length > 63) errors.push(maxLength(63))
  if (!scanLabels(value, false)) {
    const rule =
      "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character"
    errors.push(scanLabels(value, true) ? 'must not contain dots' : regexError(rule, LABEL, 'my-name', '123-abc'))
  }
  return errors
}

/** RFC 1123 subdomain: labels parted by dots, up to 253 characters. */
export function isDns1123Subdomain(value: string): readonly string[] {
  const good = scanLabels(value, true)
  if (good && value.length <= 253) return OK
  const errors: string[] = []
  if (value.length > 253) errors.push(maxLength(253))
  if (!good) {
    const rule =
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
    errors.push(regexError(rule, SUBDOMAIN, 'example.com'))
  }
  return errors
}

/** RFC 1035 label: as 1123, but beginning with a letter (Service names). */
export function isDns1035Label(value: string): readonly string[] {
  const good = scanLabels(value, false) && lower(value.charCodeAt(0))
  if (good && value.length <= 63) return OK
  const errors: string[] = []
  if (value.length > 63) errors.push(maxLength(63))
  if (!good) {
    const rule =
      "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character"
    errors.push(regexError(rule, LABEL_1035, 'my-name', 'abc-123'))
  }
  return errors
}

/** `*.` and an RFC 1123 subdomain (Ingress hosts). */
export function isWildcardDns1123Subdomain(value: string): readonly string[] {
  if (value.length <= 253 && value.startsWith('*.') && scanLabels(value.slice(2), true)) return OK
  const errors: string[] = []
  if (value.length > 253) errors.push(maxLength(253))
  if (!value.startsWith('*.') || !scanLabels(value.slice(2), true)) {
    const rule =
      "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character"
    errors.push(regexError(rule, `\\*\\.${SUBDOMAIN}`, '*.example.com'))
  }
  return errors
}

const QUALIFIED_RULE =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
const QUALIFIED_EXAMPLES = ['MyName', 'my.name', '123-abc']

/** A subdomain whose length is told of in bytes: in labels, and where names are declared as `k8s-long-name`. */
const isLongName = (value: string) => isDns1123Subdomain(value).map(text => text.replace('253 characters', '253 bytes'))

/** A label key, annotation key or finalizer: a name of up to 63 characters, with an optional `subdomain/` before it. */
export function isQualifiedName(value: string): readonly string[] {
  const slash = value.indexOf('/')
  const name = slash < 0 ? value : value.slice(slash + 1)
  const prefix = slash < 0 ? undefined : value.slice(0, slash)
  const good = scanQualified(name)
  if (good && name.length <= 63 && (prefix === undefined || (prefix.length <= 253 && scanLabels(prefix, true)))) {
    return OK
  }
  if (name.includes('/')) {
    const rule = regexError(QUALIFIED_RULE, QUALIFIED, ...QUALIFIED_EXAMPLES)
    return [`a valid label key ${rule} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`]
  }
  const errors: string[] = []
  if (prefix === '') errors.push('prefix part must be non-empty')
  else if (prefix !== undefined) {
    errors.push(...isLongName(prefix).map(text => `prefix part ${text}`))
  }
  if (!name) errors.push('name part must be non-empty')
  else if (name.length > 63) errors.push(`name part ${maxLength(63, 'bytes')}`)
  if (!good) errors.push(`name part ${regexError(QUALIFIED_RULE, QUALIFIED, ...QUALIFIED_EXAMPLES)}`)
  return errors
}

/** A label value: empty, or up to 63 characters. */
export function isLabelValue(value: string): readonly string[] {
  const good = value === '' || scanQualified(value)
  if (good && value.length <= 63) return OK
  const errors: string[] = []
  if (value.length > 63) errors.push(maxLength(63, 'bytes'))
  if (!good) {
    const rule =
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
    errors.push(regexError(rule, `(${QUALIFIED})?`, 'MyValue', 'my_value', '12345'))
  }
  return errors
}

/** A number that a port may have. */
export function isPortNumber(value: number): readonly string[] {
  return Number.isInteger(value) && value >= 1 && value <= 65535 ? OK : ['must be between 1 and 65535, inclusive']
}

/** IANA service name: up to 15 lower-case letters, digits and hyphens, with a letter. */
export function isPortName(value: string): readonly string[] {
  const errors: string[] = []
  if (value.length > 15) errors.push(maxLength(15))
  if (!/^[-a-z0-9]+$/.test(value)) {
    errors.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  }
  if (!/[a-z]/.test(value)) errors.push('must contain at least one letter (a-z)')
  if (value.includes('--')) errors.push('must not contain consecutive hyphens')
  if (value.startsWith('-') || value.endsWith('-')) errors.push('must not begin or end with a hyphen')
  return errors.length ? errors : OK
}

/** An environment variable's name, as the API allows it: printable ASCII without `=`. */
export function isEnvVarName(value: string): readonly string[] {
  if (!value) return ['environment variable name must be non-empty']
  return /^[ -<>-~]+$/.test(value)
    ? OK
    : ["a valid environment variable name must consist only of printable ASCII characters other than '='"]
}

/** An environment variable's name, strictly: letters, digits, `-`, `_`, `.`, no digit first. */
export function isStrictEnvVarName(value: string): readonly string[] {
  const errors: string[] = []
  if (!/^[-._a-zA-Z][-._a-zA-Z0-9]*$/.test(value)) {
    const rule =
      "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit"
    errors.push(regexError(rule, '[-._a-zA-Z][-._a-zA-Z0-9]*', 'my.env-name', 'MY_ENV.NAME', 'MyEnvName1'))
  }
  errors.push(...parentPath(value))
  return errors.length ? errors : OK
}

/** A key of a ConfigMap or Secret. */
export function isConfigMapKey(value: string): readonly string[] {
  const errors: string[] = []
  if (value.length > 253) errors.push(maxLength(253))
  if (!/^[-._a-zA-Z0-9]+$/.test(value)) {
    const rule = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
    errors.push(regexError(rule, '[-._a-zA-Z0-9]+', 'key.name', 'KEY_NAME', 'key-name'))
  }
  errors.push(...parentPath(value))
  return errors.length ? errors : OK
}

/** An HTTP header's name. */
export function isHttpHeaderName(value: string): readonly string[] {
  const rule = "a valid HTTP header must consist of alphanumeric characters or '-'"
  return /^[-A-Za-z0-9]+$/.test(value) ? OK : [regexError(rule, '[-A-Za-z0-9]+', 'X-Header-Name')]
}

function parentPath(value: string): readonly string[] {
  if (value === '.') return ["must not be '.'"]
  if (value === '..') return ["must not be '..'"]
  return value.startsWith('..') ? ["must not start with '..'"] : OK
}

/** Anything that can be one segment of a URL path (RBAC names). */
export function isPathSegment(value: string, prefix = false): readonly string[] {
  if (!prefix && (value === '.' || value === '..')) return [`may not be '${value}'`]
  const errors = ['/', '%'].filter(part => value.includes(part)).map(part => `may not contain '${part}'`)
  return errors.length ? errors : OK
}

/** The formats of object names (see KindSpec.nameFormat). */
export type NameFormat = 'dns-subdomain' | 'long-name' | 'dns-label' | 'dns-1035-label' | 'path'

/** Checks an object's name; with `prefix` a generateName, which may end with a hyphen. */
export function isObjectName(value: string, format: NameFormat = 'dns-subdomain', prefix = false): readonly string[] {
  if (format === 'path' || (format === 'long-name' && prefix)) return isPathSegment(value, prefix)
  if (format === 'long-name') return isLongName(value)
  const name = prefix && value.length > 1 && value.endsWith('-') ? `${value.slice(0, -2)}a` : value
  if (format === 'dns-subdomain') return isDns1123Subdomain(name)
  return format === 'dns-label' ? isDns1123Label(name) : isDns1035Label(name)
}

/** All annotations of an object together, in bytes. */
export const ANNOTATIONS_LIMIT = 256 * 1024

export interface ObjectMetaOptions {
  readonly namespaced: boolean
  /** Default `dns-subdomain`. */
  readonly nameFormat?: NameFormat | undefined
  /** Finalizers need no domain. Default: without one, only Kubernetes' own are taken. */
  readonly anyFinalizer?: boolean | undefined
}

/** What is wrong with metadata of an object that is to be created or stored. */
export function validateObjectMeta(
  meta: ObjectMeta | undefined,
  options: ObjectMetaOptions,
  path = 'metadata',
): FieldError[] {
  const errors: FieldError[] = []
  const add = (field: string, value: unknown, messages: readonly string[]) => {
    for (const message of messages) errors.push(invalid(`${path}.${field}`, value, message))
  }
  const { name, generateName, namespace } = meta ?? {}
  if (generateName) add('generateName', generateName, isObjectName(generateName, options.nameFormat, true))
  if (!name) errors.push(required(`${path}.name`, 'name or generateName is required'))
  else add('name', name, isObjectName(name, options.nameFormat))
  if (!options.namespaced) {
    if (namespace) errors.push(forbidden(`${path}.namespace`, 'not allowed on this type'))
  } else if (!namespace) errors.push(required(`${path}.namespace`))
  else add('namespace', namespace, isDns1123Label(namespace))
  if (meta?.generation !== undefined && meta.generation < 0) {
    errors.push(invalid(`${path}.generation`, meta.generation, 'must be greater than or equal to 0'))
  }
  if (meta) validateMaps(meta, path, errors)
  if (meta?.finalizers?.length) {
    validateFinalizers(meta.finalizers, `${path}.finalizers`, errors)
    if (!options.anyFinalizer) validateFinalizerDomains(meta.finalizers, `${path}.finalizers`, errors)
  }
  return errors
}

const STANDARD_FINALIZERS = ['kubernetes', 'orphan', 'foregroundDeletion']

function validateFinalizerDomains(finalizers: readonly string[], path: string, errors: FieldError[]): void {
  for (const [index, name] of finalizers.entries()) {
    if (name.includes('/') || STANDARD_FINALIZERS.includes(name)) continue
    errors.push(
      invalid(`${path}[${index}]`, name, 'name is neither a standard finalizer name nor is it fully qualified'),
    )
  }
}

/** Labels, annotations and owners: what is checked on create and on update. */
function validateMaps(meta: ObjectMeta, path: string, errors: FieldError[]): void {
  if (meta.labels) errors.push(...validateLabels(meta.labels, `${path}.labels`))
  if (meta.annotations) errors.push(...validateAnnotations(meta.annotations, `${path}.annotations`))
  if (meta.ownerReferences?.length) validateOwners(meta.ownerReferences, `${path}.ownerReferences`, errors)
  meta.managedFields?.forEach((item, index) => {
    const at = `${path}.managedFields[${index}]`
    if (item.operation !== 'Apply' && item.operation !== 'Update') {
      errors.push(invalid(`${at}.operation`, item.operation ?? '', 'must be `Apply` or `Update`'))
    }
    if (item.fieldsType && item.fieldsType !== 'FieldsV1') {
      errors.push(invalid(`${at}.fieldsType`, item.fieldsType, 'must be `FieldsV1`'))
    }
    if ((item.manager?.length ?? 0) > 128) errors.push(tooLong(`${at}.manager`, 128))
  })
}

/** What is wrong with a map of labels. */
export function validateLabels(labels: Readonly<Record<string, string>>, path: string): FieldError[] {
  const errors: FieldError[] = []
  for (const key in labels) {
    for (const message of isQualifiedName(key)) errors.push(invalid(path, key, message))
    const value = labels[key]!
    for (const message of isLabelValue(value)) errors.push(invalid(path, value, message))
  }
  return errors
}

/** What is wrong with a map of annotations: their keys, and their size together. */
export function validateAnnotations(annotations: Readonly<Record<string, string>>, path: string): FieldError[] {
  const errors: FieldError[] = []
  let size = 0
  for (const key in annotations) {
    const messages = isQualifiedName(key)
    // Upper case is allowed in the prefix here.
    const wrong = messages.length ? isQualifiedName(key.toLowerCase()) : messages
    for (const message of wrong) errors.push(invalid(path, key, message))
    size += key.length + annotations[key]!.length
  }
  // A character takes up to three bytes: only then is it worth counting them.
  if (size * 3 > ANNOTATIONS_LIMIT) {
    const texts = Object.entries(annotations).flat()
    size = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
    if (size > ANNOTATIONS_LIMIT) errors.push(tooLong(path, ANNOTATIONS_LIMIT))
  }
  return errors
}

function validateOwners(owners: readonly OwnerReference[], path: string, errors: FieldError[]): void {
  let controller = ''
  for (const owner of owners) {
    const { apiVersion = '', kind = '' } = owner
    const version = apiVersion.slice(apiVersion.indexOf('/') + 1)
    if (!version || apiVersion.split('/').length > 2) {
      errors.push(invalid(`${path}.apiVersion`, apiVersion, 'version must not be empty'))
    }
    for (const field of ['kind', 'name', 'uid'] as const) {
      if (!owner[field]) errors.push(invalid(`${path}.${field}`, '', 'must not be empty'))
    }
    if (apiVersion === 'v1' && kind === 'Event') {
      errors.push(invalid(path, owner, '/v1, Kind=Event is disallowed from being an owner'))
    }
    if (!owner.controller) continue
    const current = `${kind}/${owner.name}`
    if (controller) {
      const found = `Found "true" in references for ${controller} and ${current}`
      errors.push(invalid(path, owners, `Only one reference can have Controller set to true. ${found}`))
    } else controller = current
  }
}

function validateFinalizers(finalizers: readonly string[], path: string, errors: FieldError[]): void {
  for (const finalizer of finalizers) {
    for (const message of isQualifiedName(finalizer)) errors.push(invalid(path, finalizer, message))
  }
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    errors.push(invalid(path, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'))
  }
}

/** What is wrong with metadata that replaces `old`: on top of its form, what may not change. */
export function validateObjectMetaUpdate(
  next: ObjectMeta | undefined,
  old: ObjectMeta | undefined,
  path = 'metadata',
  anyFinalizer = false,
): FieldError[] {
  const errors: FieldError[] = []
  if (old?.deletionTimestamp) {
    const added = (next?.finalizers ?? []).filter(name => !old.finalizers?.includes(name)).sort()
    if (added.length) {
      const list = `[]string{${added.map(name => JSON.stringify(name)).join(', ')}}`
      const rule = 'no new finalizers can be added if the object is being deleted'
      errors.push(forbidden(`${path}.finalizers`, `${rule}, found new finalizers ${list}`))
    }
  }
  if (!next?.resourceVersion) {
    errors.push(invalid(`${path}.resourceVersion`, next?.resourceVersion ?? '', 'must be specified for an update'))
  }
  if ((next?.generation ?? 0) < (old?.generation ?? 0)) {
    errors.push(invalid(`${path}.generation`, next?.generation ?? 0, 'must not be decremented'))
  }
  for (const field of IMMUTABLE) {
    if (next?.[field] === old?.[field]) continue
    const empty = field === 'name' || field === 'namespace' || field === 'uid' ? '' : undefined
    if ((next?.[field] || empty) === (old?.[field] || empty)) continue
    errors.push(invalid(`${path}.${field}`, next?.[field] ?? empty, 'field is immutable'))
  }
  if (next) validateMaps(next, path, errors)
  if (next?.finalizers?.length) {
    validateFinalizers(next.finalizers, `${path}.finalizers`, errors)
    if (!anyFinalizer) validateFinalizerDomains(next.finalizers, `${path}.finalizers`, errors)
  }
  return errors
}

const IMMUTABLE = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const
