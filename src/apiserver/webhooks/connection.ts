/** How the servers that authenticate or authorize for us are reached: by a kubeconfig file, as upstream. */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type Clock, sleep } from '../../lib/clock.ts'
import { readKubeconfig } from '../../lib/kubeconfig.ts'
import { createWebhookCaller, type WebhookAddress, WebhookCallError, type WebhookEndpoint } from './call.ts'

interface Named {
  readonly name?: string
  readonly cluster?: Record<string, unknown>
  readonly user?: Record<string, unknown>
  readonly context?: { readonly cluster?: string; readonly user?: string }
}

/** The cluster and user of the current context of a kubeconfig. Rejects with an Error that names the file. */
async function addressOf(path: string): Promise<WebhookAddress> {
  const config = await readKubeconfig(path)
  if (!config) throw new Error(`there is no file ${path}`)
  const find = (list: unknown, name: string | undefined) =>
    (list as Named[] | undefined)?.find(each => each.name === name)
  const context = find(config.contexts, config['current-context'])?.context
  const cluster = find(config.clusters, context?.cluster)?.cluster
  if (!cluster) throw new Error(`${path}: the current context names no cluster`)
  const user = find(config.users, context?.user)?.user ?? {}
  /** A PEM that stands in the file, in base64, or in another file. */
  const pem = (from: Record<string, unknown>, field: string): string | undefined => {
    const inline = from[`${field}-data`]
    if (typeof inline === 'string') return Buffer.from(inline, 'base64').toString()
    const file = from[field]
    return typeof file === 'string' ? readFileSync(resolve(dirname(path), file), 'utf8') : undefined
  }
  const authority = pem(cluster, 'certificate-authority')
  const [certificate, key] = [pem(user, 'client-certificate'), pem(user, 'client-key')]
  const serverName = cluster['tls-server-name']
  return {
    url: String(cluster.server ?? ''),
    ...(authority && { caBundle: Buffer.from(authority).toString('base64') }),
    ...(certificate && key && { identity: { certificate, key } }),
    ...(typeof serverName === 'string' && { serverName }),
    ...(typeof user.token === 'string' && { headers: { authorization: `Bearer ${user.token}` } }),
  }
}

/** Opens the server that a kubeconfig names. Rejects with an Error for a file that names none. */
export async function openWebhook(path: string, clock: Clock): Promise<WebhookEndpoint> {
  const resolveService = () => {
    throw new Error('the kubeconfig of a webhook names an address, not a service')
  }
  return createWebhookCaller({ resolve: resolveService, clock }).endpoint(await addressOf(path))
}

const TRIES = 5
const FIRST_WAIT_MS = 500
const FACTOR = 1.5

/** Whether another try may help: the connection broke, or the server said that it failed or has too much to do. */
const isPassing = (error: unknown) =>
  error instanceof WebhookCallError &&
  (error.status === undefined ? /EOF|connection reset/.test(error.message) : [429, 500].includes(error.status))

/** Posts a review, up to five times where the server does not answer. Throws a `WebhookCallError`. */
export async function postReview(
  endpoint: WebhookEndpoint,
  review: object,
  { clock, timeoutMs }: { readonly clock: Clock; readonly timeoutMs: number },
): Promise<unknown> {
  for (let tries = 1, wait = FIRST_WAIT_MS; ; tries++, wait *= FACTOR)
    try {
      return await endpoint.post(review, { timeoutMs })
    } catch (error) {
      if (tries === TRIES || !isPassing(error)) throw error
      await sleep(clock, wait)
    }
}
