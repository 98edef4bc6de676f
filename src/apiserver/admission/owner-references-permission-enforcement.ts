/**
 * OwnerReferencesPermissionEnforcement (off unless asked for): only who may delete an object sets its owners, and only
 * who may set finalizers on an owner makes it wait for its dependents.
 */
import type { Kind } from '../../api/machinery/kind.ts'
import type { KubeObject, OwnerReference } from '../../api/machinery/object.ts'
import { equalJson } from '../../lib/json.ts'
import type { Attributes, Authorizer } from '../authorization/authorizer.ts'
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.ts'
import { refuse } from './refusal.ts'

export interface OwnerReferencesDeps {
  readonly authorize: Authorizer
  kinds(): readonly Kind[]
}

const ownersOf = (object: KubeObject | undefined) => object?.metadata?.ownerReferences ?? []

function newlyBlocking({ object, old }: AdmissionAttributes): OwnerReference[] {
  const before = new Map(ownersOf(old).map(each => [each.uid, each]))
  return ownersOf(object).filter(each => each.blockOwnerDeletion && !before.get(each.uid)?.blockOwnerDeletion)
}

const question = (request: AdmissionAttributes, verb: string, more: Partial<Attributes>): Attributes => ({
  user: request.user,
  verb,
  isResource: true,
  group: '*',
  version: '*',
  namespace: '',
  resource: '*',
  subresource: '',
  name: '',
  path: '',
  ...more,
})

/** Makes the plugin. */
export function ownerReferencesPermissionEnforcement({ authorize, kinds }: OwnerReferencesDeps): AdmissionPlugin {
  async function checkDelete(request: AdmissionAttributes) {
    const { kind, namespace, name, subresource } = request
    const { group, version, plural: resource } = kind
    const { allowed, reason = '' } = await authorize(
      question(request, 'delete', { group, version, resource, namespace, name, subresource }),
    )
    if (!allowed) throw refuse(request, `cannot set an ownerRef on a resource you can't delete: ${reason}, <nil>`)
  }

  async function checkBlocking(request: AdmissionAttributes, { apiVersion, kind: name, name: owner }: OwnerReference) {
    const kind = kinds().find(each => each.apiVersion === apiVersion && each.kind === name)
    if (!kind)
      throw refuse(
        request,
        `cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion ${apiVersion} Kind ${name}: no matches for kind ${JSON.stringify(name)} in version ${JSON.stringify(apiVersion)}`,
      )
    const { group, version, plural: resource } = kind
    const namespace = kind.namespaced ? request.namespace : ''
    const { allowed, reason = '' } = await authorize(
      question(request, 'update', { group, version, resource, subresource: 'finalizers', name: owner, namespace }),
    )
    if (!allowed)
      throw refuse(
        request,
        `cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: ${reason}, <nil>`,
      )
  }

  return {
    name: 'OwnerReferencesPermissionEnforcement',
    handles: ({ operation, kind, subresource }) =>
      (operation === 'CREATE' || operation === 'UPDATE') && !(kind.key === 'v1/pods' && subresource === 'status'),
    async validate(request) {
      if (equalJson(ownersOf(request.object), ownersOf(request.old))) return
      if (request.operation !== 'CREATE') await checkDelete(request)
      const blocking = newlyBlocking(request)
      if (!blocking.length) return
      const anything = await authorize(question(request, 'update', { subresource: 'finalizers', name: '*' }))
      if (anything.allowed) return
      for (const each of blocking) await checkBlocking(request, each)
    },
  }
}
