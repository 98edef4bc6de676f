/**
 * A credential provider: a program that is asked for the proof of an image (credentialprovider.kubelet.k8s.io/v1,
 * https://kubernetes.io/docs/tasks/administer-cluster/kubelet-credential-provider/). What it says is kept for as long as
 * it says so; those who ask at once for one image ask once.
 */
import { spawn } from 'node:child_process'
import { parseDuration } from '../../api/machinery/time.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import type { Credentials } from '../images/registry.ts'
import { type ImagePlace, isFor, mostParticular } from './match.ts'

/** One of CredentialProviderConfig's `providers`. */
export interface ProviderSettings {
  readonly name: string
  /** Absolute path. */
  readonly program: string
  /** In which it is spoken to. */
  readonly apiVersion: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Images that it is asked about. */
  readonly matchImages: readonly string[]
  /** How long an answer is kept that does not say it, ms. */
  readonly defaultCacheMs: number
}

export interface CredentialProvider {
  /** What may be shown to the registry of an image, most particular first. Never rejects: then there is nothing. */
  credentials(image: string, place: ImagePlace): Promise<readonly Credentials[]>
}

export interface ProviderDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly signal: AbortSignal
}

/** A program is given this long, ms, and may print so many bytes. */
const TIMEOUT_MS = 60_000
const OUTPUT_LIMIT = 1 << 20

type Auth = readonly (readonly [string, Credentials])[]

interface Answer {
  readonly auth: Auth
  readonly cacheKey: 'Image' | 'Registry' | 'Global'
  readonly cacheMs: number
}

interface Response {
  readonly kind?: string
  readonly apiVersion?: string
  readonly cacheKeyType?: string
  readonly cacheDuration?: string | null
  readonly auth?: Readonly<Record<string, { readonly username?: string; readonly password?: string }>> | null
}

/** Reads an answer. Throws an `Error` that holds nothing of it: it may be a secret. */
function answerOf(text: string, { apiVersion, defaultCacheMs }: ProviderSettings): Answer {
  let response: Response
  try {
    response = JSON.parse(text) as Response
  } catch {
    throw new Error('its answer is no JSON')
  }
  if (response.kind !== 'CredentialProviderResponse' || response.apiVersion !== apiVersion)
    throw new Error(`its answer is no CredentialProviderResponse of ${apiVersion}`)
  const { cacheKeyType, cacheDuration, auth } = response
  if (cacheKeyType !== 'Image' && cacheKeyType !== 'Registry' && cacheKeyType !== 'Global')
    throw new Error('its cacheKeyType is not Image, Registry or Global')
  return {
    auth: Object.entries(auth ?? {}).map(([key, { username = '', password = '' }]) => [key, { username, password }]),
    cacheKey: cacheKeyType,
    cacheMs: cacheDuration ? parseDuration(cacheDuration) : defaultCacheMs,
  }
}

/** Runs the program with the question as its input; resolves with what it prints. */
function ask({ program, args, env, apiVersion }: ProviderSettings, image: string, deps: ProviderDeps): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: 'pipe', signal: deps.signal })
  const timer = deps.clock.after(TIMEOUT_MS, () => {
    reject(new Error(`no answer within ${TIMEOUT_MS / 1000} s`))
    child.kill('SIGKILL')
  })
  let output = ''
  let problem = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    if (output.length > OUTPUT_LIMIT) child.kill('SIGKILL')
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (problem = (problem + text).slice(-1000)))
  child.stdin.on('error', () => {})
  child.stdin.end(JSON.stringify({ kind: 'CredentialProviderRequest', apiVersion, image }))
  child.on('error', reject)
  child.on('close', (code, signal) => {
    if (code === 0) resolve(output)
    else reject(new Error(`it ended with ${signal ?? `code ${code}`}: ${problem.trim()}`))
  })
  return promise.finally(() => timer.cancel())
}

/** Makes the provider that `settings` describe. */
export function createCredentialProvider(settings: ProviderSettings, deps: ProviderDeps): CredentialProvider {
  const { clock, logger } = deps
  const kept = new Map<string, { readonly auth: Auth; readonly until: number }>()
  const asked = new Map<string, Promise<Auth>>()
  const keys = (image: string, { registry }: ImagePlace) => ({
    Image: `image ${image}`,
    Registry: `registry ${registry}`,
    Global: 'all',
  })
  async function learn(image: string, place: ImagePlace): Promise<Auth> {
    const { auth, cacheKey, cacheMs } = answerOf(await ask(settings, image, deps), settings)
    const now = clock.elapsed()
    for (const [key, { until }] of kept) if (until <= now) kept.delete(key)
    if (cacheMs > 0) kept.set(keys(image, place)[cacheKey], { auth, until: now + cacheMs })
    return auth
  }
  return {
    async credentials(image, place) {
      if (!settings.matchImages.some(pattern => isFor(pattern, place))) return []
      const known = Object.values(keys(image, place)).map(key => kept.get(key))
      const found = known.find(each => each !== undefined && each.until > clock.elapsed())
      if (found) return mostParticular(found.auth, place)
      const running = asked.get(image) ?? learn(image, place).finally(() => asked.delete(image))
      asked.set(image, running)
      try {
        return mostParticular(await running, place)
      } catch (error) {
        if (!deps.signal.aborted)
          logger.warn({ err: error, provider: settings.name, image }, 'a credential provider gave nothing')
        return []
      }
    },
  }
}
