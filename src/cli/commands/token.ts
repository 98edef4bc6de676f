import { randomBytes } from 'node:crypto'
import type { Secret } from '../../api/generated/types/core-v1.ts'
import {
  BOOTSTRAP_NAMESPACE,
  BOOTSTRAP_TYPE,
  bootstrapSecretName,
  tokenParts,
} from '../../api/kinds/core/bootstrap-token.ts'
import { CLUSTER_INFO_PATH, readClusterInfo } from '../../api/kinds/core/cluster-info.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { humanDuration, parseTime, rfc3339 } from '../../api/machinery/time.ts'
import type { Transport } from '../../client/transport.ts'
import { pinOf } from '../../lib/pki/pin.ts'
import { isMissing, request } from '../api.ts'
import { defineCommand, type Options } from '../command.ts'
import type { Context } from '../context.ts'
import { UserError } from '../context.ts'
import { textTable } from '../output/table.ts'
import { timeOption } from '../time-option.ts'

const SECRETS = `/api/v1/namespaces/${BOOTSTRAP_NAMESPACE}/secrets`
const GROUP = 'system:bootstrappers:tutti:default-node-token'
const DAY = 24 * 3_600_000

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789'
/** Letters by chance, each as likely as the others. */
function randomLetters(count: number): string {
  let text = ''
  while (text.length < count)
    for (const byte of randomBytes(count)) if (byte < 252 && text.length < count) text += LETTERS[byte % 36]
  return text
}

/** Where the cluster is and the pin of its CA, as it tells machines that join. Throws `UserError` where it does not. */
async function clusterInfo(transport: Transport): Promise<{ server: string; pin: string }> {
  let map: KubeObject & { data?: Record<string, string> }
  try {
    map = await request(transport, { method: 'GET', path: CLUSTER_INFO_PATH })
  } catch (error) {
    if (!isMissing(error)) throw error
    throw new UserError(
      'this cluster answers only on this machine, so others cannot join it',
      'Start it with the address by which they reach it: tutti down --keep-workloads && tutti up --advertise-address ADDRESS',
    )
  }
  const info = readClusterInfo(map.data?.kubeconfig ?? '')
  if (!info) throw new Error('the config map kube-public/cluster-info names no server and authority')
  return { server: info.server.slice('https://'.length), pin: pinOf(info.authority) }
}

async function create(args: readonly string[], options: Options, context: Context): Promise<void> {
  const { transport } = await context.connect()
  const { server, pin } = await clusterInfo(transport)
  const token = args[0] ?? `${randomLetters(6)}.${randomLetters(16)}`
  const parts = tokenParts(token)
  if (!parts)
    throw new UserError(
      `${JSON.stringify(token)} is no token: it must be six letters or digits, a dot, and sixteen more, in lower case`,
    )
  const [id, secret] = parts
  const ttl = options.ttl === undefined ? DAY : timeOption('--ttl', String(options.ttl), '2h or 30m, or 0 for ever')
  const data = {
    'token-id': id,
    'token-secret': secret,
    'usage-bootstrap-authentication': 'true',
    'usage-bootstrap-signing': 'true',
    'auth-extra-groups': GROUP,
    ...(ttl > 0 && { expiration: rfc3339(context.clock.now() + ttl) }),
    ...(options.description !== undefined && { description: String(options.description) }),
  }
  const body = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: bootstrapSecretName(id) },
    type: BOOTSTRAP_TYPE,
    stringData: data,
  }
  await request(transport, { method: 'POST', path: SECRETS, body })
  const join = `tutti join ${server} --token ${token} --ca-cert-hash ${pin}`
  if (context.json) context.io.out(`${JSON.stringify({ token, server, caCertHash: pin, join })}\n`)
  else context.io.out(`${join}\n`)
}

const textOf = ({ data }: Secret, key: string) => Buffer.from(data?.[key] ?? '', 'base64').toString()

async function list(context: Context): Promise<void> {
  const { transport } = await context.connect()
  const query = { fieldSelector: `type=${BOOTSTRAP_TYPE}` }
  const { items } = await request<{ items: Secret[] }>(transport, { method: 'GET', path: SECRETS, query })
  const tokens = items.map(each => ({
    token: `${textOf(each, 'token-id')}.${textOf(each, 'token-secret')}`,
    expires: textOf(each, 'expiration'),
    description: textOf(each, 'description'),
  }))
  if (context.json) return context.io.out(`${JSON.stringify(tokens)}\n`)
  const now = context.clock.now()
  const left = (expires: string) => {
    const end = parseTime(expires)
    return end === undefined ? 'never' : end <= now ? 'expired' : `in ${humanDuration(end - now)}`
  }
  const rows = tokens.map(({ token, expires, description }) => [token, left(expires), description])
  context.io.out(rows.length ? `${textTable(['token', 'expires', 'description'], rows)}\n` : 'There are no tokens.\n')
}

async function remove(args: readonly string[], context: Context): Promise<void> {
  if (!args.length)
    throw new UserError('which token?', 'tutti token list shows them; its first six letters are enough.')
  const { transport } = await context.connect()
  for (const each of args) {
    const id = each.split('.')[0] ?? ''
    await request(transport, { method: 'DELETE', path: `${SECRETS}/${bootstrapSecretName(encodeURIComponent(id))}` })
    context.io.out(`token ${id} deleted\n`)
  }
}

export const token = defineCommand({
  name: 'token',
  arguments: '<action> [tokens...]',
  summary: 'let machines join: token create prints the command; token list, token delete',
  help: `A token lets a machine join for a day, or as --ttl says. What "token create" prints is to be run there.

  tutti token create                  a new token
  tutti token create --ttl 15m        for a quarter of an hour; 0 is for ever
  tutti token list
  tutti token delete abcdef           its first part is enough`,
  options: [
    { flags: '--ttl <time>', description: 'how long it is good for: 24h, 30m, 0 for ever (default: 24h)' },
    { flags: '--description <text>', description: 'what it is for' },
    { flags: '--kubeconfig <file>', description: 'the cluster to talk to' },
  ],
  async run([action, ...args], options, context) {
    if (action === 'create') await create(args, options, context)
    else if (action === 'list') await list(context)
    else if (action === 'delete') await remove(args, context)
    else throw new UserError(`token ${action}: there is create, list and delete`)
    return 0
  },
})
