/** A machine joins a cluster: it finds out whom to trust, and gets its own certificate by a token. */
import { randomUUID } from 'node:crypto'
import type { Node } from '../../api/generated/types/core-v1.ts'
import { Node as NodeKind } from '../../api/kinds/core/node.ts'
import { isReady } from '../../api/kinds/core/ready.ts'
import { StatusError } from '../../api/machinery/status-error.ts'
import { type NodeOptions, UserError } from '../../cli/context.ts'
import { CertificateDenied, requestCertificate } from '../../client/certificate.ts'
import { type Client, createClient, send } from '../../client/client.ts'
import { createHttpsTransport } from '../../client/https-transport.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import { discover } from './discover.ts'
import { keepMembership, type Membership } from './membership.ts'
import { clientWish } from './wishes.ts'

export interface JoinDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly signal: AbortSignal
  /** Of Kubernetes, which this program speaks: `v1.36.3`. */
  readonly version: string
  onPhase(phase: string): void
}

const CERTIFICATE_MS = 30_000
/** Minor versions that a node may be behind its server (Kubernetes documentation, "Version Skew Policy"). */
const SKEW = 3

const minorOf = (version: string) => Number(/^v1\.(\d+)/.exec(version)?.[1])

/** Throws a `UserError` where the server is none of this program's, or of a version that a node cannot work with. */
export function checkVersion(server: string, own: string): void {
  if (!server.includes('+tutti'))
    throw new UserError(
      `the server is Kubernetes ${server}, not Tutti: its network is set up by other means`,
      'Join it with kubeadm.',
    )
  const [theirs, ours] = [minorOf(server), minorOf(own)]
  if (theirs >= ours && theirs - ours <= SKEW) return
  throw new UserError(
    `the server speaks Kubernetes 1.${theirs} and this program 1.${ours}: a node may be up to ${SKEW} minor versions older than its server, and not newer`,
    theirs < ours ? 'Upgrade the server first.' : 'Upgrade Tutti on this machine.',
  )
}

const nameTaken = (name: string, cause?: Error) =>
  new UserError(
    `the cluster has a node named ${JSON.stringify(name)} already, and it is Ready`,
    `Choose another name: --node-name NAME. If it is this machine, with its data lost: kubectl delete node ${name}, then join again.`,
    { cause },
  )

/** The client certificate of the node, by the token. */
async function certificateFor(client: Client, name: string, { clock, signal }: JoinDeps) {
  const there = await client.kind<Node>(NodeKind).find({ name })
  if (there && isReady(there)) throw nameTaken(name)
  try {
    return await requestCertificate(client, clientWish(name), { clock, withinMs: CERTIFICATE_MS, signal })
  } catch (cause) {
    if (cause instanceof CertificateDenied)
      throw new UserError(`the cluster refuses the node: ${cause.message}`, 'Choose another name: --node-name NAME.', {
        cause,
      })
    throw new UserError((cause as Error).message, 'On the server: kubectl get csr, and tutti status.', { cause })
  }
}

/** Joins; resolves when the node has its certificate. Rejects with a `UserError` that says what to do. */
export async function joinCluster(options: NodeOptions, nodeName: string, deps: JoinDeps): Promise<Membership> {
  const { clock, logger, onPhase } = deps
  const target = options.join!
  onPhase('looking for the cluster')
  const { server, authority } = await discover(target, deps)
  const { transport, close } = createHttpsTransport({ server, ca: authority, token: target.token, clock, logger })
  try {
    const { object } = await send(transport, { method: 'GET', path: '/version' })
    checkVersion(String((object as { gitVersion?: string }).gitVersion), deps.version)
    onPhase('asking for a certificate')
    const pair = await certificateFor(createClient(transport, { fieldManager: 'kubelet' }), nodeName, deps)
    const membership: Membership = {
      server,
      authority,
      nodeName,
      ...(options.address && { address: options.address }),
      ...(options.runtime && { runtime: options.runtime }),
      ...(options.runtimeEndpoint && { runtimeEndpoint: options.runtimeEndpoint }),
      machine: randomUUID(),
    }
    keepMembership(options.dataDir, membership, pair)
    return membership
  } catch (cause) {
    if (cause instanceof UserError) throw cause
    if (cause instanceof StatusError)
      throw new UserError(
        `the cluster at ${server} refuses the token: ${cause.message}`,
        'It may not be one for nodes. On the server: tutti token create, and run here what it prints.',
        { cause },
      )
    throw new UserError(
      (cause as Error).message,
      `The cluster says that it is at ${server}: is that address reached from here?`,
      { cause },
    )
  } finally {
    close()
  }
}
