/** What only pods of one operating system can have (k8s.io/kubernetes `pkg/apis/core/validation`). */
import type { Container, PodSpec, WindowsSecurityContextOptions } from '../../generated/types/core-v1.ts'
import { forbidden, invalid } from '../../machinery/field-error.ts'
import { checkSubdomain, type Errors } from '../rules.ts'
import { containersOf } from './pod-containers.ts'

const NOT_ON_WINDOWS = 'cannot be set for a windows pod'
const NOT_ON_LINUX = 'windows options cannot be set for a linux pod'

/** Fields of a pod's security context that are for Linux. */
const POD_FIELDS = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'fsGroup',
  'fsGroupChangePolicy',
  'sysctls',
  'runAsUser',
  'runAsGroup',
  'supplementalGroups',
  'supplementalGroupsPolicy',
  'seLinuxChangePolicy',
] as const
const POD_SPEC_FIELDS = ['hostUsers', 'hostPID', 'hostIPC', 'shareProcessNamespace'] as const

/** The same of a container's. */
const CONTAINER_FIELDS = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
] as const

function checkWindows(spec: PodSpec, path: string, errors: Errors): void {
  const { securityContext } = spec
  for (const field of POD_FIELDS) {
    const value = securityContext?.[field]
    if (value === undefined || (field === 'sysctls' && !(value as unknown[]).length)) continue
    errors.push(forbidden(`${path}.securityContext.${field}`, NOT_ON_WINDOWS))
  }
  for (const field of POD_SPEC_FIELDS) {
    const flag = field === 'hostPID' || field === 'hostIPC'
    if (flag ? spec[field] : spec[field] !== undefined) errors.push(forbidden(`${path}.${field}`, NOT_ON_WINDOWS))
  }
}

const MAX_SPEC = 64 * 1024
const MAX_DOMAIN = 256
const MAX_USER = 104
const NET_BIOS = /^[^\\/:*?|"<>.][^\\/:*?|"<>]{0,14}$/
const DOMAIN =
  /^([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(\.([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*$/

/** What is wrong with `user` or `domain\user`. */
function userProblems(name: string): string[] {
  if (name === '') return ['runAsUserName cannot be an empty string']
  if (/\p{Cc}/u.test(name)) return ['runAsUserName cannot contain control characters']
  const parts = name.split('\\')
  if (parts.length > 2) return ['runAsUserName cannot contain more than one backslash']
  const user = parts.at(-1)!
  const domain = parts.length === 2 ? parts[0]! : undefined
  const problems: string[] = []
  if ((domain ?? '').length >= MAX_DOMAIN) {
    problems.push(`runAsUserName's Domain length must be under ${MAX_DOMAIN} characters`)
  }
  if (domain !== undefined && !NET_BIOS.test(domain) && !DOMAIN.test(domain)) {
    problems.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format")
  }
  if (user === '') problems.push("runAsUserName's User cannot be empty")
  else if (user.length > MAX_USER) {
    problems.push(`runAsUserName's User length must not be longer than ${MAX_USER} characters`)
  }
  if (/^[. ]+$/.test(user)) problems.push("runAsUserName's User cannot contain only periods or spaces")
  if (/["/\\:;|=,+*?<>@[\]]/.test(user)) {
    problems.push('runAsUserName\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]')
  }
  return problems
}

function checkOptions(options: WindowsSecurityContextOptions | undefined, path: string, errors: Errors): void {
  if (!options) return
  const { gmsaCredentialSpecName: name, gmsaCredentialSpec: credentials, runAsUserName: user } = options
  if (name !== undefined) checkSubdomain(name, `${path}.gmsaCredentialSpecName`, errors)
  const at = `${path}.gmsaCredentialSpec`
  if (credentials === '') errors.push(invalid(at, credentials, 'gmsaCredentialSpec cannot be an empty string'))
  else if (credentials && credentials.length > MAX_SPEC) {
    errors.push(invalid(at, credentials, `gmsaCredentialSpec size must be under ${MAX_SPEC / 1024} KiB`))
  }
  if (user === undefined) return
  for (const problem of userProblems(user)) errors.push(invalid(`${path}.runAsUserName`, user, problem))
}

/** Containers that are processes of a Windows node: all of a pod's are, or none, and they use the node's network. */
function checkHostProcess(spec: PodSpec, path: string, errors: Errors): void {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess
  const all = containersOf(spec, path)
  let host = 0
  for (const [{ securityContext }, container] of all) {
    const own = securityContext?.windowsOptions?.hostProcess
    if (ofPod !== undefined && own !== undefined && ofPod !== own) {
      const at = `${container}.securityContext.windowsOptions.hostProcess`
      const wanted = `pod hostProcess value must be identical if both are specified, was ${ofPod}`
      errors.push(invalid(at, own, wanted))
    }
    if (own ?? ofPod) host++
  }
  if (!host) return
  if (host !== all.length) {
    const wanted = 'If pod contains any hostProcess containers then all containers must be HostProcess containers'
    errors.push(invalid(path, '', wanted))
  }
  if (spec.hostNetwork) return
  errors.push(
    invalid(`${path}.hostNetwork`, false, 'hostNetwork must be true if pod contains any hostProcess containers'),
  )
}

/** Checks a pod's and its containers' security contexts against the operating system that the pod names, if it does. */
export function checkOperatingSystem(spec: PodSpec, path: string, errors: Errors): void {
  const os = spec.os?.name
  const contexts: [Container['securityContext'] | PodSpec['securityContext'], string][] = [
    [spec.securityContext, `${path}.securityContext`],
  ]
  if (os === 'windows') checkWindows(spec, path, errors)
  checkHostProcess(spec, path, errors)
  for (const [{ securityContext }, container] of containersOf(spec, path)) {
    const at = `${container}.securityContext`
    contexts.push([securityContext, at])
    if (os !== 'windows') continue
    for (const each of CONTAINER_FIELDS) {
      if (securityContext?.[each] !== undefined) errors.push(forbidden(`${at}.${each}`, NOT_ON_WINDOWS))
    }
  }
  for (const [context, at] of contexts) {
    checkOptions(context?.windowsOptions, `${at}.windowsOptions`, errors)
    if (os === 'linux' && context?.windowsOptions) errors.push(forbidden(`${at}.windowsOptions`, NOT_ON_LINUX))
  }
}
