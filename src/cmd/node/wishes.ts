/** The certificates that a node asks its cluster for (Kubernetes documentation, "Certificate Signing Requests"). */
import type { WantedCertificate } from '../../client/certificate.ts'
import { NODE_TRAFFIC, nodeTrafficUser } from '../../client/node-traffic.ts'

const subjectOf = (nodeName: string) => ({ commonName: `system:node:${nodeName}`, organizations: ['system:nodes'] })

/** By which it is a client of the API server. */
export const clientWish = (nodeName: string): WantedCertificate => ({
  ...subjectOf(nodeName),
  signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
  usage: 'client auth',
})

/** By which the traffic of its machine is a client of the API server. */
export const trafficWish = (nodeName: string): WantedCertificate => ({
  commonName: nodeTrafficUser(nodeName),
  organizations: [NODE_TRAFFIC],
  signerName: 'kubernetes.io/kube-apiserver-client',
  usage: 'client auth',
})

/** With which it serves at its addresses. */
export const servingWish = (nodeName: string, addresses: readonly string[]): WantedCertificate => ({
  ...subjectOf(nodeName),
  signerName: 'kubernetes.io/kubelet-serving',
  usage: 'server auth',
  hosts: [nodeName, ...addresses],
})
