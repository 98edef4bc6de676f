/** meta/v1 ListOptions from a query, checked as upstream does. */

import type { Encoded } from '../../api/machinery/encoded.ts'
import { type FieldError, forbidden, notSupported } from '../../api/machinery/field-error.ts'
import { type FieldRequirement, fieldMatcher, parseFieldSelector } from '../../api/machinery/field-selector.ts'
import type { Kind } from '../../api/machinery/kind.ts'
import { everything, parseLabelSelector, type Selector } from '../../api/machinery/label-selector.ts'
import { badRequest, invalid, type StatusError, unexplained } from '../../api/machinery/status-error.ts'
import { isTrue } from '../http/request-info.ts'
import type { ServerRequest } from '../request.ts'

export interface ListOptions {
  readonly labels: Selector
  readonly fields: readonly FieldRequirement[]
  /** '' is unset. */
  readonly resourceVersion: string
  readonly resourceVersionMatch: string
  /** 0 is no limit. */
  readonly limit: number
  readonly continue: string
  /** Seconds; undefined when not given. */
  readonly timeoutSeconds: number | undefined
  readonly allowWatchBookmarks: boolean
  readonly sendInitialEvents: boolean | undefined
}

const META_GROUP = { group: 'meta.k8s.io', kind: 'ListOptions' }
const EXACT = 'Exact'
const NOT_OLDER = 'NotOlderThan'

/** A whole number from a query parameter; undefined when absent. Throws BadRequest with Go's message. */
export function integerParameter(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null || text === '') return undefined
  const refuse = (why: string) => badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: ${why}`)
  if (!/^[+-]?\d+$/.test(text)) throw refuse('invalid syntax')
  if (Math.abs(Number(text)) >= 2 ** 63) throw refuse('value out of range')
  return Number(text)
}

function matchErrors(match: string, version: string, token: string): FieldError[] {
  const errors: FieldError[] = []
  const at = 'resourceVersionMatch'
  if (!match) return errors
  if (!version) errors.push(forbidden(at, 'resourceVersionMatch is forbidden unless resourceVersion is provided'))
  if (token) errors.push(forbidden(at, 'resourceVersionMatch is forbidden when continue is provided'))
  if (match !== EXACT && match !== NOT_OLDER) errors.push(notSupported(at, match, [EXACT, NOT_OLDER, '']))
  if (match === EXACT && version === '0') {
    errors.push(forbidden(at, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
  }
  return errors
}

function watchErrors(match: string, initial: boolean | undefined, token: string): FieldError[] {
  const errors: FieldError[] = []
  const at = 'resourceVersionMatch'
  if (initial !== undefined && match !== NOT_OLDER) {
    errors.push(forbidden(at, `sendInitialEvents requires setting resourceVersionMatch to ${NOT_OLDER}`))
  }
  if (!match) return errors
  if (initial === undefined) {
    errors.push(forbidden(at, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'))
  }
  if (match !== NOT_OLDER) errors.push(notSupported(at, match, [NOT_OLDER]))
  if (token) errors.push(forbidden(at, 'resourceVersionMatch is forbidden when continue is provided'))
  return errors
}

function fieldsOf(request: ServerRequest): FieldRequirement[] {
  const { query, info } = request
  const fields = parseFieldSelector(query.get('fieldSelector') ?? '')
  if (!info.name || info.verb === 'deletecollection') return fields
  // A watch of one object by its path is a watch with a field selector.
  const named = fields.find(each => each.field === 'metadata.name' && each.operator === '=')
  if (fields.length && named?.value !== info.name) {
    throw badRequest("fieldSelector metadata.name doesn't match requested name")
  }
  return fields.length ? fields : [{ field: 'metadata.name', operator: '=', value: info.name }]
}

/** Reads and checks the options. Throws StatusError. */
export function listOptions(request: ServerRequest, watch: boolean): ListOptions {
  const { query } = request
  const initial = query.get('sendInitialEvents')
  const version = query.get('resourceVersion') ?? ''
  const match = query.get('resourceVersionMatch') ?? ''
  // A watch from nowhere in particular begins with what is there, as one that asks for it does.
  const fromStart = watch && initial === null && match === '' && (version === '' || version === '0')
  const options: ListOptions = {
    labels: query.has('labelSelector') ? parseLabelSelector(query.get('labelSelector')!) : everything,
    fields: fieldsOf(request),
    resourceVersion: version,
    resourceVersionMatch: fromStart ? NOT_OLDER : match,
    limit: integerParameter(query, 'limit') ?? 0,
    continue: query.get('continue') ?? '',
    timeoutSeconds: integerParameter(query, 'timeoutSeconds'),
    allowWatchBookmarks: isTrue(query.get('allowWatchBookmarks')),
    sendInitialEvents: fromStart ? true : initial === null ? undefined : isTrue(initial),
  }
  const { resourceVersionMatch, resourceVersion, sendInitialEvents } = options
  const errors = watch
    ? watchErrors(resourceVersionMatch, sendInitialEvents, options.continue)
    : matchErrors(resourceVersionMatch, resourceVersion, options.continue)
  if (!watch && sendInitialEvents !== undefined) {
    errors.push(forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'))
  }
  if (errors.length) throw invalid(META_GROUP, '', errors)
  return options
}

/** A resourceVersion as a number; undefined for ''. `refuse` makes the error for what is no revision. */
export function parseRevision(
  text: string,
  refuse: (problem: string) => StatusError = invalidRevision,
): number | undefined {
  if (text === '') return undefined
  const problem = !/^\d+$/.test(text) ? 'invalid syntax' : Number(text) >= 2 ** 64 ? 'value out of range' : ''
  if (problem) {
    const quoted = JSON.stringify(text)
    throw refuse(`Invalid value: ${quoted}: strconv.ParseUint: parsing ${quoted}: ${problem}`)
  }
  return Number(text)
}

const invalidRevision = (message: string) =>
  invalid({ group: '', kind: '' }, '', [{ reason: 'FieldValueInvalid', field: 'resourceVersion', message }])

/** How reads of one object and watches say it: 500, without a reason. */
export const badRevision = (problem: string) => unexplained(`resourceVersion: ${problem}`)

/** How a list says it. */
export const badListRevision = (problem: string) => badRequest(`invalid resource version: resourceVersion: ${problem}`)

/** What the options select, beyond the namespace of the path. */
export interface Selection {
  /** From `metadata.namespace=…` where the path names none. */
  readonly namespace: string
  /** From `metadata.name=…`. */
  readonly name: string
  /** The rest, on objects in the kind's own shape; undefined when nothing is left to check. */
  readonly matches: ((object: Encoded) => boolean) | undefined
  /** One selectable field with one value, for the watch index. */
  readonly field: { readonly name: string; readonly value: string } | undefined
}

/** Splits the options into what the cache finds by index and what must be tested. */
export function selectionOf(kind: Kind, namespace: string, options: ListOptions): Selection {
  const { labels, fields } = options
  const pinned = (field: string) => fields.find(each => each.field === field && each.operator === '=')?.value
  const name = pinned('metadata.name') ?? ''
  const scope = namespace || (kind.namespaced ? (pinned('metadata.namespace') ?? '') : '')
  const left = fields.filter(
    ({ field, operator, value }) =>
      !(
        operator === '=' &&
        ((field === 'metadata.name' && value && value === name) || (field === 'metadata.namespace' && value === scope))
      ),
  )
  // Checks the names of all fields, those found by index too.
  fieldMatcher(kind, fields)
  const byFields = left.length ? fieldMatcher(kind, left) : undefined
  const indexed = left.find(each => each.operator === '=' && kind.selectable && each.field in kind.selectable)
  const matches =
    byFields || !labels.empty
      ? ({ value }: Encoded) => labels.matches(value.metadata?.labels) && (!byFields || byFields(value))
      : undefined
  return { namespace: scope, name, matches, field: indexed && { name: indexed.field, value: indexed.value } }
}
