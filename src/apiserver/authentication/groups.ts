import { ANONYMOUS, type UserInfo } from './authenticator.ts'

const AUTHENTICATED = 'system:authenticated'
const known = new WeakMap<UserInfo, UserInfo>()

/** A user with the group that everyone who is known belongs to. The same value each time for the same user. */
export function withAuthenticated(user: UserInfo): UserInfo {
  if (user.groups.includes(AUTHENTICATED) || user.name === ANONYMOUS.name) return user
  let grouped = known.get(user)
  if (!grouped) known.set(user, (grouped = { ...user, groups: [...user.groups, AUTHENTICATED] }))
  return grouped
}
