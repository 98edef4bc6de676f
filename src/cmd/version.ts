/** The versions that the program says of itself. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

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
