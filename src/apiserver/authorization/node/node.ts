/**
 * The node authorizer: a node reads what the pods bound to it need, and writes what is its own
 * (Kubernetes documentation, "Using Node Authorization"). NodeRestriction admission looks at what it writes.
 */

import { type PodShape, podReferences, type Referenced } from '../../../api/kinds/core/pod-references.ts'
import type { Encoded } from '../../../api/machinery/encoded.ts'
import type { Kind } from '../../../api/machinery/kind.ts'
import type { KindReader } from '../../registry/registry.ts'
import type { Attributes, Decision, LocalAuthorizer } from '../authorizer.ts'
import { nameMatches, type PolicyRule, ruleMatches } from '../rbac/rules.ts'
import { selectsExactly } from '../selectors.ts'
import { nodeOf } from './node-identity.ts'
import { volumeSecrets } from './volume-secrets.ts'

export interface NodeAuthorizerDeps {
  kind(key: string): Kind | undefined
  reader(kind: Kind): KindReader
  /** What every node may do where no relation to its pods is asked for: the rules of the role `system:node`. */
  readonly rules: readonly PolicyRule[]
}

export interface NodeAuthorizer {
  readonly authorize: LocalAuthorizer
  close(): void
}

const ALLOWED: Decision = { allowed: true }
const NO_OPINION: Decision = { allowed: false }
const no = (reason: string): Decision => ({ allowed: false, reason })
const LEASE_NAMESPACE = 'kube-node-lease'
const OWN_VERBS = ['get', 'create', 'update', 'patch', 'delete']

/** An object that belongs to a node by having its name. */
function ownByName(node: string, request: Attributes, what: string, article: string): Decision {
  if (!OWN_VERBS.includes(request.verb)) return no(`can only get, create, update, patch, or delete a ${article}`)
  // The name is not known on create; NodeRestriction looks at it then.
  if (request.verb !== 'create' && request.name !== node)
    return no(`can only access ${what} with the same name as the requesting node`)
  return ALLOWED
}

function decideNode(node: string, request: Attributes): Decision {
  const { verb, subresource, name } = request
  if (subresource === '' && ['create', 'update', 'patch'].includes(verb)) return ALLOWED
  if (subresource === 'status' && ['update', 'patch'].includes(verb)) return ALLOWED
  if (subresource !== '' || !['get', 'list', 'watch'].includes(verb)) return no('')
  if (name === node) return ALLOWED
  return no(`node '${node}' cannot read ${name ? `'${name}'` : 'all nodes'}, only its own Node object`)
}

/** Starts the authorizer over the registry's pods. It has an opinion on nodes only. */
export function openNodeAuthorizer(deps: NodeAuthorizerDeps): NodeAuthorizer {
  const readerOf = (key: string) => {
    const kind = deps.kind(key)
    return kind && deps.reader(kind)
  }
  const pods = readerOf('v1/pods')
  const claims = readerOf('v1/persistentvolumeclaims')
  const volumes = readerOf('v1/persistentvolumes')
  const slices = readerOf('resource.k8s.io/v1/resourceslices')
  const attachments = readerOf('storage.k8s.io/v1/volumeattachments')
  if (!pods) throw new Error('the node authorizer needs the kind v1/pods, which is not served')

  /** Pods by node, then by namespace/name. */
  const byNode = new Map<string, Map<string, Encoded>>()
  const place = (pod: Encoded, add: boolean) => {
    const { metadata, spec } = pod.value as PodShape
    if (!spec?.nodeName) return
    const own = byNode.get(spec.nodeName) ?? new Map<string, Encoded>()
    byNode.set(spec.nodeName, own)
    const key = `${metadata?.namespace}/${metadata?.name}`
    if (add) own.set(key, pod)
    else own.delete(key)
    if (own.size === 0) byNode.delete(spec.nodeName)
  }
  for (const pod of pods.list()) place(pod, true)
  const close = pods.onChange((previous, current) => {
    if (previous) place(previous, false)
    if (current) place(current, true)
  })

  function* podsOf(node: string, namespace?: string): Generator<PodShape> {
    for (const { value } of byNode.get(node)?.values() ?? [])
      if (namespace === undefined || value.metadata?.namespace === namespace) yield value as PodShape
  }
  const refers = (node: string, type: Referenced, namespace: string, name: string) => {
    for (const pod of podsOf(node, namespace))
      for (const found of podReferences(pod, type)) if (found === name) return true
    return false
  }
  /** Names of the volumes that the node's pods claim. */
  function* volumesOf(node: string): Generator<string> {
    for (const pod of podsOf(node))
      for (const name of podReferences(pod, 'persistentvolumeclaims')) {
        const claim = name && (claims?.get(pod.metadata?.namespace ?? '', name)?.value as VolumeNamed | undefined)
        const volume = claim ? claim.spec?.volumeName : undefined
        if (volume) yield volume
      }
  }
  const usesVolume = (node: string, volume: string) => {
    for (const name of volumesOf(node)) if (name === volume) return true
    return false
  }
  const usesVolumeSecret = (node: string, namespace: string, secret: string) => {
    for (const name of volumesOf(node)) {
      const volume = volumes?.get('', name)?.value
      if (!volume) continue
      for (const ref of volumeSecrets(volume)) if (ref.name === secret && ref.namespace === namespace) return true
    }
    return false
  }
  const related = (node: string, request: Attributes, found: () => boolean): Decision => {
    if (!request.name) return no('No Object name found')
    return found() ? ALLOWED : no(`no relationship found between node '${node}' and this object`)
  }
  const referred = (node: string, request: Attributes, type: Referenced) =>
    related(
      node,
      request,
      () =>
        refers(node, type, request.namespace, request.name) ||
        (type === 'secrets' && usesVolumeSecret(node, request.namespace, request.name)),
    )
  const onlyGet = (request: Attributes, then: () => Decision) => {
    if (request.verb !== 'get') return no('can only get individual resources of this type')
    return request.subresource ? no('cannot get subresource') : then()
  }
  const readNamespaced = (node: string, request: Attributes, type: Referenced) => {
    if (!['get', 'list', 'watch'].includes(request.verb)) return no('can only read resources of this type')
    if (request.subresource) return no('cannot read subresource')
    if (!request.namespace) return no('can only read namespaced object of this type')
    return referred(node, request, type)
  }
  const decideSlice = (node: string, request: Attributes): Decision => {
    if (request.subresource) return no('cannot authorize ResourceSlice subresources')
    switch (request.verb) {
      case 'create':
        // Its content is not known yet: NodeRestriction looks at it.
        return ALLOWED
      case 'get':
      case 'update':
      case 'patch':
      case 'delete':
        return related(node, request, () => {
          const found = slices?.get('', request.name)?.value as VolumeNamed | undefined
          return found?.spec?.nodeName === node
        })
      case 'watch':
      case 'list':
      case 'deletecollection':
        return selectsExactly(request.fieldSelector, 'spec.nodeName', node)
          ? ALLOWED
          : no('can only list/watch/deletecollection resourceslices with nodeName field selector')
    }
    return no(
      'only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection',
    )
  }
  const decidePod = (node: string, request: Attributes): Decision => {
    const own = () =>
      related(node, request, () => byNode.get(node)?.has(`${request.namespace}/${request.name}`) ?? false)
    const { verb, subresource } = request
    if (subresource === 'status') return ['update', 'patch'].includes(verb) ? ALLOWED : no('')
    if (subresource === 'eviction') return verb === 'create' ? ALLOWED : no('')
    if (subresource !== '') return no('')
    if (verb === 'create' || verb === 'delete') return ALLOWED
    if (verb === 'get') return own()
    if (verb !== 'list' && verb !== 'watch') return no('')
    if (selectsExactly(request.fieldSelector, 'spec.nodeName', node)) return ALLOWED
    return request.name ? own() : no('can only list/watch pods with spec.nodeName field selector')
  }

  const decide = (node: string, request: Attributes): Decision => {
    switch (request.isResource ? `${request.group}/${request.resource}` : '') {
      case '/secrets':
      case '/configmaps':
        return readNamespaced(node, request, request.resource as Referenced)
      case '/persistentvolumeclaims':
        if (request.subresource === 'status')
          return ['update', 'patch'].includes(request.verb)
            ? referred(node, request, 'persistentvolumeclaims')
            : no('can only get/update/patch this type')
        return onlyGet(request, () => referred(node, request, 'persistentvolumeclaims'))
      case '/persistentvolumes':
        return onlyGet(request, () => related(node, request, () => usesVolume(node, request.name)))
      case '/serviceaccounts':
        if (request.verb === 'get' && !request.subresource) return readNamespaced(node, request, 'serviceaccounts')
        if (request.verb !== 'create' || !request.name)
          return no('can only create tokens for individual service accounts')
        if (request.subresource !== 'token') return no('can only create token subresource of serviceaccount')
        return referred(node, request, 'serviceaccounts')
      case 'resource.k8s.io/resourceclaims':
        return onlyGet(request, () => referred(node, request, 'resourceclaims'))
      case 'resource.k8s.io/resourceslices':
        return decideSlice(node, request)
      case 'storage.k8s.io/volumeattachments':
        return onlyGet(request, () =>
          related(node, request, () => {
            const found = attachments?.get('', request.name)?.value as VolumeNamed | undefined
            return found?.spec?.nodeName === node
          }),
        )
      case 'coordination.k8s.io/leases':
        if (request.namespace !== LEASE_NAMESPACE)
          return no(`can only access leases in the ${JSON.stringify(LEASE_NAMESPACE)} system namespace`)
        return ownByName(node, request, 'node lease', 'node lease')
      case 'storage.k8s.io/csinodes':
        return request.subresource
          ? no('cannot authorize CSINode subresources')
          : ownByName(node, request, 'CSINode', 'CSINode')
      case '/nodes':
        return decideNode(node, request)
      case '/pods':
        return decidePod(node, request)
    }
    const allowed = deps.rules.some(rule => ruleMatches(rule, request) && nameMatches(rule, request.name))
    return allowed ? ALLOWED : no('')
  }

  return {
    close,
    authorize(request) {
      const node = nodeOf(request.user)
      if (node === '') return no(`unknown node for user ${JSON.stringify(request.user.name)}`)
      return node ? decide(node, request) : NO_OPINION
    },
  }
}

interface VolumeNamed {
  spec?: { volumeName?: string; nodeName?: string }
}
