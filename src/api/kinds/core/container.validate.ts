/** Containers of a pod (k8s.io/kubernetes `pkg/apis/core/validation`: validateContainerCommon and those around it). */
import type {
  Container,
  ContainerPort,
  EnvFromSource,
  EnvVar,
  EphemeralContainer,
  PodSpec,
  Volume,
} from '../../generated/types/core-v1.ts'
import {
  duplicate,
  forbidden,
  invalid,
  notFound,
  notSupported,
  required,
  tooMany,
} from '../../machinery/field-error.ts'
import { isDns1123Subdomain, isEnvVarName, isPortName, isPortNumber } from '../../machinery/names.ts'
import type { Errors } from '../rules.ts'
import { checkEnum, checkFormat, checkLabelName, checkSupported } from '../rules.ts'
import { checkDescending, checkNoBacksteps } from './paths.validate.ts'
import { isSidecar } from './pod-containers.ts'
import { checkLifecycle, checkProbes } from './probe.validate.ts'
import { checkFieldRef, checkFileKeyRef, checkKeyRef, checkResourceRef, ENV_FIELDS } from './references.validate.ts'
import { checkRequirements } from './resources.validate.ts'
import { checkSecurityContext } from './security-context.validate.ts'

/** What a container's checks need of its pod. */
export interface PodScope {
  readonly spec: PodSpec
  /** The good volumes, by name. */
  readonly volumes: ReadonlyMap<string, Volume>
  /** Names of the pod's resource claims. */
  readonly claims: ReadonlySet<string>
  /** Termination grace period in seconds. */
  readonly grace: number
  readonly hostUsers: boolean
}

export const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
export const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never']
const MESSAGE_POLICIES = ['File', 'FallbackToLogsOnError']
const RULE_ACTIONS = ['Restart', 'RestartAllContainers']
const RULE_OPERATORS = ['In', 'NotIn']
const MAX_EXIT_CODES = 255
const RESTART_POLICIES = ['Always', 'Never', 'OnFailure']

function checkPorts(ports: readonly ContainerPort[] | undefined, path: string, errors: Errors): void {
  if (!ports) return
  const names = new Set<string>()
  for (const [index, port] of ports.entries()) {
    const at = `${path}[${index}]`
    if (port.name) {
      const problems = isPortName(port.name)
      if (problems.length) checkFormat(problems, port.name, `${at}.name`, errors)
      else if (names.has(port.name)) errors.push(duplicate(`${at}.name`, port.name))
      names.add(port.name)
    }
    if (!port.containerPort) errors.push(required(`${at}.containerPort`))
    else checkFormat(isPortNumber(port.containerPort), port.containerPort, `${at}.containerPort`, errors)
    if (port.hostPort) checkFormat(isPortNumber(port.hostPort), port.hostPort, `${at}.hostPort`, errors)
    checkEnum(port.protocol, PROTOCOLS, `${at}.protocol`, errors)
  }
}

function checkValueFrom({ value, valueFrom }: EnvVar, path: string, errors: Errors): void {
  if (!valueFrom) return
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = valueFrom
  const sources = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(Boolean).length
  if (fieldRef) checkFieldRef(fieldRef, ENV_FIELDS, `${path}.fieldRef`, errors)
  if (resourceFieldRef) checkResourceRef(resourceFieldRef, false, `${path}.resourceFieldRef`, errors)
  if (configMapKeyRef) checkKeyRef(configMapKeyRef, `${path}.configMapKeyRef`, errors)
  if (secretKeyRef) checkKeyRef(secretKeyRef, `${path}.secretKeyRef`, errors)
  if (fileKeyRef) checkFileKeyRef(fileKeyRef, `${path}.fileKeyRef`, errors)
  if (!sources) {
    const wanted =
      'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'
    errors.push(invalid(path, '', wanted))
  } else if (value) errors.push(invalid(path, '', 'may not be specified when `value` is not empty'))
  else if (sources > 1) errors.push(invalid(path, '', 'may not have more than one field specified at a time'))
}

function checkEnv(env: readonly EnvVar[] | undefined, path: string, errors: Errors): void {
  if (!env) return
  for (const [index, variable] of env.entries()) {
    const at = `${path}[${index}]`
    if (!variable.name) errors.push(required(`${at}.name`))
    else checkFormat(isEnvVarName(variable.name), variable.name, `${at}.name`, errors)
    if (variable.valueFrom) checkValueFrom(variable, `${at}.valueFrom`, errors)
  }
}

function checkEnvFrom(sources: readonly EnvFromSource[] | undefined, path: string, errors: Errors): void {
  for (const [index, { prefix, configMapRef, secretRef }] of (sources ?? []).entries()) {
    const at = `${path}[${index}]`
    if (prefix) checkFormat(isEnvVarName(prefix), prefix, `${at}.prefix`, errors)
    for (const [field, ref] of Object.entries({ configMapRef, secretRef })) {
      if (!ref) continue
      if (!ref.name) errors.push(required(`${at}.${field}.name`))
      else checkFormat(isDns1123Subdomain(ref.name), ref.name, `${at}.${field}.name`, errors)
    }
    if (!configMapRef && !secretRef) {
      errors.push(invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`'))
    } else if (configMapRef && secretRef) {
      errors.push(invalid(path, '', 'may not have more than one field specified at a time'))
    }
  }
}

function checkMounts(container: Container, scope: PodScope, path: string, errors: Errors): void {
  if (!container.volumeMounts) return
  const seen = new Set<string>()
  const devices = container.volumeDevices ?? []
  for (const [index, mount] of container.volumeMounts.entries()) {
    const at = `${path}[${index}]`
    const { name = '', mountPath = '', subPath, subPathExpr } = mount
    if (!name) errors.push(required(`${at}.name`))
    if (!scope.volumes.has(name)) errors.push(notFound(`${at}.name`, name))
    if (!mountPath) errors.push(required(`${at}.mountPath`))
    if (seen.has(mountPath)) errors.push(invalid(`${at}.mountPath`, mountPath, 'must be unique'))
    seen.add(mountPath)
    if (devices.some(device => device.name === name)) {
      errors.push(invalid(`${at}.name`, name, 'must not already exist in volumeDevices'))
    }
    if (devices.some(device => device.devicePath === mountPath)) {
      errors.push(invalid(`${at}.mountPath`, mountPath, 'must not already exist as a path in volumeDevices'))
    }
    if (subPath) checkDescending(subPath, `${path}.subPath`, errors)
    if (subPathExpr) {
      if (subPath) {
        errors.push(invalid(`${at}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive'))
      }
      checkDescending(subPathExpr, `${path}.subPathExpr`, errors)
    }
    checkPropagation(container, mount, path, errors)
  }
}

const PROPAGATIONS = ['Bidirectional', 'HostToContainer', 'None']

function checkPropagation(
  { securityContext }: Container,
  { mountPropagation, recursiveReadOnly, readOnly }: NonNullable<Container['volumeMounts']>[number],
  path: string,
  errors: Errors,
): void {
  if (mountPropagation !== undefined) {
    const at = `${path}.mountPropagation`
    checkSupported(mountPropagation, PROPAGATIONS, at, errors)
    if (mountPropagation === 'Bidirectional' && !securityContext?.privileged) {
      errors.push(forbidden(at, 'Bidirectional mount propagation is available only to privileged containers'))
    }
  }
  if (recursiveReadOnly === undefined || recursiveReadOnly === 'Disabled') return
  const at = `${path}.recursiveReadOnly`
  if (recursiveReadOnly !== 'Enabled' && recursiveReadOnly !== 'IfPossible') {
    errors.push(notSupported(at, recursiveReadOnly, ['Disabled', 'Enabled', 'IfPossible']))
    return
  }
  if (!readOnly) errors.push(forbidden(at, 'may only be specified when readOnly is true'))
  if (mountPropagation !== undefined && mountPropagation !== 'None') {
    errors.push(forbidden(at, 'may only be specified when mountPropagation is None or not specified'))
  }
}

function checkDevices(container: Container, scope: PodScope, path: string, errors: Errors): void {
  const names = new Set<string>()
  const paths = new Set<string>()
  const mounts = container.volumeMounts ?? []
  for (const [index, { name = '', devicePath = '' }] of (container.volumeDevices ?? []).entries()) {
    const at = `${path}[${index}]`
    const volume = scope.volumes.get(name)
    if (!name) errors.push(required(`${at}.name`))
    if (names.has(name)) errors.push(invalid(`${at}.name`, name, 'must be unique'))
    if (!volume) errors.push(notFound(`${at}.name`, name))
    else if (!volume.persistentVolumeClaim && !volume.ephemeral) {
      const wanted = 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode'
      errors.push(invalid(`${at}.name`, name, wanted))
    }
    if (!devicePath) errors.push(required(`${at}.devicePath`))
    if (paths.has(devicePath)) errors.push(invalid(`${at}.devicePath`, devicePath, 'must be unique'))
    if (mounts.some(mount => mount.name === name)) {
      errors.push(invalid(`${at}.name`, name, 'must not already exist in volumeMounts'))
    }
    if (mounts.some(mount => mount.mountPath === devicePath)) {
      errors.push(invalid(`${at}.devicePath`, devicePath, 'must not already exist as a path in volumeMounts'))
    }
    checkNoBacksteps(devicePath, `${at}.devicePath`, errors)
    names.add(name)
    paths.add(devicePath)
  }
}

function checkCommon(container: Container, scope: PodScope, path: string, errors: Errors): void {
  if (!container.name) errors.push(required(`${path}.name`))
  else checkLabelName(container.name, `${path}.name`, errors)
  if (!container.image) errors.push(required(`${path}.image`))
  checkEnum(container.terminationMessagePolicy, MESSAGE_POLICIES, `${path}.terminationMessagePolicy`, errors)
  checkPorts(container.ports, `${path}.ports`, errors)
  checkEnv(container.env, `${path}.env`, errors)
  checkEnvFrom(container.envFrom, `${path}.envFrom`, errors)
  checkMounts(container, scope, `${path}.volumeMounts`, errors)
  checkDevices(container, scope, `${path}.volumeDevices`, errors)
  checkEnum(container.imagePullPolicy, PULL_POLICIES, `${path}.imagePullPolicy`, errors)
  checkRequirements(container.resources, scope.claims, `${path}.resources`, errors)
  checkResizePolicy(container, scope, `${path}.resizePolicy`, errors)
  checkSecurityContext(container.securityContext, scope.hostUsers, `${path}.securityContext`, errors)
}

function checkResizePolicy({ resizePolicy }: Container, scope: PodScope, path: string, errors: Errors): void {
  const seen = new Set<string>()
  for (const [index, { resourceName, restartPolicy }] of (resizePolicy ?? []).entries()) {
    if (seen.has(resourceName)) errors.push(duplicate(`${path}[${index}]`, resourceName))
    seen.add(resourceName)
    checkEnum(resourceName, ['cpu', 'memory'], path, errors)
    checkEnum(restartPolicy, ['NotRequired', 'RestartContainer'], path, errors)
    if (scope.spec.restartPolicy === 'Never' && restartPolicy !== 'NotRequired') {
      const wanted = "must be 'NotRequired' when pod `restartPolicy` is 'Never'"
      errors.push(invalid(path, restartPolicy ?? '', wanted))
    }
  }
}

const rulesWithoutPolicy = (path: string) =>
  required(`${path}.restartPolicy`, 'must specify restartPolicy when restart rules are used')

function checkRestartPolicy(container: Container, path: string, errors: Errors): void {
  const { restartPolicy, restartPolicyRules: rules = [] } = container
  if (restartPolicy === undefined) {
    if (rules.length) {
      errors.push(rulesWithoutPolicy(path))
    }
  }
  checkSupported(restartPolicy, RESTART_POLICIES, `${path}.restartPolicy`, errors)
  if (rules.length > 20) errors.push(tooMany(`${path}.restartPolicyRules`, rules.length, 20))
  for (const [index, { action = '', exitCodes }] of rules.entries()) {
    const rule = `${path}.restartPolicyRules[${index}]`
    const at = `${rule}.exitCodes`
    checkSupported(action, RULE_ACTIONS, `${rule}.action`, errors)
    if (!exitCodes) errors.push(required(at, 'must be specified'))
    else {
      const { operator = '', values = [] } = exitCodes
      checkSupported(operator, RULE_OPERATORS, `${at}.operator`, errors)
      if (values.length > MAX_EXIT_CODES) errors.push(tooMany(`${at}.values`, values.length, MAX_EXIT_CODES))
    }
  }
}

/** Two ports of one pod cannot be the same port of the node. */
function checkHostPorts(containers: readonly Container[], path: string, errors: Errors): void {
  let seen: Set<string> | undefined
  for (const [index, { ports }] of containers.entries()) {
    for (const [at, { hostPort, hostIP = '', protocol = '' }] of (ports ?? []).entries()) {
      if (!hostPort) continue
      seen ??= new Set()
      const key = `${protocol}/${hostIP}/${hostPort}`
      if (seen.has(key)) errors.push(duplicate(`${path}[${index}].ports[${at}].hostPort`, key))
      seen.add(key)
    }
  }
}

/** spec.containers. */
export function checkContainers(scope: PodScope, path: string, errors: Errors): void {
  const containers = scope.spec.containers ?? []
  if (!containers.length) errors.push(required(path))
  const names = new Set<string>()
  for (const [index, container] of containers.entries()) {
    const at = `${path}[${index}]`
    checkCommon(container, scope, at, errors)
    if (names.has(container.name)) errors.push(duplicate(`${at}.name`, container.name))
    names.add(container.name)
    checkLifecycle(container.lifecycle, scope.grace, scope.spec.os?.name, `${at}.lifecycle`, errors)
    checkProbes(container, scope.grace, at, errors)
    checkRestartPolicy(container, at, errors)
  }
  checkHostPorts(containers, path, errors)
}

const SIDECAR_ONLY = ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const

/** spec.initContainers: those that stay (restartPolicy Always) may have probes and hooks. */
export function checkInitContainers(scope: PodScope, path: string, errors: Errors): void {
  const names = new Set((scope.spec.containers ?? []).map(({ name }) => name))
  for (const [index, container] of (scope.spec.initContainers ?? []).entries()) {
    const at = `${path}[${index}]`
    checkCommon(container, scope, at, errors)
    if (container.restartPolicy !== undefined) checkRestartPolicy(container, at, errors)
    else if (container.restartPolicyRules?.length) errors.push(rulesWithoutPolicy(at))
    if (names.has(container.name)) errors.push(duplicate(`${at}.name`, container.name))
    if (container.name) names.add(container.name)
    checkHostPorts([container], path, errors)
    if (isSidecar(container)) {
      checkLifecycle(container.lifecycle, scope.grace, scope.spec.os?.name, `${at}.lifecycle`, errors)
      checkProbes(container, scope.grace, at, errors)
      continue
    }
    for (const field of SIDECAR_ONLY) {
      if (container[field]) {
        errors.push(forbidden(`${at}.${field}`, 'may not be set for init containers without restartPolicy=Always'))
      }
    }
  }
}

const NOT_EPHEMERAL = [
  'ports',
  'resources',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
  'resizePolicy',
  'restartPolicy',
] as const

/** spec.ephemeralContainers: added to a running pod to look into it. */
export function checkEphemeralContainers(scope: PodScope, path: string, errors: Errors): void {
  const ephemeral: readonly EphemeralContainer[] = scope.spec.ephemeralContainers ?? []
  if (!ephemeral.length) return
  const others = new Set(
    [...(scope.spec.containers ?? []), ...(scope.spec.initContainers ?? [])].map(({ name }) => name),
  )
  const names = new Set(others)
  for (const [index, container] of ephemeral.entries()) {
    const at = `${path}[${index}]`
    checkCommon(container as Container, scope, at, errors)
    if (names.has(container.name)) errors.push(duplicate(`${at}.name`, container.name))
    names.add(container.name)
    const target = container.targetContainerName
    if (target && !others.has(target)) errors.push(notFound(`${at}.targetContainerName`, target))
    const cannot = 'cannot be set for an Ephemeral Container'
    for (const field of NOT_EPHEMERAL) {
      const value = container[field]
      if (value !== undefined && Object.keys(value).length) errors.push(forbidden(`${at}.${field}`, cannot))
    }
    for (const [mount, { subPath, subPathExpr }] of (container.volumeMounts ?? []).entries()) {
      if (subPath) errors.push(forbidden(`${at}.volumeMounts[${mount}].subPath`, cannot))
      if (subPathExpr) errors.push(forbidden(`${at}.volumeMounts[${mount}].subPathExpr`, cannot))
    }
  }
}
