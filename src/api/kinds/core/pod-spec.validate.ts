/** What holds for a PodSpec, in a pod as in a template (k8s.io/kubernetes `pkg/apis/core/validation`: ValidatePodSpec). */
import type { PodSpec, PodTemplateSpec } from '../../generated/types/core-v1.ts'
import { duplicate, forbidden, invalid, notFound, notSupported, required } from '../../machinery/field-error.ts'
import {
  isDns1123Label,
  isDns1123Subdomain,
  regexError,
  validateAnnotations,
  validateLabels,
} from '../../machinery/names.ts'
import { checkIp } from '../ip.ts'
import type { Errors } from '../rules.ts'
import { checkEnum, checkFormat, checkLabelName, checkQualifiedName, checkSubdomain } from '../rules.ts'
import type { PodScope } from './container.validate.ts'
import { checkContainers, checkEphemeralContainers, checkInitContainers } from './container.validate.ts'
import { containersOf } from './pod-containers.ts'
import { checkOperatingSystem } from './pod-os.validate.ts'
import { checkPodResources } from './pod-resources.validate.ts'
import { checkRequirements } from './resources.validate.ts'
import { checkAffinity, checkSpread, checkTolerations } from './scheduling.validate.ts'
import { checkPodSecurityContext } from './security-context.validate.ts'
import { checkVolumes } from './volume.validate.ts'

const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']
const MAX_INT32 = 2147483647
const NO_CLAIMS: ReadonlySet<string> = new Set()

const SEARCH_LABEL = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?'
const SEARCH = `${SEARCH_LABEL}(\\.${SEARCH_LABEL})*`
const SEARCH_PATTERN = new RegExp(`^${SEARCH}$`)
const SEARCH_WANTED = regexError(
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
  SEARCH,
  'example.com',
)

/** A search path of DNS: a subdomain in which underscores are allowed. */
function checkSearch(value: string, path: string, errors: Errors): void {
  if (value.length > 253) errors.push(invalid(path, value, 'must be no more than 253 characters'))
  if (!SEARCH_PATTERN.test(value)) errors.push(invalid(path, value, SEARCH_WANTED))
}

function checkDns({ dnsPolicy, dnsConfig }: PodSpec, path: string, errors: Errors): void {
  checkEnum(dnsPolicy, DNS_POLICIES, `${path}.dnsPolicy`, errors)
  const at = `${path}.dnsConfig`
  if (dnsPolicy === 'None' && !dnsConfig) {
    errors.push(required(at, 'must provide `dnsConfig` when `dnsPolicy` is None'))
  }
  if (!dnsConfig) return
  const { nameservers = [], searches = [], options = [] } = dnsConfig
  if (dnsPolicy === 'None' && !nameservers.length) {
    const wanted = 'must provide at least one DNS nameserver when `dnsPolicy` is None'
    errors.push(required(`${at}.nameservers`, wanted))
    return
  }
  if (nameservers.length > 3) {
    errors.push(invalid(`${at}.nameservers`, nameservers, 'must not have more than 3 nameservers'))
  }
  for (const [index, server] of nameservers.entries()) checkIp(server, `${at}.nameservers[${index}]`, errors)
  if (searches.length > 32) {
    errors.push(invalid(`${at}.searches`, searches, 'must not have more than 32 search paths'))
  }
  if (searches.join(' ').length > 2048) {
    const wanted = 'must not have more than 2048 characters (including spaces) in the search list'
    errors.push(invalid(`${at}.searches`, searches, wanted))
  }
  for (const [index, search] of searches.entries()) {
    if (search === '.') continue
    checkSearch(search.replace(/\.$/, ''), `${at}.searches[${index}]`, errors)
  }
  for (const [index, { name }] of options.entries()) {
    if (!name) errors.push(required(`${at}.options[${index}]`, 'must not be empty'))
  }
}

function checkNames(spec: PodSpec, path: string, errors: Errors): void {
  const { serviceAccountName, nodeName, hostname, subdomain, priorityClassName, runtimeClassName } = spec
  const subdomains = { serviceAccountName, nodeName, priorityClassName, runtimeClassName }
  for (const [field, value] of Object.entries(subdomains)) {
    if (value) checkFormat(isDns1123Subdomain(value), value, `${path}.${field}`, errors)
  }
  if (hostname) checkFormat(isDns1123Label(hostname), hostname, `${path}.hostname`, errors)
  if (subdomain) checkFormat(isDns1123Label(subdomain), subdomain, `${path}.subdomain`, errors)
  const override = spec.hostnameOverride
  if (override === undefined) return
  const at = `${path}.hostnameOverride`
  if (spec.setHostnameAsFQDN) errors.push(forbidden(at, 'may not be specified when setHostnameAsFQDN is true'))
  if (spec.hostNetwork) errors.push(forbidden(at, 'may not be specified when hostNetwork is true'))
  checkSubdomain(override, at, errors)
}

/** Variables are read from files of empty directories only. */
function checkFileKeyVolumes(spec: PodSpec, path: string, errors: Errors): void {
  const volumes = new Map((spec.volumes ?? []).map(volume => [volume.name, volume]))
  for (const [{ env }, container] of containersOf(spec, path)) {
    for (const [index, { valueFrom }] of (env ?? []).entries()) {
      const name = valueFrom?.fileKeyRef?.volumeName
      if (name === undefined) continue
      const at = `${container}.env[${index}].valueFrom.fileKeyRef.volumeName`
      const volume = volumes.get(name)
      if (!volume) errors.push(notFound(at, name))
      else if (!volume.emptyDir) errors.push(invalid(at, name, 'referenced volume must be of type emptyDir'))
    }
  }
}

/** With the node's network, a port of a container is the port of the node. */
function checkHostNetwork(spec: PodSpec, isPod: boolean, path: string, errors: Errors): void {
  if (!spec.hostNetwork) return
  for (const [index, { ports }] of (spec.containers ?? []).entries()) {
    for (const [at, { hostPort = 0, containerPort }] of (ports ?? []).entries()) {
      if ((isPod || hostPort) && hostPort !== containerPort) {
        const wanted = 'must match `containerPort` when `hostNetwork` is true'
        errors.push(invalid(`${path}.containers[${index}].ports[${at}].hostPort`, hostPort, wanted))
      }
    }
  }
}

function checkHostUsers(spec: PodSpec, path: string, errors: Errors): void {
  if (spec.hostUsers !== false) return
  const why = 'when `hostUsers` is false'
  if (spec.hostNetwork) errors.push(forbidden(`${path}.hostNetwork`, why))
  if (spec.hostPID) errors.push(forbidden(`${path}.HostPID`, why))
  if (spec.hostIPC) errors.push(forbidden(`${path}.HostIPC`, why))
}

function checkGates(spec: PodSpec, path: string, errors: Errors): void {
  for (const [index, { conditionType }] of (spec.readinessGates ?? []).entries()) {
    checkQualifiedName(conditionType ?? '', `${path}.readinessGates[${index}].conditionType`, errors)
  }
  const seen = new Set<string>()
  for (const [index, { name }] of (spec.schedulingGates ?? []).entries()) {
    const at = `${path}.schedulingGates[${index}]`
    checkQualifiedName(name ?? '', at, errors)
    if (seen.has(name)) errors.push(duplicate(at, name))
    seen.add(name)
  }
}

function checkHostAliases(spec: PodSpec, path: string, errors: Errors): void {
  for (const [index, { ip, hostnames }] of (spec.hostAliases ?? []).entries()) {
    const at = `${path}.hostAliases[${index}]`
    checkIp(ip, `${at}.ip`, errors)
    for (const [host, name] of (hostnames ?? []).entries()) checkSubdomain(name, `${at}.hostnames[${host}]`, errors)
  }
}

interface ClaimShown {
  readonly name?: string
  readonly resourceClaimName?: string | null
  readonly resourceClaimTemplateName?: string | null
}

/** As upstream's message shows a claim. */
const shownClaim = ({ name = '', resourceClaimName = null, resourceClaimTemplateName = null }: ClaimShown) => ({
  Name: name,
  ResourceClaimName: resourceClaimName,
  ResourceClaimTemplateName: resourceClaimTemplateName,
})

function checkClaims(spec: PodSpec, path: string, errors: Errors): ReadonlySet<string> {
  if (!spec.resourceClaims) return NO_CLAIMS
  const names = new Set<string>()
  for (const [index, claim] of spec.resourceClaims.entries()) {
    const at = `${path}.resourceClaims[${index}]`
    if (!claim.name) errors.push(required(`${at}.name`))
    else if (names.has(claim.name)) errors.push(duplicate(`${at}.name`, claim.name))
    else checkLabelName(claim.name, `${at}.name`, errors)
    if (claim.name) names.add(claim.name)
    const sources = [claim.resourceClaimName, claim.resourceClaimTemplateName].filter(name => name !== undefined)
    const wanted = 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'
    if (sources.length === 0) errors.push(invalid(at, shownClaim(claim), wanted))
    else if (sources.length > 1) {
      errors.push(
        invalid(
          at,
          shownClaim(claim),
          'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified',
        ),
      )
    }
    for (const field of ['resourceClaimName', 'resourceClaimTemplateName'] as const) {
      if (claim[field] !== undefined) checkSubdomain(claim[field], `${at}.${field}`, errors)
    }
  }
  return names
}

/** Checks a spec with its defaults filled in. `isPod` is false for templates; `old` is what is stored. */
export function checkPodSpec(spec: PodSpec, isPod: boolean, path: string, errors: Errors, old?: PodSpec): void {
  const scope: PodScope = {
    spec,
    volumes: checkVolumes(spec.volumes, `${path}.volumes`, errors),
    claims: checkClaims(spec, path, errors),
    grace: spec.terminationGracePeriodSeconds ?? 30,
    hostUsers: spec.hostUsers ?? true,
  }
  checkContainers(scope, `${path}.containers`, errors)
  if (spec.initContainers) checkInitContainers(scope, `${path}.initContainers`, errors)
  checkEphemeralContainers(scope, `${path}.ephemeralContainers`, errors)
  checkFileKeyVolumes(spec, path, errors)
  checkHostNetwork(spec, isPod, path, errors)
  checkEnum(spec.restartPolicy, ['Always', 'OnFailure', 'Never'], `${path}.restartPolicy`, errors)
  checkDns(spec, path, errors)
  if (spec.nodeSelector) errors.push(...validateLabels(spec.nodeSelector, `${path}.nodeSelector`))
  checkPodSecurityContext(spec, old, path, errors)
  checkAffinity(spec.affinity, `${path}.affinity`, errors)
  checkGates(spec, path, errors)
  checkSpread(spec.topologySpreadConstraints, `${path}.topologySpreadConstraints`, errors)
  checkHostUsers(spec, path, errors)
  checkNames(spec, path, errors)
  const deadline = spec.activeDeadlineSeconds
  if (deadline !== undefined && (deadline < 1 || deadline > MAX_INT32)) {
    const wanted = `must be between 1 and ${MAX_INT32}, inclusive`
    errors.push(invalid(`${path}.activeDeadlineSeconds`, deadline, wanted))
  }
  checkTolerations(spec.tolerations, `${path}.tolerations`, errors)
  checkHostAliases(spec, path, errors)
  if (spec.preemptionPolicy !== undefined) {
    checkEnum(spec.preemptionPolicy, ['PreemptLowerPriority', 'Never'], `${path}.preemptionPolicy`, errors)
  }
  if (spec.overhead) checkRequirements({ limits: spec.overhead }, NO_CLAIMS, `${path}.overhead`, errors)
  checkPodResources(spec, `${path}.resources`, errors)
  checkOperatingSystem(spec, path, errors)
  if (spec.os && spec.os.name !== 'linux' && spec.os.name !== 'windows') {
    errors.push(
      spec.os.name ? notSupported(`${path}.os`, spec.os.name, ['linux', 'windows']) : required(`${path}.os.name`),
    )
  }
}

/** Checks a template with its defaults filled in. */
export function checkPodTemplate(template: PodTemplateSpec | undefined, path: string, errors: Errors): void {
  if (!template) {
    errors.push(required(`${path}.spec.containers`))
    return
  }
  const { labels, annotations } = template.metadata ?? {}
  if (labels) errors.push(...validateLabels(labels, `${path}.labels`))
  if (annotations) errors.push(...validateAnnotations(annotations, `${path}.annotations`))
  checkPodSpec(template.spec ?? { containers: [] }, false, `${path}.spec`, errors)
  if (template.spec?.ephemeralContainers?.length) {
    const why = 'ephemeral containers not allowed in pod template'
    errors.push(forbidden(`${path}.spec.ephemeralContainers`, why))
  }
}
