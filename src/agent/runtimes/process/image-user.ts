/** The user that a container of an image runs as: names in the image's own /etc/passwd and /etc/group. */
import { readFileSync } from 'node:fs'
import type { IdMaps } from '../../../lib/user-namespace.ts'
import { resolveIn } from '../../images/rooted.ts'
import { idsProblem } from '../../known-ids.ts'
import { type ContainerConfig, RuntimeError } from '../runtime.ts'

export interface ImageUser {
  readonly uid: number
  readonly gid: number
  /** Further groups, in no order. */
  readonly groups: readonly number[]
  readonly home: string
}

const rows = (root: string, file: string): string[][] => {
  try {
    return readFileSync(resolveIn(root, file), 'utf8')
      .split('\n')
      .map(line => line.split(':'))
  } catch {
    return []
  }
}
const numeric = (text: string) => (/^\d+$/.test(text) ? Number(text) : undefined)

/** Refuses whom there is not here. Throws `RuntimeError`. */
export function checkIds(user: Omit<ImageUser, 'home'>, ids: IdMaps): void {
  const problem = idsProblem(user, ids)
  if (problem) throw new RuntimeError('CreateContainerError', problem)
}

/**
 * `image` is the image's own choice (`user`, `uid`, `user:group`, …), the others are the pod's and win. A name that the
 * image does not know is refused with `RuntimeError`.
 */
export function imageUser(
  root: string,
  image: string,
  wanted: Pick<ContainerConfig, 'runAsUser' | 'runAsGroup' | 'supplementalGroups' | 'strictGroups'>,
): ImageUser {
  const [userText = '', groupText = ''] = image.split(':')
  const users = rows(root, '/etc/passwd')
  const groups = rows(root, '/etc/group')
  const byText = (text: string) => users.find(row => row[0] === text) ?? users.find(row => row[2] === text)
  const row =
    wanted.runAsUser === undefined ? byText(userText || '0') : users.find(each => each[2] === String(wanted.runAsUser))
  const uid = wanted.runAsUser ?? (row ? Number(row[2]) : numeric(userText || '0'))
  if (uid === undefined) {
    throw new RuntimeError(
      'CreateContainerError',
      `unable to find user ${userText}: no matching entries in passwd file`,
    )
  }
  let gid = wanted.runAsGroup
  if (gid === undefined && groupText !== '' && wanted.runAsUser === undefined) {
    gid = numeric(groupText) ?? numeric(groups.find(each => each[0] === groupText)?.[2] ?? '')
    if (gid === undefined) {
      throw new RuntimeError(
        'CreateContainerError',
        `unable to find group ${groupText}: no matching entries in group file`,
      )
    }
  }
  gid ??= row ? Number(row[3]) : 0
  const member =
    row && !wanted.strictGroups
      ? groups.filter(each => (each[3] ?? '').split(',').includes(row[0]!)).map(each => Number(each[2]))
      : []
  return {
    uid,
    gid,
    groups: [...new Set([...member, ...wanted.supplementalGroups])].filter(each => each !== gid),
    home: row?.[5] || '/',
  }
}
