/**
 * Approves the certificates of nodes: that of a client for a node that asks for itself, or for who may ask for any
 * (permissions `selfnodeclient` and `nodeclient`), unless a node of that name is there and well; that which a node
 * serves with, for addresses that are its own alone; and that of its traffic's account. All other requests wait for a
 * person or another program.
 */
import type { Node } from '../../api/generated/types/core-v1.ts'
import type { CertificateSigningRequest } from '../../api/kinds/certificates/certificate-signing-request.ts'
import { CertificateSigningRequest as Kind } from '../../api/kinds/certificates/certificate-signing-request.ts'
import { Node as NodeKind } from '../../api/kinds/core/node.ts'
import { isReady } from '../../api/kinds/core/ready.ts'
import { type Client, send } from '../../client/client.ts'
import { nodeTrafficUser } from '../../client/node-traffic.ts'
import type { Component } from '../../control/lifetime.ts'
import type { CertificateWish } from '../../lib/pki/certificate-request.ts'
import { eachRequest, hasCondition, type RequestDeps, requestText } from './each-request.ts'
import {
  API_CLIENT,
  clientFault,
  foreignName,
  KUBELET_CLIENT,
  KUBELET_SERVING,
  NODE_PREFIX,
  NODES,
  servingFault,
  trafficFault,
} from './node-request.ts'

export interface ApproverDeps extends RequestDeps {
  /** Names and addresses that no node may serve under: those of the API server. */
  readonly reserved: readonly string[]
}

/** Whether who made the request may create this subresource of requests. */
async function isAllowed(client: Client, { spec }: CertificateSigningRequest, subresource: string): Promise<boolean> {
  const { username: user, uid, groups, extra } = spec
  const body = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user,
      ...(uid && { uid }),
      ...(groups && { groups }),
      ...(extra && { extra }),
      resourceAttributes: {
        group: 'certificates.k8s.io',
        resource: 'certificatesigningrequests',
        subresource,
        verb: 'create',
        version: '*',
      },
    },
  }
  const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews'
  const { object } = await send(client.transport, { method: 'POST', path, body })
  return (object as { status?: { allowed?: boolean } }).status?.allowed === true
}

type Verdict = { readonly type: 'Approved' | 'Denied'; readonly reason: string; readonly message: string }

const approvedAs = (what: string): Verdict => ({
  type: 'Approved',
  reason: 'AutoApproved',
  message: `Auto approving ${what} after SubjectAccessReview.`,
})

async function judgeClient(
  deps: ApproverDeps,
  request: CertificateSigningRequest,
  wish: CertificateWish,
): Promise<Verdict | undefined> {
  const { client } = deps
  const { spec } = request
  if (clientFault(wish, spec.usages ?? []) !== undefined) return undefined
  const itself = spec.username === wish.commonName && (await isAllowed(client, request, 'selfnodeclient'))
  if (itself) return approvedAs('self kubelet client certificate')
  if (!(await isAllowed(client, request, 'nodeclient'))) return undefined
  const name = wish.commonName.slice(NODE_PREFIX.length)
  const taken = (await nodesOf(client)).find(({ metadata }) => metadata?.name === name)
  if (!taken || !isReady(taken)) return approvedAs('kubelet client certificate')
  const message = `a node named ${JSON.stringify(name)} is in the cluster and Ready: choose another name, or delete that node first`
  return { type: 'Denied', reason: 'NodeNameTaken', message }
}

async function judgeServing(
  { client, reserved }: ApproverDeps,
  { spec }: CertificateSigningRequest,
  wish: CertificateWish,
): Promise<Verdict | undefined> {
  if (spec.username !== wish.commonName || servingFault(wish, spec.usages ?? []) !== undefined) return undefined
  const fault = foreignName(wish, await nodesOf(client), reserved)
  return fault === undefined ? approvedAs('kubelet serving certificate') : undefined
}

/** The account of a node's traffic: for the node of that name, and nobody else. */
async function judgeTraffic(
  _deps: ApproverDeps,
  { spec }: CertificateSigningRequest,
  wish: CertificateWish,
): Promise<Verdict | undefined> {
  if (trafficFault(wish, spec.usages ?? []) !== undefined) return undefined
  const name = spec.username?.startsWith(NODE_PREFIX) ? spec.username.slice(NODE_PREFIX.length) : ''
  if (!name || !spec.groups?.includes(NODES) || wish.commonName !== nodeTrafficUser(name)) return undefined
  return approvedAs("certificate of a node's traffic")
}

/** What is judged here, by signer. */
const JUDGES: Readonly<Record<string, typeof judgeClient>> = {
  [KUBELET_CLIENT]: judgeClient,
  [KUBELET_SERVING]: judgeServing,
  [API_CLIENT]: judgeTraffic,
}

const nodesOf = async (client: Client): Promise<readonly Node[]> => (await client.kind<Node>(NodeKind).list()).items

async function handle(deps: ApproverDeps, request: CertificateSigningRequest): Promise<void> {
  const { spec, status } = request
  const judge = JUDGES[spec.signerName]
  if (!judge || status?.certificate) return
  if (hasCondition(request, 'Approved', 'Denied')) return
  const { readRequest } = await import('../../lib/pki/certificate-request.ts')
  const wish = await readRequest(requestText(request))
  const verdict = await judge(deps, request, wish)
  if (!verdict) return
  if (verdict.type === 'Denied')
    deps.logger.warn({ node: wish.commonName, asked: spec.username }, `a certificate was denied: ${verdict.message}`)
  const conditions = [...(status?.conditions ?? []), { ...verdict, status: 'True' }]
  const next = structuredClone({ ...request, status: { ...status, conditions } })
  await deps.client.kind(Kind).subresource({ name: request.metadata?.name ?? '' }, 'approval', next, 'PUT')
}

/** Makes the component. */
export const certificateApprover = (deps: ApproverDeps): Component =>
  eachRequest('certificatesigningrequest-approving-controller', deps, request => handle(deps, request))
