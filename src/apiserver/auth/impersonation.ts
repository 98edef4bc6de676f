/**
 * Acting as someone else: `kubectl --as`, and proxies that log in for their users (Kubernetes documentation, "User
 * impersonation"). Whoever asks must be allowed to impersonate each part of the identity.
 */
import { forbidden, internalError } from '../../api/machinery/status-error.ts'
import type { Filter, ServerRequest } from '../request.ts'
import { ANONYMOUS, type Attributes, type Authorizer, type UserInfo } from './auth.ts'
import { forbiddenMessage } from './authorizers.ts'

const AUTHENTICATED = 'system:authenticated'
const EXTRA = 'impersonate-extra-'

const valuesOf = (header: string | string[] | undefined): string[] =>
  (Array.isArray(header) ? header : header === undefined ? [] : [header]).flatMap(value => value.split(', '))

/** Namespace and name of a service account's user name; undefined for other users. */
function accountOf(name: string): { namespace: string; name: string } | undefined {
  const match = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name)
  return match ? { namespace: match[1]!, name: match[2]! } : undefined
}

interface Wanted {
  readonly user: string
  readonly uid: string
  readonly groups: readonly string[]
  readonly extra: Readonly<Record<string, string[]>>
}

/** What the headers ask for; undefined when they ask for nothing. Throws when they name no user. */
function wantedIdentity({ headers }: ServerRequest): Wanted | undefined {
  const user = valuesOf(headers['impersonate-user'])[0] ?? ''
  const uid = valuesOf(headers['impersonate-uid'])[0] ?? ''
  const groups = valuesOf(headers['impersonate-group'])
  const extra: Record<string, string[]> = {}
  for (const [name, value] of Object.entries(headers))
    if (name.startsWith(EXTRA)) extra[decodeURIComponent(name.slice(EXTRA.length))] = valuesOf(value)
  if (user) return { user, uid, groups, extra }
  if (!uid && !groups.length && !Object.keys(extra).length) return undefined
  throw internalError(`requested ${JSON.stringify({ uid, groups, extra })} without impersonating a user`)
}

/** The questions to the authorizer, one for each part of the identity. */
function* questions(by: UserInfo, { user, uid, groups, extra }: Wanted): Generator<Attributes> {
  const ask = (resource: string, name: string, more: Partial<Attributes> = {}): Attributes => ({
    user: by,
    verb: 'impersonate',
    isResource: true,
    group: '',
    version: 'v1',
    namespace: '',
    resource,
    subresource: '',
    name,
    path: '',
    ...more,
  })
  const account = accountOf(user)
  yield account ? ask('serviceaccounts', account.name, { namespace: account.namespace }) : ask('users', user)
  for (const group of groups) yield ask('groups', group)
  const group = 'authentication.k8s.io'
  if (uid) yield ask('uids', uid, { group })
  for (const [key, values] of Object.entries(extra))
    for (const value of values) yield ask('userextras', value, { group, subresource: key })
}

/** Groups that come with the identity, besides those that were named. */
function groupsOf({ user, groups }: Wanted): string[] {
  const account = accountOf(user)
  const own =
    account && groups.length === 0 ? ['system:serviceaccounts', `system:serviceaccounts:${account.namespace}`] : groups
  if (user === ANONYMOUS.name) return [...new Set([...own, ...ANONYMOUS.groups])]
  return own.includes(AUTHENTICATED) || own.includes(ANONYMOUS.groups[0]!) ? [...own] : [...own, AUTHENTICATED]
}

/** Puts the user that the headers name in place of the one that sent them, who must be allowed to. */
export function impersonationFilter(authorize: Authorizer): Filter {
  return next => async request => {
    const wanted = wantedIdentity(request)
    if (!wanted) return next(request)
    for (const question of questions(request.user, wanted)) {
      const decision = await authorize(question)
      if (!decision.allowed)
        throw forbidden(
          { group: question.group, plural: question.resource },
          question.name,
          forbiddenMessage(question, decision.reason),
        )
    }
    request.user = {
      name: wanted.user,
      ...(wanted.uid && { uid: wanted.uid }),
      groups: groupsOf(wanted),
      ...(Object.keys(wanted.extra).length && { extra: wanted.extra }),
    }
    return next(request)
  }
}
