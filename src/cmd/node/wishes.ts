/** The certificates that a node asks its cluster for (Kubernetes documentation, "Certificate Signing Requests"). */
import type { WantedCertificate } from '../../client/certificate.ts'

const subjectOf = (nodeName: string) => ({ commonName: `system:node:${nodeName}`, organizations: ['system:nodes'] })

/** By which it is a client of the API server. */
export const clientWish = (nodeName: string): WantedCertificate => ({
  ...subjectOf(nodeName),
  signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
  usage: 'client auth',
})

/** With which it serves at its addresses. */
export const servingWish = (nodeName: string, addresses: readonly string[]): WantedCertificate => ({
  ...subjectOf(nodeName),
  signerName: 'kubernetes.io/kubelet-serving',
  usage: 'server auth',
  hosts: [nodeName, ...addresses],
})
