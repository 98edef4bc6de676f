/**
 * What an aggregated server must know to believe this one: a ConfigMap that every such server reads at its start
 * (kube-system/extension-apiserver-authentication).
 */
import type { KubeObject } from '../../api/machinery/object.ts'
import { equalJson } from '../../lib/json.ts'
import { BOOTSTRAP_USER } from '../bootstrap/reconcile.ts'
import type { Registry } from '../registry/registry.ts'
import { requireKind } from '../subresources/request-parts.ts'
import { IDENTITY_HEADERS } from './identity-headers.ts'

export interface Trust {
  /** PEM of the authority of client certificates. */
  readonly clientCa: string
  /** PEM of the authority that signs this server's certificate as a proxy. */
  readonly frontProxyCa: string
  /** Common names that the proxy may have. */
  readonly names: readonly string[]
}

const NAME = 'extension-apiserver-authentication'
const NAMESPACE = 'kube-system'

const dataOf = ({ clientCa, frontProxyCa, names }: Trust) => ({
  'client-ca-file': clientCa,
  'requestheader-allowed-names': JSON.stringify(names),
  'requestheader-client-ca-file': frontProxyCa,
  'requestheader-extra-headers-prefix': JSON.stringify([IDENTITY_HEADERS.extraPrefix]),
  'requestheader-group-headers': JSON.stringify([IDENTITY_HEADERS.group]),
  'requestheader-uid-headers': JSON.stringify([IDENTITY_HEADERS.uid]),
  'requestheader-username-headers': JSON.stringify([IDENTITY_HEADERS.user]),
})

interface ConfigMap extends KubeObject {
  data?: Record<string, string>
}

/** Writes it where it is missing or says something else. */
export async function publishTrust(registry: Registry, trust: Trust): Promise<void> {
  const kind = requireKind(registry, 'v1/configmaps')
  const context = { user: BOOTSTRAP_USER, fieldManager: 'kube-apiserver' }
  const data = dataOf(trust)
  const current = registry.reader(kind).get(NAMESPACE, NAME)?.value as ConfigMap | undefined
  if (!current) {
    const object: ConfigMap = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: NAME, namespace: NAMESPACE },
      data,
    }
    await registry.create(kind, NAMESPACE, object, context)
  } else if (!equalJson({ ...current.data, ...data }, current.data)) {
    const change = (object: KubeObject) => {
      ;(object as ConfigMap).data = { ...(object as ConfigMap).data, ...data }
    }
    await registry.update(kind, { namespace: NAMESPACE, name: NAME }, change, context)
  }
}
