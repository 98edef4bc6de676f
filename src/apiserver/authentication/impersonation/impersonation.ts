/**
 * Acting as someone else: `kubectl --as`, and proxies that log in for their users. Whoever asks must be allowed to
 * impersonate each part of the identity; in the constrained modes (KEP-5284) also to do this very thing in its name,
 * and then no more than that.
 */
import { forbidden, StatusError } from '../../../api/machinery/status-error.ts'
import type { Attributes, Authorizer } from '../../authorization/authorizer.ts'
import { forbiddenMessage, MASTERS } from '../../authorization/authorizers.ts'
import { attributesOf } from '../../filters/authorization.ts'
import type { Filter } from '../../request.ts'
import type { UserInfo } from '../authenticator.ts'
import { accountOf, isNameOnly, nodeNameOf, takeWish, type Wish, wishedUser } from './wish.ts'

const AUTHENTICATION = 'authentication.k8s.io'
const NODE_NAME_KEY = 'authentication.kubernetes.io/node-name'
/** From so many questions on, one question about all is tried first. */
const MANY = 4

interface Attempt {
  readonly authorize: Authorizer
  readonly wish: Wish
  /** What the request itself wants to do, as the one that asks. */
  readonly request: Attributes
}

/** One way to impersonate. Gives undefined where it is not for this wish; throws StatusError where it is refused. */
type Mode = (attempt: Attempt) => Promise<UserInfo | undefined>

function refused(question: Attributes, reason?: string): StatusError {
  const of = question.isResource ? { group: question.group, plural: question.resource } : undefined
  return forbidden(of, question.name, forbiddenMessage(question, reason))
}

/** Throws StatusError Forbidden unless the authorizer allows it. */
async function must(authorize: Authorizer, question: Attributes): Promise<void> {
  const { allowed, reason, error } = await authorize(question)
  if (!allowed) throw refused(question, error && reason ? `${error}: ${reason}` : (error ?? reason))
}

const question = (
  user: UserInfo,
  verb: string,
  resource: string,
  name: string,
  more: Partial<Attributes>,
): Attributes => ({
  user,
  verb,
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

/** Asks about each part of an identity. In legacy mode names and groups stand in the core group. */
async function mayBe({ authorize, wish, request: { user } }: Attempt, verb: string): Promise<void> {
  const constrained = verb !== 'impersonate'
  const group = constrained ? AUTHENTICATION : ''
  const ask = (resource: string, name: string, more: Partial<Attributes> = {}) =>
    must(authorize, question(user, verb, resource, name, { group, ...more }))
  const account = accountOf(wish.name)
  const node = constrained ? nodeNameOf(wish.name) : undefined
  if (account) await ask('serviceaccounts', account.name, { namespace: account.namespace })
  else if (node !== undefined) await ask('nodes', node)
  else await ask('users', wish.name)
  if (wish.uid) await ask('uids', wish.uid, { group: AUTHENTICATION })
  if (constrained) {
    const fault = groupFault(wish)
    if (fault) throw refused(question(user, verb, 'groups', fault.name, { group }), fault.words)
    if (wish.groups.length < MANY || !(await isAllowed(ask('groups', '*'))))
      for (const name of wish.groups) await ask('groups', name)
  } else for (const name of wish.groups) await ask('groups', name)
  const extraFault = constrained ? faultOfExtra(wish) : undefined
  if (extraFault) throw refused(question(user, verb, 'userextras', '', { group: AUTHENTICATION }), extraFault)
  const askExtra = (key: string, value: string) => ask('userextras', value, { group: AUTHENTICATION, subresource: key })
  const pairs = Object.entries(wish.extra).flatMap(([key, values]) => values.map(value => [key, value] as const))
  if (constrained && pairs.length >= MANY && (await isAllowed(askExtra('*', '*')))) return
  for (const [key, value] of pairs) await askExtra(key, value)
}

const isAllowed = (asked: Promise<void>): Promise<boolean> =>
  asked.then(
    () => true,
    () => false,
  )

/** What nobody may be in a constrained mode. */
function groupFault({ groups }: Wish): { name: string; words: string } | undefined {
  if (groups.includes('')) return { name: '', words: 'impersonating the empty string group is not allowed' }
  if (groups.includes(MASTERS)) return { name: MASTERS, words: `impersonating the ${MASTERS} group is not allowed` }
  return undefined
}

/** What keeps extra from being asked for. */
function faultOfExtra({ extra }: Wish): string | undefined {
  for (const [key, values] of Object.entries(extra)) {
    const not = (what: string) => `impersonating ${what} in extra is not allowed`
    if (!key) return not('the empty string key')
    if (!/^[a-z0-9.-]+\/.+$/i.test(key)) return `${not('an invalid key')}: ${JSON.stringify(key)}`
    if (key !== key.toLowerCase()) return `${not('a non-lowercase key')}: ${JSON.stringify(key)}`
    if (!values.length) return not('empty values')
    if (values.includes('')) return not('the empty string value')
  }
  return undefined
}

const accountGroups = (namespace: string) => ['system:serviceaccounts', `system:serviceaccounts:${namespace}`]

/** The user of a wish that was granted. Nodes and service accounts have the groups that they have. */
function granted(wish: Wish, constrained: boolean): UserInfo {
  const account = accountOf(wish.name)
  if (account && !wish.groups.length) return wishedUser(wish, accountGroups(account.namespace))
  if (constrained && nodeNameOf(wish.name) !== undefined) return wishedUser(wish, ['system:nodes'])
  return wishedUser(wish, wish.groups)
}

/** A mode in which the request itself must be allowed, too: `impersonate-on:MODE:VERB`. */
const constrained =
  (mode: string, isFor: (wish: Wish, by: UserInfo) => boolean): Mode =>
  async attempt => {
    const { authorize, wish, request } = attempt
    if (!isFor(wish, request.user)) return undefined
    await must(authorize, { ...request, verb: `impersonate-on:${mode}:${request.verb}` })
    await mayBe(attempt, `impersonate:${mode}`)
    return granted(wish, true)
  }

/** A service account that is the node's on which it runs. What is asked is the same for all nodes. */
const associatedNode: Mode = attempt => {
  const authorize: Authorizer = asked =>
    attempt.authorize({
      ...asked,
      user: {
        ...asked.user,
        extra: {
          'authentication.kubernetes.io/associated-node-keys': Object.keys(asked.user.extra ?? {}).sort(),
        },
      },
      ...(asked.verb === 'impersonate:associated-node' && { name: '*' }),
    })
  return constrained('associated-node', (wish, by) => {
    const own = by.extra?.[NODE_NAME_KEY]
    return Boolean(isNameOnly(wish) && accountOf(by.name) && own?.length === 1 && nodeNameOf(wish.name) === own[0])
  })({ ...attempt, authorize })
}

/** The one mode of old: whoever may impersonate may do all that the other may. */
const impersonate: Mode = async attempt => {
  await mayBe(attempt, 'impersonate')
  return granted(attempt.wish, false)
}

/** In the order in which they are tried. */
const MODES: readonly Mode[] = [
  associatedNode,
  constrained('arbitrary-node', wish => isNameOnly(wish) && nodeNameOf(wish.name) !== undefined),
  constrained('serviceaccount', wish => isNameOnly(wish) && accountOf(wish.name) !== undefined),
  constrained('user-info', ({ name }) => nodeNameOf(name) === undefined && accountOf(name) === undefined),
  impersonate,
]

/**
 * Puts the user that the headers name in place of the one that sent them, who must be allowed to. Without the
 * constrained modes only the verb `impersonate` counts.
 */
export function impersonationFilter(authorize: Authorizer, { constrained = true } = {}): Filter {
  const modes = constrained ? MODES : [impersonate]
  /** The mode that last worked for someone is tried first: its refusal is the one that makes sense to them. */
  const worked = new WeakMap<UserInfo, Mode>()

  const become = async (attempt: Attempt): Promise<UserInfo> => {
    const by = attempt.request.user
    const first = worked.get(by)
    let refusal: unknown
    for (const mode of first ? [first, ...modes.filter(each => each !== first)] : modes)
      try {
        const user = await mode(attempt)
        if (!user) continue
        worked.set(by, mode)
        return user
      } catch (error) {
        if (!(error instanceof StatusError)) throw error
        refusal ??= error
      }
    throw refusal
  }
  return next => request => {
    const wish = takeWish(request)
    if (!wish) return next(request)
    return become({ authorize, wish, request: attributesOf(request) }).then(user => {
      request.user = user
      return next(request)
    })
  }
}
