/**
 * What stands between a container and its log: a pipe, which is what /dev/stdout is in containers (a file would be
 * emptied by `echo >/dev/stdout`), and a `cat` that appends to the file what comes out of it. It needs nothing of Tutti
 * but its start: it goes on while Tutti is away, and ends when nobody has the other end of the pipe any more. It is in
 * no control group, process namespace or session of the container: what ends that does not reach it.
 */
import { closeSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { runTool } from '../../../lib/run-tool.ts'
import { alive, descendants, isAsleep, signal } from './proc.ts'
import { readRef } from './state.ts'

/**
 * $1: the container's folder. When it ends there is a reader of the pipe, who waits until somebody may write to it, and
 * then until nobody may; it makes no file any more, so that the folder may be removed. A full disk stops no process:
 * what cannot be kept is dropped for a second, and then it is tried again.
 */
const SCRIPT = `
/usr/bin/mkfifo -m 666 "$1/out" || exit
exec 3<>"$1/out" 4<"$1/out" 3>&- 5>>"$1/log"
{
  trap '' HUP INT QUIT TERM
  true <"$1/out"
  until /bin/cat; do /usr/bin/timeout -s KILL 1 /bin/cat >/dev/null; done
} <&4 >&5 2>/dev/null 4>&- 5>&- &
start=
[ ! -r "/proc/$!/stat" ] || read -r _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ start _ <"/proc/$!/stat"
echo "$! $start" >"$1/copier"
`

/**
 * Starts the copier of the container in `folder`. Then `out` there is the pipe for the process' output, which whatever
 * user it is may open anew. Resolves with a function that is to be called when the process has it, or will not be
 * started. Rejects with an `Error` where it cannot be made.
 */
export async function startCopier(folder: string): Promise<() => void> {
  const path = join(folder, 'out')
  try {
    await runTool('/bin/sh', ['-c', SCRIPT, 'sh', folder], { cwd: '/' })
    const output = openSync(path, 'w')
    return () => {
      rmSync(path, { force: true })
      closeSync(output)
    }
  } catch (error) {
    endCopier(folder)
    throw error
  }
}

/** Ends the copier of a container that was not started: nobody was ever to write. */
export function endCopier(folder: string): void {
  const copier = copierOf(folder)
  if (copier) signal(copier, 'SIGKILL')
}

/**
 * Everything that the container has said by now is in its log. Somebody else may hold its end of the pipe still: then the
 * copier sleeps, as it does in nothing but waiting for more. True as well where there is no copier.
 */
export function hasCopied(folder: string): boolean {
  const copier = copierOf(folder)
  if (!copier || !alive(copier)) return true
  const last = descendants(copier.pid).at(-1)!
  return last !== copier.pid && isAsleep(last)
}

const copierOf = (folder: string) => readRef(join(folder, 'copier'))
