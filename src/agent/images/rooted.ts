/** Paths below a folder as they would be if it were the root: symbolic links, absolute ones too, never lead out of it. */
import { lstatSync, readlinkSync, type Stats } from 'node:fs'
import { join } from 'node:path'

/** As many links as Linux follows (path_resolution(7)). */
const MAX_LINKS = 40

export const lookAt = (path: string): Stats | undefined => {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}

/**
 * Where `path` leads to, as a path of this machine; what does not exist is taken as it is named. `last` says whether a
 * link at its end is followed too. Throws ELOOP for links that go round. Nobody else may change the folder meanwhile.
 */
export function resolveIn(root: string, path: string, last = true): string {
  const todo = path.split('/').reverse()
  const done: string[] = []
  let links = 0
  while (todo.length > 0) {
    const part = todo.pop()!
    if (part === '' || part === '.') continue
    if (part === '..') {
      done.pop()
      continue
    }
    const at = join(root, ...done, part)
    const isLast = todo.every(each => each === '' || each === '.')
    if ((last || !isLast) && lookAt(at)?.isSymbolicLink()) {
      if (++links > MAX_LINKS) throw new Error(`ELOOP: too many symbolic links: ${path}`)
      const target = readlinkSync(at)
      if (target.startsWith('/')) done.length = 0
      todo.push(...target.split('/').reverse())
      continue
    }
    done.push(part)
  }
  return join(root, ...done)
}
