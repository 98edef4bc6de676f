/** Rules of the status of a Pod (k8s.io/kubernetes `pkg/apis/core/validation`: ValidatePodStatusUpdate). */
import type { Container, ContainerStatus, Pod } from '../../generated/types/core-v1.ts'
import { duplicate, forbidden, internal, invalid, required } from '../../machinery/field-error.ts'
import { isDns1123Subdomain } from '../../machinery/names.ts'
import { checkIp, ipFamily } from '../ip.ts'
import type { Errors } from '../rules.ts'
import { checkFormat, checkLabelName, checkQualifiedName, checkSubdomain, IMMUTABLE } from '../rules.ts'
import { checkId } from './security-context.validate.ts'

/** A container that has ended for good does not come back. */
function checkTransitions(
  next: Pod,
  old: Pod,
  field: 'containerStatuses' | 'initContainerStatuses',
  errors: Errors,
): void {
  const policy = old.spec?.restartPolicy
  if (policy === 'Always') return
  const containers = field === 'containerStatuses' ? old.spec?.containers : old.spec?.initContainers
  const now = new Map(next.status?.[field]?.map(status => [status.name, status]))
  for (const [index, { name, state }] of (old.status?.[field] ?? []).entries()) {
    const terminated = state?.terminated
    const after: ContainerStatus | undefined = now.get(name)
    if (!terminated || !after || after.state?.terminated) continue
    const own = containers?.find(container => container.name === name)
    if (own?.restartPolicy || own?.restartPolicyRules?.length) continue
    const mayRetry = terminated.exitCode !== 0 && (policy === 'OnFailure' || field === 'initContainerStatuses')
    if (mayRetry && !(field === 'initContainerStatuses' && policy === 'Never')) continue
    errors.push(forbidden(`status.${field}[${index}].state`, 'may not be transitioned to non-terminated state'))
  }
}

const SYSTEM_CONDITIONS = new Set(['PodScheduled', 'Ready', 'Initialized'])

function checkIps(field: 'hostIPs' | 'podIPs', next: Pod, old: Pod | undefined, errors: Errors): void {
  const ips: readonly { ip?: string }[] | undefined = next.status?.[field]
  const before = old?.status?.[field]?.map(({ ip = '' }) => ip)
  for (const [index, { ip = '' }] of (ips ?? []).entries()) {
    checkIp(ip, `status.${field}[${index}]`, errors, { before })
  }
  const families = (ips ?? []).map(({ ip = '' }) => ipFamily(ip))
  const bad = families.indexOf(0)
  if (families.length > 1 && bad >= 0) {
    const why = `invalid IP[${bad}]: ${ips![bad]!.ip ?? ''}`
    errors.push(internal(`status.${field}`, `failed to check for dual stack with error:${why}`))
  }
  if (ips && ips.length > 1 && (ips.length > 2 || bad >= 0 || families[0] === families[1])) {
    const shown = ips.map(({ ip = '' }) => ({ IP: ip }))
    errors.push(invalid(`status.${field}`, shown, 'may specify no more than one IP for each IP family'))
  }
}

function checkClaims({ status, spec }: Pod, errors: Errors): void {
  const names = new Set<string>()
  for (const [index, { name = '', resourceClaimName }] of (status?.resourceClaimStatuses ?? []).entries()) {
    const at = `status.resourceClaimStatuses[${index}]`
    if (!spec?.resourceClaims?.some(claim => claim.name === name)) {
      errors.push(invalid(`${at}.name`, name, 'must match the name of an entry in `spec.resourceClaims`'))
    }
    if (names.has(name)) errors.push(duplicate(`${at}.name`, name))
    names.add(name)
    if (resourceClaimName !== undefined) checkSubdomain(resourceClaimName, `${at}.resourceClaimName`, errors)
  }
}

function checkGeneration(generation: number | undefined, path: string, errors: Errors): void {
  if ((generation ?? 0) < 0) errors.push(invalid(path, generation, 'must be a non-negative integer'))
}

function checkUser({ user }: ContainerStatus, path: string, errors: Errors): void {
  const { uid, gid, supplementalGroups = [] } = user?.linux ?? {}
  const at = `${path}.user.linux`
  checkId(uid, `${at}.uid`, errors)
  checkId(gid, `${at}.gid`, errors)
  for (const [index, id] of supplementalGroups.entries()) checkId(id, `${at}.supplementalGroups[${index}]`, errors)
}

/** Devices whose health is told are devices that the container asks for. */
function checkDevices(status: ContainerStatus, container: Container | undefined, path: string, errors: Errors): void {
  if (!container) return
  const claims = (container.resources?.claims ?? []).map(({ name, request }) =>
    request ? `claim:${name}/${request}` : `claim:${name}`,
  )
  for (const [index, { name = '' }] of (status.allocatedResourcesStatus ?? []).entries()) {
    const isClaim = name.startsWith('claim:')
    if (isClaim ? claims.includes(name) : name in (container.resources?.requests ?? {})) continue
    const what = isClaim
      ? "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty"
      : "must match one of the container's resource requests"
    errors.push(invalid(`${path}.allocatedResourcesStatus[${index}].name`, name, what))
  }
}

function checkExtended({ status, spec }: Pod, errors: Errors): void {
  const extended = status?.extendedResourceClaimStatus
  if (!extended) return
  const path = 'status.extendedResourceClaimStatus'
  const { requestMappings = [], resourceClaimName } = extended
  if (!requestMappings.length)
    errors.push(required(`${path}.requestMappings`, 'at least one request mapping is required'))
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])]
  for (const [index, { containerName, resourceName, requestName }] of requestMappings.entries()) {
    const at = `${path}.requestMappings[${index}]`
    const container = containers.find(({ name }) => name === containerName)
    if (!container) {
      const what = 'must match the name of an entry in spec.initContainers.name or spec.containers.name'
      errors.push(invalid(`${at}.containerName`, containerName ?? '', what))
    } else if (!(resourceName in (container.resources?.requests ?? {}))) {
      const what =
        'must match the extended resource name of an entry in spec.initContainers.resources.requests or spec.containers.resources.requests'
      errors.push(invalid(`${at}.resourceName`, resourceName ?? '', what))
    }
    checkLabelName(requestName ?? '', `${path}.requestName`, errors)
  }
  if (resourceClaimName) checkSubdomain(resourceClaimName, `${path}.resourceClaimName`, errors)
  else errors.push(required(`${path}.resourceClaimName`))
}

function checkContainers({ status, spec }: Pod, errors: Errors): void {
  for (const [field, containers] of [
    ['containerStatuses', spec?.containers],
    ['initContainerStatuses', spec?.initContainers],
  ] as const) {
    for (const [index, each] of (status?.[field] ?? []).entries()) {
      const path = `status.${field}[${index}]`
      checkUser(each, path, errors)
      const own = containers?.find(({ name }) => name === each.name)
      checkDevices(each, own, path, errors)
    }
  }
}

/** What may be wrong with a new status. */
export function checkPodStatus(next: Pod, old: Pod, errors: Errors): void {
  const { status = {} } = next
  for (const [index, { type, observedGeneration }] of (status.conditions ?? []).entries()) {
    checkGeneration(observedGeneration, `status.conditions[${index}].observedGeneration`, errors)
    if (!SYSTEM_CONDITIONS.has(type)) checkQualifiedName(type ?? '', `status.conditions[${index}].Type`, errors)
  }
  const nominated = status.nominatedNodeName
  if (nominated && nominated !== old.status?.nominatedNodeName) {
    checkFormat(isDns1123Subdomain(nominated), nominated, 'status.nominatedNodeName', errors)
  }
  checkGeneration(status.observedGeneration, 'status.observedGeneration', errors)
  if (old.status?.qosClass && status.qosClass !== old.status.qosClass) {
    errors.push(invalid('status.qosClass', status.qosClass, IMMUTABLE))
  }
  checkTransitions(next, old, 'containerStatuses', errors)
  checkTransitions(next, old, 'initContainerStatuses', errors)
  checkClaims(next, errors)
  checkIps('podIPs', next, old, errors)
  checkIps('hostIPs', next, old, errors)
  checkExtended(next, errors)
  if (status.hostIPs?.length && (status.hostIP ?? '') !== (status.hostIPs[0]?.ip ?? '')) {
    errors.push(invalid('status.hostIPs[0].ip', status.hostIPs[0]?.ip ?? '', 'must be equal to `hostIP`'))
  }
  checkContainers(next, errors)
}
