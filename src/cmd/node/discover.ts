/**
 * What a machine knows of a cluster before it trusts it: the published cluster-info, checked by the token that it was
 * given (the signature) and by the pin of the CA, as kubeadm does. Every way in which that can fail has its sentence.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { request } from 'node:https'
import { tokenParts } from '../../api/kinds/core/bootstrap-token.ts'
import { CLUSTER_INFO_PATH, type ClusterInfo, readClusterInfo } from '../../api/kinds/core/cluster-info.ts'
import { UserError } from '../../cli/context.ts'
import { type Clock, sleep } from '../../lib/clock.ts'
import { pinOf } from '../../lib/pki/pin.ts'

export interface JoinTarget {
  /** `HOST:PORT`. */
  readonly address: string
  readonly token: string
  /** `sha256:…`; one of them must fit. */
  readonly pins: readonly string[]
}

/** An answer before it is trusted. */
export interface Reply {
  readonly status: number
  readonly body: string
  /** The server's clock, ms since the epoch; undefined where it does not say. */
  readonly date: number | undefined
}

const TIMEOUT = 10_000
/** A signature is there this long after its token, ms, and is looked for so often. */
const SIGNING_MS = 10_000
const LOOK_MS = 300
/** Certificates are good from five minutes before they were made. */
const SKEW_MS = 4 * 60_000
const NEW_TOKEN = 'On the server: tutti token create, and run here what it prints.'

/** Asks a server that is not trusted yet: nothing secret is sent. Rejects with a `UserError` where nothing answers. */
export function askUntrusted(address: string, path: string): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const failed = (cause: Error) =>
      reject(
        new UserError(
          `nothing that speaks TLS answers at ${address}: ${cause.message}`,
          'Is it the address that "tutti token create" prints? Does the server run (tutti status), with --advertise-address?',
          { cause },
        ),
      )
    const url = new URL(path, `https://${address}`)
    const message = request(url, { rejectUnauthorized: false, agent: false, timeout: TIMEOUT }, response => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        body += chunk
        if (body.length > 1 << 20) message.destroy(new Error('the answer is too long'))
      })
      response.on('error', failed)
      const date = Date.parse(response.headers.date ?? '')
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body, date: Number.isNaN(date) ? undefined : date }),
      )
    })
    message.on('timeout', () => message.destroy(new Error('no answer within 10 s')))
    message.on('error', failed)
    message.end()
  })
}

const same = (a: string, b: string) => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

/** Whether a detached signature (RFC 7515, appendix F) of a text was made with this token. */
function isSignedBy(text: string, signature: string, id: string, secret: string): boolean {
  const [header = '', , given = ''] = signature.split('.')
  try {
    const { alg, kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { alg?: string; kid?: string }
    if (alg !== 'HS256' || kid !== id) return false
  } catch {
    return false
  }
  const payload = Buffer.from(text).toString('base64url')
  return same(createHmac('sha256', secret).update(`${header}.${payload}`).digest('base64url'), given)
}

/** Throws a `UserError` for a token or pins that cannot be any. */
export function checkTarget({ token, pins }: JoinTarget): readonly [id: string, secret: string] {
  const parts = tokenParts(token)
  if (!parts)
    throw new UserError(`${JSON.stringify(token)} is no token: it looks like abcdef.0123456789abcdef`, NEW_TOKEN)
  const bad = pins.find(pin => !/^sha256:[0-9a-f]{64}$/i.test(pin))
  if (bad !== undefined || !pins.length)
    throw new UserError(
      bad === undefined
        ? 'the CA of the cluster is not pinned: --ca-cert-hash sha256:…'
        : `${JSON.stringify(bad)} is no pin of a CA: it is sha256: and 64 hexadecimal digits`,
      NEW_TOKEN,
    )
  return parts
}

/** Throws a `UserError` where the clocks of both machines are too far apart for certificates. */
export function checkClock(server: number | undefined, here: number): void {
  if (server === undefined || Math.abs(server - here) < SKEW_MS) return
  const minutes = Math.round(Math.abs(server - here) / 60_000)
  throw new UserError(
    `the clock of this machine is ${minutes} minutes ${here < server ? 'behind' : 'ahead of'} that of the server: certificates would not be good`,
    'Set both right (timedatectl set-ntp true), then join again.',
  )
}

interface Published {
  readonly kubeconfig: string
  readonly signature: string | undefined
}

function publishedBy(reply: Reply, address: string, id: string): Published {
  let data: Record<string, string> | undefined
  try {
    data = (JSON.parse(reply.body) as { data?: Record<string, string> }).data
  } catch {}
  if (reply.status === 200 && data?.kubeconfig)
    return { kubeconfig: data.kubeconfig, signature: data[`jws-kubeconfig-${id}`] }
  throw new UserError(
    `the server at ${address} does not let machines join (it answered ${reply.status})`,
    'Start it so that others reach it: tutti up --advertise-address ADDRESS.',
  )
}

/** Finds out where a cluster is and what its CA is. Rejects with a `UserError` that says what to do. */
export async function discover(
  target: JoinTarget,
  deps: { readonly clock: Clock; readonly signal: AbortSignal; ask?(address: string, path: string): Promise<Reply> },
): Promise<ClusterInfo> {
  const { address, pins } = target
  const { clock, signal, ask = askUntrusted } = deps
  const [id, secret] = checkTarget(target)
  const end = clock.now() + SIGNING_MS
  for (;;) {
    const reply = await ask(address, CLUSTER_INFO_PATH)
    checkClock(reply.date, clock.now())
    const { kubeconfig, signature } = publishedBy(reply, address, id)
    if (signature !== undefined) {
      if (!isSignedBy(kubeconfig, signature, id, secret))
        throw new UserError(
          `the token ${id}.… is another one than the cluster's at ${address}: its second part is wrong, or somebody poses as the cluster`,
          NEW_TOKEN,
        )
      return checkedAuthority(kubeconfig, pins, address)
    }
    if (clock.now() >= end || signal.aborted)
      throw new UserError(
        `the cluster at ${address} does not know the token ${id}.…: it has expired, was deleted, or is of another cluster`,
        NEW_TOKEN,
      )
    await sleep(clock, LOOK_MS, signal)
  }
}

function checkedAuthority(kubeconfig: string, pins: readonly string[], address: string): ClusterInfo {
  const info = readClusterInfo(kubeconfig)
  if (!info) throw new UserError(`the cluster at ${address} publishes no server and CA`, NEW_TOKEN)
  const pin = pinOf(info.authority)
  if (!pins.some(each => each.toLowerCase() === pin))
    throw new UserError(
      `the CA of the cluster at ${address} is not the one that was pinned: it is ${pin}`,
      `${NEW_TOKEN} Where the two still differ, somebody poses as the cluster.`,
    )
  return info
}
