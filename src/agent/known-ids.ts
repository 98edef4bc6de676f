/** Users and groups that a process can have here: all of them for root, elsewhere those of a user namespace. */
import { giveIds } from '../lib/subordinate-ids.ts'
import { hasId, type IdMaps, isOneUser } from '../lib/user-namespace.ts'

interface Identity {
  readonly uid: number
  readonly gid: number
  readonly groups: readonly number[]
}

/** What to do where there are too few users, as far as pods are concerned. */
const OR_ELSE = 'or set runAsUser: 0 and no groups in its securityContext, or start Tutti as root'

const last = ({ uids }: IdMaps) => Math.max(...uids.map(({ containerId, length }) => containerId + length - 1))

/** Why there can be no process of this user and these groups, with what can be done about it; undefined: there can. */
export function idsProblem({ uid, gid, groups }: Identity, ids: IdMaps): string | undefined {
  const group = [gid, ...groups].find(each => !hasId(ids.gids, each))
  const what = hasId(ids.uids, uid) ? group !== undefined && `with group ${group}` : `as user ${uid}`
  if (!what) return undefined
  return isOneUser(ids)
    ? `cannot run ${what}: without root, and without subordinate ids, there is user 0 only. Install uidmap, give ids ` +
        `to the user who runs Tutti (${giveIds('USER')}, as root), and start it anew (tutti down, tutti up), ${OR_ELSE}`
    : `cannot run ${what}: the last user that there is here is ${last(ids)}`
}
