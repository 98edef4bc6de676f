/** Images by containerd's own client: what CRI has no call for. */
import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'

export interface CtrOptions {
  readonly ctr: string
  readonly socket: string
}

/** containerd's namespace in which its CRI plugin works. */
const NAMESPACE = 'k8s.io'
const SAID_LIMIT = 4096

/** Imports an archive (OCI layout or docker's) of one or more images; resolves with their names. */
export function importArchive({ ctr, socket }: CtrOptions, archive: Readable): Promise<string[]> {
  const child = spawn(ctr, ['--address', socket, '--namespace', NAMESPACE, 'images', 'import', '-'], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const { promise, resolve, reject } = Promise.withResolvers<string[]>()
  let said = ''
  let failed = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (failed = (failed + text).slice(-SAID_LIMIT)))
  child.stdin.on('error', () => {})
  archive.on('error', error => {
    child.kill()
    reject(error)
  })
  archive.pipe(child.stdin)
  child.on('error', reject)
  child.on('close', code => {
    archive.destroy()
    // `unpacking NAME (DIGEST)...done`, and in containerd 2 a table.
    const names = [...said.matchAll(/^(?:unpacking )?([^\s(]+[:@][^\s(]+)/gm)].map(([, name]) => name!)
    if (code === 0) resolve([...new Set(names)])
    else reject(new Error(`the archive could not be imported: ${failed.trim() || said.trim() || `exit code ${code}`}`))
  })
  return promise
}
