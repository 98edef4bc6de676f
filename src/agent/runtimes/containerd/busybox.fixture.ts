/** An image of the machine's own static busybox (Debian: busybox-static), for tests: no registry is needed. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { ociArchive } from '../../../lib/oci-archive.ts'

export const BUSYBOX = 'docker.io/local/busybox:1'
const PROGRAM = '/bin/busybox'

/** Why there is no such image; undefined where there is one. */
export function busyboxProblem(): string | undefined {
  try {
    // A dynamic one names its loader.
    return readFileSync(PROGRAM).includes('/ld-linux') ? `${PROGRAM} is not static` : undefined
  } catch {
    return `there is no ${PROGRAM}`
  }
}

/** The image as an archive, with `config` on top of its own. */
export function busyboxArchive(name = BUSYBOX, config: Readonly<Record<string, unknown>> = {}): Buffer {
  const applets = execFileSync(PROGRAM, ['--list'], { encoding: 'utf8' }).trim().split('\n')
  return ociArchive({
    name,
    config: { Env: ['PATH=/bin'], Cmd: ['sh'], ...config },
    layers: [
      [
        { name: 'bin/' },
        { name: 'bin/busybox', bytes: readFileSync(PROGRAM), mode: 0o755 },
        ...applets.filter(each => each !== 'busybox').map(each => ({ name: `bin/${each}`, link: 'busybox' })),
        ...['etc/', 'proc/', 'sys/', 'dev/', 'root/', 'home/', 'var/'].map(folder => ({ name: folder })),
        { name: 'tmp/', mode: 0o1777 },
        { name: 'etc/passwd', bytes: Buffer.from('root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home:/bin/sh\n') },
        { name: 'etc/group', bytes: Buffer.from('root:x:0:\nuser:x:1000:\nmore:x:2000:user\n') },
      ],
    ],
  })
}
