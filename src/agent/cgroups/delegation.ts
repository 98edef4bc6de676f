/** Where among control groups this program may make its own: v2 knows delegation (kernel, cgroup-v2.rst). */
import { accessSync, constants, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The uppermost group above the one that this program is in that is its user's, as systemd gives to `user@UID.service`;
 * undefined where none is. `own` is as /proc/self/cgroup says it: `/user.slice/…/tutti.service`.
 */
export function delegatedGroup(own: string, isOurs: (group: string) => boolean): string | undefined {
  const parts = own.split('/').filter(Boolean)
  return parts.map((_, at) => parts.slice(0, at + 1).join('/')).find(isOurs)
}

const isWritable = (path: string) => {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** The group that stands for `wanted`, of v2: that of the machine where it may be made, or one below what is delegated. */
export function groupFor(wanted: string, mount: string): string {
  if (isWritable(join(mount, 'cgroup.procs'))) return wanted
  const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? ''
  // Whoever may move processes in a group may make others in it.
  const group = delegatedGroup(own, each => isWritable(join(mount, each, 'cgroup.procs')))
  return group === undefined ? wanted : join(group, wanted)
}
