/** Whom a request wants to be taken for, as its headers say (Kubernetes documentation, "User impersonation"). */
import { badRequest } from '../../../api/machinery/status-error.ts'
import { dropHeaders, headerValues, prefixedHeaders, type WithHeaders } from '../../http/headers.ts'
import type { UserInfo } from '../authenticator.ts'

/** The parts that were named; groups that come with the name by themselves are not among them. */
export interface Wish {
  readonly name: string
  readonly uid: string
  readonly groups: readonly string[]
  readonly extra: Readonly<Record<string, readonly string[]>>
}

const EXTRA = 'impersonate-extra-'

/** A wish as Go prints it: clients have seen this sentence for years. */
function shown({ name, uid, groups, extra }: Wish): string {
  const list = (values: readonly string[]) => `[]string{${values.map(value => JSON.stringify(value)).join(', ')}}`
  const entries = Object.entries(extra).map(([key, values]) => `${JSON.stringify(key)}:${list(values)}`)
  const map = entries.length ? `map[string][]string{${entries.join(', ')}}` : 'map[string][]string(nil)'
  const quoted = [name, uid].map(text => JSON.stringify(text))
  return `&user.DefaultInfo{Name:${quoted[0]}, UID:${quoted[1]}, Groups:${groups.length ? list(groups) : '[]string(nil)'}, Extra:${map}}`
}

/**
 * Reads the headers and takes them off; undefined when they ask for nothing. Throws StatusError BadRequest where they
 * name no user.
 */
export function takeWish(request: WithHeaders): Wish | undefined {
  if (!hasHeaders(request)) return undefined
  const wish: Wish = {
    name: headerValues(request, 'impersonate-user')[0] ?? '',
    uid: headerValues(request, 'impersonate-uid')[0] ?? '',
    groups: headerValues(request, 'impersonate-group'),
    extra: prefixedHeaders(request, EXTRA),
  }
  const { name, uid, groups, extra } = wish
  if (!name && (uid || groups.length || Object.keys(extra).length))
    throw badRequest(`requested ${shown(wish)} without impersonating a user name`)
  if (!name) return undefined
  dropHeaders(request, header => header.startsWith('impersonate-'))
  return wish
}

/** Hardly any request has one, and every request is asked: names are told apart by their first letter. */
function hasHeaders({ headers, rawHeaders }: WithHeaders): boolean {
  if (!rawHeaders) return Object.keys(headers).some(name => name.startsWith('impersonate-'))
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!
    if ((name.charCodeAt(0) | 0x20) === 0x69 && name.toLowerCase().startsWith('impersonate-')) return true
  }
  return false
}

/** Namespace and name of a service account's user name; undefined for other users. */
export function accountOf(name: string): { namespace: string; name: string } | undefined {
  const match = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name)
  return match ? { namespace: match[1]!, name: match[2]! } : undefined
}

const NODE_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/

/** The node that a user name is of; undefined for other users. */
export function nodeNameOf(name: string): string | undefined {
  const node = name.startsWith('system:node:') ? name.slice('system:node:'.length) : ''
  return node.length <= 253 && NODE_NAME.test(node) ? node : undefined
}

/** Whether nothing but the name was given. */
export const isNameOnly = ({ uid, groups, extra }: Wish) =>
  !uid && groups.length === 0 && Object.keys(extra).length === 0

/** The user that a wish comes to; `groups` in place of those that were named. */
export function wishedUser({ name, uid, extra }: Wish, groups: readonly string[]): UserInfo {
  const [known, unknown] = ['system:authenticated', 'system:unauthenticated']
  const missing = name === 'system:anonymous' ? unknown : groups.includes(unknown) ? undefined : known
  const all = missing === undefined || groups.includes(missing) ? groups : [...groups, missing]
  return { name, ...(uid && { uid }), groups: all, ...(Object.keys(extra).length && { extra }) }
}
