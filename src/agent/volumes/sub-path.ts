/**
 * Sub paths of volumes. Whoever writes to a volume may put links into it, and change them while a container is being
 * made: a link must never lead the node to mount what lies outside. So every step is opened from the one before it
 * without following links, and what is mounted is the opened thing, not its path.
 */
import { constants, realpathSync } from 'node:fs'
import { chmod, type FileHandle, lstat, mkdir, open, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { isMounted, mount, unmount } from '../../lib/mounts.ts'

/** Opens as a mere place, without reading (open(2)); absent from Node's constants. */
const O_PATH = 0o10000000
const PLACE = O_PATH | constants.O_NOFOLLOW

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code

/** The path with its existing part freed of links. */
function resolved(path: string): string {
  try {
    return realpathSync(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    return join(resolved(dirname(path)), path.slice(dirname(path).length))
  }
}

/**
 * Opens what `sub` is in `base`; folders that are missing are made with the permissions of `base`. Rejects when links
 * lead out, or are put there meanwhile.
 */
async function openWithin(base: string, sub: string): Promise<{ readonly place: FileHandle; readonly real: string }> {
  const root = realpathSync(base)
  const real = resolved(join(root, sub))
  if (real !== root && !real.startsWith(`${root}/`)) throw new Error(`${sub} leads out of the volume`)
  let place = await open(root, PLACE)
  try {
    const mode = (await place.stat()).mode & 0o7777
    for (const name of relative(root, real).split('/').filter(Boolean)) {
      const path = `/proc/self/fd/${place.fd}/${name}`
      const next = await open(path, PLACE).catch(async error => {
        if (codeOf(error) !== 'ENOENT') throw error
        await mkdir(path, { mode })
        const made = await open(path, PLACE)
        // Not what the file mode creation mask left of it.
        await chmod(`/proc/self/fd/${made.fd}`, mode)
        return made
      })
      await place.close()
      place = next
      if ((await place.stat()).isSymbolicLink()) throw new Error(`${name} has become a link`)
    }
  } catch (error) {
    await place.close()
    throw error
  }
  return { place, real }
}

/**
 * The path to mount into a container for `sub` of a volume: `target`, on which it was mounted, or where no mounts are
 * made the path itself. May be repeated: another file of that name by now takes the place of the former.
 */
export async function prepareSubPath(
  base: string,
  sub: string,
  target: string,
  { mountable }: { readonly mountable: boolean },
): Promise<string> {
  const { place, real } = await openWithin(base, sub)
  try {
    if (!mountable) return real
    const wanted = await place.stat()
    if (isMounted(target)) {
      const there = await lstat(target)
      if (there.dev === wanted.dev && there.ino === wanted.ino) return target
      await unmount(target)
    }
    await mkdir(dirname(target), { recursive: true, mode: 0o750 })
    if (wanted.isDirectory()) await mkdir(target, { recursive: true, mode: 0o750 })
    else await writeFile(target, '', { mode: 0o640 })
    await mount('-c', '--bind', `/proc/${process.pid}/fd/${place.fd}`, target)
    return target
  } finally {
    await place.close()
  }
}
