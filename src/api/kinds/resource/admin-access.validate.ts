/**
 * Access to a device that others have been given (KEP-5018): only in namespaces whose label says so. Claims are not
 * changed, so it is asked when one is made, and when it is allocated.
 */
import type { DeviceRequest, DeviceRequestAllocationResult } from '../../generated/types/resource-v1.ts'
import { forbidden } from '../../machinery/field-error.ts'
import type { RuleContext } from '../../machinery/kind.ts'
import type { Errors } from '../rules.ts'

const LABEL = 'resource.kubernetes.io/admin-access'

type Asks<T> = (one: T) => boolean | undefined

function checkAccess<T>(
  list: readonly T[] | undefined,
  asks: Asks<T>,
  path: string,
  namespace: string | undefined,
  { labelsOf }: RuleContext,
  errors: Errors,
): void {
  const at = (list ?? []).findIndex(asks)
  if (at < 0 || labelsOf?.(namespace ?? '')?.[LABEL] === 'true') return
  const why = `admin access to devices requires the \`${LABEL}: true\` label on the containing namespace`
  errors.push(forbidden(`${path}[${at}].adminAccess`, why))
}

/** Requests of a new claim, or of a template of claims. */
export const checkAdminRequests = (
  requests: readonly DeviceRequest[] | undefined,
  namespace: string | undefined,
  context: RuleContext,
  errors: Errors,
): void =>
  checkAccess(requests, ({ exactly }) => exactly?.adminAccess, 'spec.devices.requests', namespace, context, errors)

/** What a claim is allocated now, and was before. */
export function checkAdminResults(
  results: readonly DeviceRequestAllocationResult[] | undefined,
  old: readonly DeviceRequestAllocationResult[] | undefined,
  namespace: string | undefined,
  context: RuleContext,
  errors: Errors,
): void {
  if (old?.some(({ adminAccess }) => adminAccess)) return
  checkAccess(
    results,
    ({ adminAccess }) => adminAccess,
    'status.allocation.devices.results',
    namespace,
    context,
    errors,
  )
}
