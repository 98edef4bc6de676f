/** `/livez`, `/readyz` and `/healthz` (https://kubernetes.io/docs/reference/using-api/health-checks/). */
import type { Answer, ServerRequest } from '../request.ts'

/** One check; throws or rejects when it fails. */
export interface HealthCheck {
  readonly name: string
  /** Not ready is not dead: `/livez` does not ask. */
  readonly onlyReady?: boolean
  check(): void | Promise<void>
}

export const ENDPOINTS = ['healthz', 'livez', 'readyz'] as const

const text = (status: number, body: string): Answer => ({
  status,
  type: 'bytes',
  contentType: 'text/plain; charset=utf-8',
  bytes: Buffer.from(body),
  headers: { 'x-content-type-options': 'nosniff' },
})

async function run(endpoint: string, checks: readonly HealthCheck[], request: ServerRequest): Promise<Answer> {
  const excluded = request.query.getAll('exclude')
  const lines: string[] = []
  let failed = 0
  for (const { name, check } of checks) {
    if (excluded.includes(name)) {
      lines.push(`[+]${name} excluded: ok`)
      continue
    }
    try {
      await check()
      lines.push(`[+]${name} ok`)
    } catch {
      failed++
      lines.push(`[-]${name} failed: reason withheld`)
    }
  }
  if (failed) return text(500, `${lines.join('\n')}\n${endpoint} check failed\n`)
  return text(200, request.query.has('verbose') ? `${lines.join('\n')}\n${endpoint} check passed\n` : 'ok')
}

/** The checks that an endpoint asks. */
export const checksOf = (all: readonly HealthCheck[], endpoint: string) =>
  endpoint === 'livez' ? all.filter(check => !check.onlyReady) : all

/** Every path that `answerHealth` answers. */
export const healthPaths = (all: readonly HealthCheck[]): string[] =>
  ENDPOINTS.flatMap(each => [`/${each}`, ...checksOf(all, each).map(({ name }) => `/${each}/${name}`)])

/** Answers a path of the three endpoints, or of one check below them; undefined for any other path. */
export function answerHealth(all: readonly HealthCheck[], request: ServerRequest): Promise<Answer> | undefined {
  const [, endpoint = '', name] = request.path.split('/', 3)
  if (!(ENDPOINTS as readonly string[]).includes(endpoint)) return undefined
  const checks = checksOf(all, endpoint)
  if (!name) return run(endpoint, checks, request)
  const one = checks.filter(check => check.name === name)
  return one.length ? run(endpoint, one, request) : undefined
}
