/** This machine's own programs as files of an image, for tests: no registry is needed. */
import { readFileSync, realpathSync } from 'node:fs'
import { sharedLibraries } from '../../lib/shared-libraries.ts'
import type { TarEntry } from '../../lib/tar.ts'

/** Entries of programs with what they load, by the paths that they know it by. */
export function programs(...paths: readonly string[]): TarEntry[] {
  const all = new Set(paths.flatMap(path => [path, ...sharedLibraries(path)]))
  return [...all].map(path => ({ name: path.slice(1), bytes: readFileSync(realpathSync(path)), mode: 0o755 }))
}
