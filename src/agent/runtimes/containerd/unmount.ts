/** Takes away mounts that a runtime left behind. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'

/** Mount points at or below a folder, innermost first, by /proc/self/mountinfo (proc(5)). */
export function mountsBelow(directory: string, mountinfo = readFileSync('/proc/self/mountinfo', 'utf8')): string[] {
  return mountinfo
    .split('\n')
    .map(line =>
      (line.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 8))),
    )
    .filter(point => point === directory || point.startsWith(`${directory}/`))
    .reverse()
}

/** Unmounts them all. */
export async function unmountBelow(directory: string): Promise<void> {
  for (const point of mountsBelow(directory)) await promisify(execFile)('umount', ['-l', point]).catch(() => {})
}
