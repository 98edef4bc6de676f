/**
 * What a machine that joins is told: in kube-public where the cluster is and its CA, for anyone, as kubeadm has it (the
 * bootstrap signer signs it with each token); in kube-system how the cluster's network is laid out, for nodes.
 */
import { CLUSTER_INFO, clusterInfoText } from '../../api/kinds/core/cluster-info.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { equalJson } from '../../lib/json.ts'
import type { Registry } from '../registry/registry.ts'
import { BOOTSTRAP_USER } from './reconcile.ts'

const NETWORK_CONFIG = { namespace: 'kube-system', name: 'tutti-network' } as const

interface ConfigMap extends KubeObject {
  data?: Record<string, string>
}

/** Makes or corrects the entries of a map; others, such as signatures, stay. */
async function put(registry: Registry, ref: { namespace: string; name: string }, data: Record<string, string>) {
  const kind = registry.kindOf('v1', 'ConfigMap')
  if (!kind) return
  const context = { user: BOOTSTRAP_USER, fieldManager: 'kube-apiserver' }
  const current = registry.reader(kind).get(ref.namespace, ref.name)?.value as ConfigMap | undefined
  if (!current) {
    const fresh: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...ref }, data }
    await registry.create(kind, ref.namespace, fresh, context)
  } else if (!equalJson({ ...current.data, ...data }, current.data ?? {}))
    await registry.update(
      kind,
      ref,
      object => {
        const map = object as ConfigMap
        map.data = { ...map.data, ...data }
      },
      context,
    )
}

/** Tells where the cluster is: `https://192.168.1.10:6443`, and the PEM of its CA. */
export const publishClusterInfo = (registry: Registry, server: string, authority: string): Promise<void> =>
  put(registry, CLUSTER_INFO, { kubeconfig: clusterInfoText({ server, authority }) })

/** Tells nodes how the network is laid out. */
export const publishNetworkConfig = (registry: Registry, data: Readonly<Record<string, string>>): Promise<void> =>
  put(registry, NETWORK_CONFIG, { ...data })
