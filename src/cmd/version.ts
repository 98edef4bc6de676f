/** The versions that the program says of itself. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { VersionInfo } from '../apiserver/server.ts'
import { architecture } from '../lib/architecture.ts'

/** The Kubernetes API that is spoken. */
export const KUBERNETES_VERSION = 'v1.36.3'

/** The `version` of package.json, which lies two folders up from the source and one from the bundle. */
export function programVersion(): string {
  for (const path of ['../../package.json', '../package.json']) {
    try {
      const { name, version } = JSON.parse(readFileSync(join(import.meta.dirname, path), 'utf8'))
      if (name === 'tutti') return version
    } catch {}
  }
  return '0.0.0'
}

/** How the API and the nodes of a Tutti of version `program` call theirs. */
export const gitVersion = (program: string): string => `${KUBERNETES_VERSION}+tutti.${program}`

/** What the API says of itself; `program` is the version of Tutti. */
export const versionInfo = (program: string): VersionInfo => ({
  major: '1',
  minor: '36',
  gitVersion: gitVersion(program),
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: `node ${process.version}`,
  platform: `${process.platform}/${architecture()}`,
})
