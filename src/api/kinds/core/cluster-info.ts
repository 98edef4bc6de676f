/**
 * The ConfigMap by which a cluster tells machines that join where it is and what its CA is (Kubernetes documentation,
 * "Authenticating with Bootstrap Tokens"): a kubeconfig without a user.
 */
import { Buffer } from 'node:buffer'

export const CLUSTER_INFO = { namespace: 'kube-public', name: 'cluster-info' } as const
export const CLUSTER_INFO_PATH = `/api/v1/namespaces/${CLUSTER_INFO.namespace}/configmaps/${CLUSTER_INFO.name}`

export interface ClusterInfo {
  /** `https://192.168.1.10:6443`. */
  readonly server: string
  /** PEM. */
  readonly authority: string
}

/** The kubeconfig that says so. */
export const clusterInfoText = ({ server, authority }: ClusterInfo): string => `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${Buffer.from(authority).toString('base64')}
    server: ${server}
  name: ""
contexts: null
current-context: ""
kind: Config
preferences: {}
users: null
`

/** What such a kubeconfig says, be it kubeadm's; undefined where one of the two is missing. */
export function readClusterInfo(text: string): ClusterInfo | undefined {
  const [, server] = /^\s*server: (https:\/\/\S+)$/m.exec(text) ?? []
  const [, data] = /certificate-authority-data: (\S+)/.exec(text) ?? []
  return server && data ? { server, authority: Buffer.from(data, 'base64').toString() } : undefined
}
