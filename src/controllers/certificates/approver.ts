/**
 * Approves the client certificates of nodes: of a node that asks for itself, or of who may ask for any (permissions
 * `selfnodeclient` and `nodeclient`). All other requests wait for a person or another program.
 */
import type { CertificateSigningRequest } from '../../api/kinds/certificates/certificate-signing-request.ts'
import { CertificateSigningRequest as Kind } from '../../api/kinds/certificates/certificate-signing-request.ts'
import { type Client, send } from '../../client/client.ts'
import type { Component } from '../../control/lifetime.ts'
import { eachRequest, hasCondition, type RequestDeps, requestText } from './each-request.ts'
import { clientFault, KUBELET_CLIENT } from './node-request.ts'

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

async function handle(client: Client, request: CertificateSigningRequest): Promise<void> {
  const { spec, status } = request
  if (spec.signerName !== KUBELET_CLIENT || status?.certificate) return
  if (hasCondition(request, 'Approved', 'Denied')) return
  const { readRequest } = await import('../../lib/pki/certificate-request.ts')
  const wish = await readRequest(requestText(request))
  if (clientFault(wish, spec.usages ?? []) !== undefined) return
  const itself = spec.username === wish.commonName && (await isAllowed(client, request, 'selfnodeclient'))
  if (!itself && !(await isAllowed(client, request, 'nodeclient'))) return
  const who = itself ? 'self kubelet client certificate' : 'kubelet client certificate'
  const approved = {
    type: 'Approved',
    status: 'True',
    reason: 'AutoApproved',
    message: `Auto approving ${who} after SubjectAccessReview.`,
  }
  const conditions = [...(status?.conditions ?? []), approved]
  const next = structuredClone({ ...request, status: { ...status, conditions } })
  await client.kind(Kind).subresource({ name: request.metadata?.name ?? '' }, 'approval', next, 'PUT')
}

/** Makes the component. */
export const certificateApprover = (deps: RequestDeps): Component =>
  eachRequest('certificatesigningrequest-approving-controller', deps, request => handle(deps.client, request))
