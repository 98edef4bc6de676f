/** Field selectors: `status.phase=Running,spec.nodeName!=a`, with `\`, `,` and `=` escaped by `\`. */
import type { Kind } from './kind.ts'
import type { KubeObject } from './object.ts'
import { badRequest } from './status-error.ts'

/** One term. All terms of a selector must hold. */
export interface FieldRequirement {
  readonly field: string
  readonly operator: '=' | '!='
  readonly value: string
}

/** Terms of a selector; none for ''. Throws StatusError BadRequest with Kubernetes' message. */
export function parseFieldSelector(text: string): FieldRequirement[] {
  const result: FieldRequirement[] = []
  for (const term of splitTerms(text)) {
    if (term === '') continue
    const match = /!=|==|=/.exec(term)
    if (!match) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`)
    const operator = match[0] === '!=' ? '!=' : '='
    const value = unescapeValue(term.slice(match.index + match[0].length))
    result.push({ field: term.slice(0, match.index), operator, value })
  }
  return result
}

/** Commas that are not escaped part the terms. */
function splitTerms(text: string): string[] {
  if (!text) return []
  const terms: string[] = []
  let start = 0
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === ',') {
      terms.push(text.slice(start, i))
      start = i + 1
    }
  }
  terms.push(text.slice(start))
  return terms
}

function unescapeValue(text: string): string {
  if (!/[\\,=]/.test(text)) return text
  let result = ''
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!
    if (char === '\\') {
      const next = text[++i] ?? ''
      if (!next || !'\\,='.includes(next)) {
        throw badRequest(`invalid field selector: invalid escape sequence: \\${next}`)
      }
      result += next
    } else if (char === ',' || char === '=') {
      throw badRequest(`invalid field selector: unescaped character in value: ${char.charCodeAt(0)}`)
    } else result += char
  }
  return result
}

/** A value as it stands in a selector. */
export const escapeFieldValue = (value: string) => value.replace(/[\\,=]/g, char => `\\${char}`)

/** The selector's text; parses to the same terms. */
export function formatFieldSelector(requirements: readonly FieldRequirement[]): string {
  return requirements.map(({ field, operator, value }) => `${field}${operator}${escapeFieldValue(value)}`).join(',')
}

/** How a field of a kind is read; undefined where the kind cannot be selected by it. */
export function fieldReader(kind: Kind, field: string): ((object: KubeObject) => string) | undefined {
  if (field === 'metadata.name') return object => object.metadata?.name ?? ''
  const { selectable } = kind
  // Where upstream has no list of its own for a kind, even one without namespaces can be asked for that field.
  if (field === 'metadata.namespace' && (kind.namespaced || !selectable)) {
    return object => object.metadata?.namespace ?? ''
  }
  return selectable && Object.hasOwn(selectable, field) ? selectable[field] : undefined
}

/** A test for all terms, compiled once. Throws StatusError BadRequest for a field that the kind does not offer. */
export function fieldMatcher(kind: Kind, requirements: readonly FieldRequirement[]): (object: KubeObject) => boolean {
  const terms = requirements.map(({ field, operator, value }) => {
    const read = fieldReader(kind, field)
    if (!read) throw badRequest(unknownField(kind, field))
    return { read, equal: operator === '=', value }
  })
  return object => terms.every(({ read, equal, value }) => (read(object) === value) === equal)
}

/** Kinds with fields of their own to select by word it in other ways, and some in their very own. */
function unknownField(kind: Kind, field: string): string {
  if (kind.key === 'batch/v1/jobs') return `field label ${JSON.stringify(field)} not supported for Job`
  if (kind.key === 'resource.k8s.io/v1/resourceslices') {
    return `field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: ${field}`
  }
  if (kind.selectable) return `field label not supported: ${field}`
  return `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`
}

/** Whether all terms hold for an object. Use `fieldMatcher` for many objects. */
export function matchFields(kind: Kind, requirements: readonly FieldRequirement[], object: KubeObject): boolean {
  return fieldMatcher(kind, requirements)(object)
}
