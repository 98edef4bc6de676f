import type { UserInfo } from '../../authentication/authenticator.ts'

const PREFIX = 'system:node:'

/**
 * The node that a user is: `system:node:NAME` in group `system:nodes`. undefined for who is no node; '' for a member
 * of that group that cannot be told apart.
 */
export function nodeOf(user: UserInfo): string | undefined {
  if (!user.name.startsWith(PREFIX)) return undefined
  return user.groups.includes('system:nodes') ? user.name.slice(PREFIX.length) : undefined
}
