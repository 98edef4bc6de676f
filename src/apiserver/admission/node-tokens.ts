/** For whom a node may ask tokens: for audiences that a pod on it names, or that it is allowed (KEP-4935). */

import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../api/generated/types/core-v1.ts'
import type { CSIDriver } from '../../api/generated/types/storage-v1.ts'
import { claimNameOf } from '../../api/kinds/core/pod-references.ts'
import type { Authorizer } from '../authorization/authorizer.ts'
import type { KindReader } from '../registry/registry.ts'
import type { AdmissionAttributes } from './plugin.ts'
import { refuse } from './refusal.ts'

export interface NodeTokenDeps {
  readonly claims: KindReader
  readonly volumes: KindReader
  readonly drivers: KindReader
  readonly authorize: Authorizer
}

/** The driver of the volume that a claim is bound to. */
function driverOf({ claims, volumes }: NodeTokenDeps, namespace: string, name: string): string | undefined {
  const claim = claims.get(namespace, name)?.value as PersistentVolumeClaim | undefined
  const volume = volumes.get('', claim?.spec?.volumeName ?? '')?.value as PersistentVolume | undefined
  return volume?.spec?.csi?.driver
}

/** Whether a volume of the pod needs a token for an audience: its own, or its driver's. */
function namesAudience(deps: NodeTokenDeps, pod: Pod, audience: string): boolean {
  return (pod.spec?.volumes ?? []).some(volume => {
    const { projected, csi } = volume
    if (
      projected?.sources?.some(
        each => each.serviceAccountToken && (each.serviceAccountToken.audience ?? '') === audience,
      )
    )
      return true
    const claim = claimNameOf(pod, volume)
    const driver = csi ? csi.driver : claim && driverOf(deps, pod.metadata?.namespace ?? '', claim)
    const found = driver ? (deps.drivers.get('', driver)?.value as CSIDriver | undefined) : undefined
    return found?.spec?.tokenRequests?.some(each => each.audience === audience) ?? false
  })
}

/** Refuses a token for an audience that neither the pod nor a right names. */
export async function admitAudience(
  deps: NodeTokenDeps,
  request: AdmissionAttributes,
  pod: Pod,
  audiences: readonly string[],
): Promise<void> {
  if (audiences.length > 1) throw refuse(request, 'node may only request 0 or 1 audiences')
  const audience = audiences[0] ?? ''
  if (namesAudience(deps, pod, audience)) return
  const { user, namespace, name } = request
  const { allowed } = await deps.authorize({
    user,
    verb: 'request-serviceaccounts-token-audience',
    isResource: true,
    group: '',
    version: 'v1',
    namespace,
    resource: audience,
    subresource: '',
    name,
    path: '',
  })
  if (!allowed)
    throw refuse(
      request,
      `audience ${JSON.stringify(audience)} not found in pod spec volume, ${user.name} is not authorized to request tokens for this audience`,
    )
}
