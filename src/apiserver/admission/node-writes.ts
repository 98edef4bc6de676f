/** What a node may write of things that are neither its Node nor pods (see `node-restriction.ts`). */
import type { CertificateSigningRequest } from '../../api/generated/types/certificates-v1.ts'
import type { PersistentVolumeClaim } from '../../api/generated/types/core-v1.ts'
import type { ResourceSlice } from '../../api/generated/types/resource-v1.ts'
import { equalJson } from '../../lib/json.ts'
import type { AdmissionAttributes } from './plugin.ts'
import { refuse } from './refusal.ts'

const KUBELET_SIGNERS = ['kubernetes.io/kubelet-serving', 'kubernetes.io/kube-apiserver-client-kubelet']

/** A claim without what a node reports of it. */
function unreported({ metadata, status, ...rest }: PersistentVolumeClaim) {
  const { resourceVersion: _r, managedFields: _m, ...meta } = metadata ?? {}
  const { capacity: _1, conditions: _2, allocatedResources: _3, allocatedResourceStatuses: _4, ...left } = status ?? {}
  return { ...rest, metadata: meta, status: left }
}

/** persistentvolumeclaims: what the volume has become, and nothing else. */
export function admitClaim(request: AdmissionAttributes, node: string): void {
  const { subresource, operation, object, old } = request
  if (subresource !== 'status') throw refuse(request, 'may only update PVC status')
  if (operation !== 'UPDATE') throw refuse(request, `unexpected operation ${JSON.stringify(operation)}`)
  if (!equalJson(unreported(object as PersistentVolumeClaim), unreported(old as PersistentVolumeClaim)))
    throw refuse(
      request,
      `node ${JSON.stringify(node)} is not allowed to update fields other than status.quantity and status.conditions`,
    )
}

/** resourceslices: those of its own devices. */
export function admitSlice(request: AdmissionAttributes, node: string): void {
  const { operation, object, old } = request
  const isOwn = (slice: typeof object) => (slice as ResourceSlice | undefined)?.spec?.nodeName === node
  if (operation === 'CREATE' && !isOwn(object))
    throw refuse(request, 'can only create ResourceSlice with the same NodeName as the requesting node')
  if (operation === 'DELETE' && !isOwn(old))
    throw refuse(request, 'can only delete ResourceSlice with the same NodeName as the requesting node')
}

/** certificatesigningrequests: certificates of a node are for itself. */
export async function admitCertificateRequest(request: AdmissionAttributes, node: string): Promise<void> {
  if (request.operation !== 'CREATE') return
  const { signerName, request: encoded } = (request.object as CertificateSigningRequest).spec
  if (!KUBELET_SIGNERS.includes(signerName)) return
  const { readRequest } = await import('../../lib/pki/certificate-request.ts')
  let name: string
  try {
    name = (await readRequest(Buffer.from(encoded, 'base64').toString('latin1'))).commonName
  } catch (error) {
    throw refuse(request, `unable to parse csr: ${(error as Error).message}`)
  }
  if (name !== `system:node:${node}`) throw refuse(request, `can only create a node CSR with CN=system:node:${node}`)
}
