/**
 * NodeRestriction: what a node writes concerns itself: its Node, Lease and CSINode, the status of the pods bound to
 * it, tokens for them (Kubernetes documentation, "Admission Controllers: NodeRestriction").
 */

import { podReferences } from '../../api/kinds/core/pod-references.ts'
import type { KubeObject, OwnerReference } from '../../api/machinery/object.ts'
import { nodeOf } from '../authorization/node/node-identity.ts'
import type { KindReader } from '../registry/registry.ts'
import { admitAudience, type NodeTokenDeps } from './node-tokens.ts'
import { admitCertificateRequest, admitClaim, admitSlice } from './node-writes.ts'
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.ts'
import { MIRROR_ANNOTATION, type Pod } from './pod-shape.ts'
import { refuse, refuseMissing } from './refusal.ts'

export interface NodeRestrictionDeps extends NodeTokenDeps {
  readonly pods: KindReader
  readonly nodes: KindReader
}

interface Node extends KubeObject {
  spec?: { taints?: unknown }
}

interface TokenRequest extends KubeObject {
  spec?: { audiences?: string[]; boundObjectRef?: { apiVersion?: string; kind?: string; name?: string; uid?: string } }
}

/** Labels of Kubernetes' own prefixes that a node may set on itself, and prefixes of such. */
const NODE_LABELS = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/arch',
  'kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'failure-domain.beta.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
])
const NODE_LABEL_PREFIXES = ['kubelet.kubernetes.io', 'node.kubernetes.io']
const RESTRICTED_PREFIX = 'node-restriction.kubernetes.io'

const within = (prefix: string, domain: string) => prefix === domain || prefix.endsWith(`.${domain}`)

function isForbiddenLabel(key: string): boolean {
  const cut = key.indexOf('/')
  const prefix = cut < 0 ? '' : key.slice(0, cut)
  if (within(prefix, RESTRICTED_PREFIX)) return true
  const reserved = within(prefix, 'kubernetes.io') || within(prefix, 'k8s.io')
  return reserved && !NODE_LABELS.has(key) && !NODE_LABEL_PREFIXES.some(domain => within(prefix, domain))
}

function changedForbiddenLabels(next: KubeObject, old?: KubeObject): string[] {
  const [a, b] = [next.metadata?.labels ?? {}, old?.metadata?.labels ?? {}]
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .filter(key => a[key] !== b[key] && isForbiddenLabel(key))
    .sort()
}

interface ClaimStatus {
  status?: {
    resourceClaimStatuses?: { name?: string; resourceClaimName?: string }[]
    extendedResourceClaimStatus?: { resourceClaimName?: string; requestMappings?: unknown[] }
  }
}

const claimStatuses = (pod: KubeObject) =>
  ((pod as ClaimStatus).status?.resourceClaimStatuses ?? []).map(each => [each.name, each.resourceClaimName ?? null])

function extendedClaim(pod: KubeObject) {
  const found = (pod as ClaimStatus).status?.extendedResourceClaimStatus
  return found && [found.resourceClaimName, found.requestMappings ?? []]
}

const differs = (a: unknown, b: unknown) => JSON.stringify(a ?? null) !== JSON.stringify(b ?? null)

function admitNode(request: AdmissionAttributes, node: string): void {
  const name = request.name || request.object?.metadata?.name || ''
  const quoted = JSON.stringify(node)
  if (name !== node) throw refuse(request, `node ${quoted} is not allowed to modify node ${JSON.stringify(name)}`)
  if (request.operation === 'CREATE') {
    const labels = changedForbiddenLabels(request.object!)
    if (labels.length)
      throw refuse(request, `node ${quoted} is not allowed to set the following labels: ${labels.join(', ')}`)
  } else if (request.operation === 'UPDATE') {
    const [next, old] = [request.object as Node, request.old as Node]
    if (differs(next.spec?.taints, old.spec?.taints))
      throw refuse(request, `node ${quoted} is not allowed to modify taints`)
    if (differs(next.metadata?.ownerReferences, old.metadata?.ownerReferences))
      throw refuse(request, `node ${quoted} is not allowed to modify ownerReferences`)
    const labels = changedForbiddenLabels(next, old)
    if (labels.length) throw refuse(request, `is not allowed to modify labels: ${labels.join(', ')}`)
  }
}

function admitOwn(request: AdmissionAttributes, node: string, message: string): void {
  const name = request.name || request.object?.metadata?.name
  if (request.operation === 'CREATE' && name !== node) throw refuse(request, message)
}

function ownerFault(owners: readonly OwnerReference[], node: string): string | undefined {
  const quoted = JSON.stringify(node)
  const [owner] = owners
  if (owners.length > 1) return `node ${quoted} can only create pods with a single owner reference set to itself`
  if (owner?.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node)
    return `node ${quoted} can only create pods with an owner reference set to itself`
  if (!owner.controller) return `node ${quoted} can only create pods with a controller owner reference set to itself`
  if (owner.blockOwnerDeletion) return `node ${quoted} must not set blockOwnerDeletion on an owner reference`
  return undefined
}

/** Starts the plugin over the registry's pods and nodes. */
export function nodeRestriction(deps: NodeRestrictionDeps): AdmissionPlugin {
  const { pods, nodes } = deps
  const podOf = (request: AdmissionAttributes, name: string): Pod => {
    const found = pods.get(request.namespace, name)
    if (!found) throw refuseMissing('pods', name)
    return found.value as Pod
  }

  const admitMirror = (request: AdmissionAttributes, node: string) => {
    const pod = request.object as Pod
    const quoted = JSON.stringify(node)
    if (pod.metadata?.annotations?.[MIRROR_ANNOTATION] === undefined)
      throw refuse(
        request,
        `pod does not have ${JSON.stringify(MIRROR_ANNOTATION)} annotation, node ${quoted} can only create mirror pods`,
      )
    if (pod.spec.nodeName !== node)
      throw refuse(request, `node ${quoted} can only create pods with spec.nodeName set to itself`)
    const owners = pod.metadata?.ownerReferences ?? []
    const fault = ownerFault(owners, node)
    if (fault) throw refuse(request, fault)
    const uid = nodes.get('', node)?.value.metadata?.uid
    if (uid === undefined) throw refuseMissing('nodes', node)
    if (owners[0]!.uid !== uid)
      throw refuse(request, `node ${node} UID mismatch: expected ${owners[0]!.uid} got ${uid}`)
    for (const type of ['secrets', 'configmaps', 'persistentvolumeclaims', 'serviceaccounts'] as const)
      if ([...podReferences(pod, type)].some(Boolean))
        throw refuse(request, `node ${quoted} can not create pods that reference ${type}`)
  }

  const admitPod = (request: AdmissionAttributes, node: string) => {
    const { subresource, operation } = request
    const quoted = JSON.stringify(node)
    if (subresource === '' && operation === 'CREATE') return admitMirror(request, node)
    if (subresource === '' && operation === 'DELETE') {
      if (podOf(request, request.name).spec.nodeName !== node)
        throw refuse(request, `node ${quoted} can only delete pods with spec.nodeName set to itself`)
    } else if (subresource === '')
      throw refuse(
        request,
        `unexpected operation ${JSON.stringify(operation)}, node ${quoted} can only create and delete mirror pods`,
      )
    else if (subresource === 'status') {
      const [next, old] = [request.object as Pod, request.old as Pod]
      if (old.spec.nodeName !== node)
        throw refuse(request, `node ${quoted} can only update pod status for pods with spec.nodeName set to itself`)
      if (differs(next.metadata?.labels, old.metadata?.labels))
        throw refuse(request, `node ${quoted} cannot update labels through pod status`)
      if (differs(claimStatuses(next), claimStatuses(old)))
        throw refuse(request, `node ${quoted} cannot update resource claim statues`)
      if (differs(extendedClaim(next), extendedClaim(old)))
        throw refuse(request, `node ${quoted} cannot update extended resource claim status`)
    } else if (subresource === 'eviction') {
      if (podOf(request, request.name || request.object?.metadata?.name || '').spec.nodeName !== node)
        throw refuse(request, `node ${node} can only evict pods with spec.nodeName set to itself`)
    } else
      throw refuse(
        request,
        `unexpected pod subresource ${JSON.stringify(subresource)}, only 'status' and 'eviction' are allowed`,
      )
  }

  const admitToken = async (request: AdmissionAttributes, node: string) => {
    const { boundObjectRef: ref, audiences = [] } = (request.object as TokenRequest).spec ?? {}
    if (ref?.apiVersion !== 'v1' || ref.kind !== 'Pod' || !ref.name)
      throw refuse(request, 'node requested token not bound to a pod')
    if (!ref.uid) throw refuse(request, 'node requested token with a pod binding without a uid')
    const pod = podOf(request, ref.name)
    if (pod.metadata?.uid !== ref.uid)
      throw refuse(
        request,
        `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
      )
    if (pod.spec.nodeName !== node)
      throw refuse(request, 'node requested token bound to a pod scheduled on a different node')
    await admitAudience(deps, request, pod as never, audiences)
  }

  return {
    name: 'NodeRestriction',
    handles: ({ user, operation }) => operation !== 'CONNECT' && nodeOf(user) !== undefined,
    validate(request) {
      const node = nodeOf(request.user)
      if (!node) throw refuse(request, `could not determine node from user ${JSON.stringify(request.user.name)}`)
      switch (`${request.kind.group}/${request.kind.plural}`) {
        case '/pods':
          return admitPod(request, node)
        case '/nodes':
          return admitNode(request, node)
        case '/persistentvolumeclaims':
          return admitClaim(request, node)
        case 'resource.k8s.io/resourceslices':
          return admitSlice(request, node)
        case 'certificates.k8s.io/certificatesigningrequests':
          return admitCertificateRequest(request, node)
        case '/serviceaccounts':
          if (request.operation === 'CREATE' && request.subresource === 'token') return admitToken(request, node)
          return
        case 'coordination.k8s.io/leases':
          return admitOwn(request, node, 'can only access node lease with the same name as the requesting node')
        case 'storage.k8s.io/csinodes':
          return admitOwn(request, node, 'can only access CSINode with the same name as the requesting node')
      }
    },
  }
}
