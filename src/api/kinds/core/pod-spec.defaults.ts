/**
 * Defaults of everything that holds a pod: the fields of PodSpec that Kubernetes fills in templates as well as in
 * pods, and those of pods alone (k8s.io/kubernetes `pkg/apis/core/v1/defaults.go`). All fill in place.
 */
import type {
  Container,
  LifecycleHandler,
  PersistentVolumeClaimTemplate,
  PodSpec,
  Probe,
  ResourceRequirements,
  Volume,
  VolumeProjection,
} from '../../generated/types/core-v1.ts'
import { imageTag } from './image-name.ts'
import { defaultPodResources } from './pod-resources.ts'
import { canonicalResources } from './resources.ts'

/** The permissions of files in config map, secret, downward API and projected volumes: 0644. */
const FILE_MODE = 0o644

const pullPolicy = (image: string) => (imageTag(image) === 'latest' ? 'Always' : 'IfNotPresent')

function defaultHttpGet(handler: LifecycleHandler | undefined | null): void {
  const get = handler?.httpGet
  if (!get) return
  get.path ||= '/'
  get.scheme ||= 'HTTP'
}

function defaultProbe(probe: Probe | undefined | null): void {
  if (!probe) return
  defaultHttpGet(probe)
  if (probe.grpc) probe.grpc.service ??= ''
  probe.timeoutSeconds ||= 1
  probe.periodSeconds ||= 10
  probe.successThreshold ||= 1
  probe.failureThreshold ||= 3
}

/** Amounts in their canonical form, in place. */
export function canonicalRequirements(resources: ResourceRequirements | undefined | null): void {
  canonicalResources(resources?.limits)
  canonicalResources(resources?.requests)
}

function defaultContainer(container: Container): void {
  container.imagePullPolicy ||= pullPolicy(container.image ?? '')
  container.terminationMessagePath ||= '/dev/termination-log'
  container.terminationMessagePolicy ||= 'File'
  container.resources ??= {}
  canonicalRequirements(container.resources)
  for (const port of container.ports ?? []) port.protocol ||= 'TCP'
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.fieldRef) valueFrom.fieldRef.apiVersion ||= 'v1'
    if (valueFrom?.resourceFieldRef) valueFrom.resourceFieldRef.divisor ??= '0'
    if (valueFrom?.fileKeyRef) valueFrom.fileKeyRef.optional ??= false
  }
  defaultProbe(container.livenessProbe)
  defaultProbe(container.readinessProbe)
  defaultProbe(container.startupProbe)
  defaultHttpGet(container.lifecycle?.postStart)
  defaultHttpGet(container.lifecycle?.preStop)
}

function defaultProjection(source: VolumeProjection): void {
  if (source.serviceAccountToken) source.serviceAccountToken.expirationSeconds ??= 3600
  for (const item of source.downwardAPI?.items ?? []) {
    if (item.fieldRef) item.fieldRef.apiVersion ||= 'v1'
    if (item.resourceFieldRef) item.resourceFieldRef.divisor ??= '0'
  }
}

/** Defaults of a claim made for one pod. */
function defaultClaimTemplate(template: PersistentVolumeClaimTemplate | undefined): void {
  if (!template?.spec) return
  template.spec.volumeMode ??= 'Filesystem'
  canonicalRequirements(template.spec.resources)
}

/** Does the volume name a source? A volume without one is an emptyDir. */
const hasSource = (volume: Volume) => {
  for (const key in volume) if (key !== 'name' && volume[key as keyof Volume] != null) return true
  return false
}

function defaultVolume(volume: Volume): void {
  if (!hasSource(volume)) volume.emptyDir = {}
  if (volume.secret) volume.secret.defaultMode ??= FILE_MODE
  if (volume.configMap) volume.configMap.defaultMode ??= FILE_MODE
  if (volume.hostPath) volume.hostPath.type ??= ''
  if (volume.image) volume.image.pullPolicy ||= pullPolicy(volume.image.reference ?? '')
  if (volume.downwardAPI) {
    volume.downwardAPI.defaultMode ??= FILE_MODE
    defaultProjection({ downwardAPI: volume.downwardAPI })
  }
  if (volume.projected) {
    volume.projected.defaultMode ??= FILE_MODE
    for (const source of volume.projected.sources ?? []) defaultProjection(source)
  }
  if (volume.ephemeral) defaultClaimTemplate(volume.ephemeral.volumeClaimTemplate)
  if (volume.iscsi) volume.iscsi.iscsiInterface ||= 'default'
  if (volume.rbd) {
    volume.rbd.pool ||= 'rbd'
    volume.rbd.user ||= 'admin'
    volume.rbd.keyring ||= '/etc/ceph/keyring'
  }
  if (volume.azureDisk) {
    volume.azureDisk.cachingMode ??= 'ReadWrite'
    volume.azureDisk.fsType ??= 'ext4'
    volume.azureDisk.readOnly ??= false
    volume.azureDisk.kind ??= 'Shared'
  }
  if (volume.scaleIO) {
    volume.scaleIO.storageMode ||= 'ThinProvisioned'
    volume.scaleIO.fsType ||= 'xfs'
  }
}

/** What a template's pod spec gets. */
export function defaultPodSpec(spec: PodSpec | undefined | null): void {
  if (!spec) return
  spec.dnsPolicy ||= 'ClusterFirst'
  spec.restartPolicy ||= 'Always'
  spec.securityContext ??= {}
  spec.terminationGracePeriodSeconds ??= 30
  spec.schedulerName ||= 'default-scheduler'
  // serviceAccount is the field's deprecated name; upstream keeps both equal.
  const account = spec.serviceAccountName || spec.serviceAccount
  if (account) spec.serviceAccountName = spec.serviceAccount = account
  for (const container of spec.containers ?? []) defaultContainer(container)
  for (const container of spec.initContainers ?? []) defaultContainer(container)
  for (const container of spec.ephemeralContainers ?? []) defaultContainer(container as Container)
  for (const volume of spec.volumes ?? []) defaultVolume(volume)
  canonicalResources(spec.overhead)
  canonicalRequirements(spec.resources)
}

/** With the node's network a container's port is the node's. */
function defaultHostPorts(containers: Container[] | undefined): void {
  for (const { ports } of containers ?? []) for (const port of ports ?? []) port.hostPort ||= port.containerPort
}

/** Requests that are not there are what the limits say. */
function defaultRequests(containers: Container[] | undefined): void {
  for (const { resources } of containers ?? []) {
    const { limits } = resources ?? {}
    if (limits && Object.keys(limits).length) resources!.requests = { ...limits, ...resources!.requests }
  }
}

/** What only a pod gets, on top of defaultPodSpec. */
export function defaultPodOnly(spec: PodSpec | undefined | null): void {
  if (!spec) return
  defaultRequests(spec.containers)
  defaultRequests(spec.initContainers)
  defaultPodResources(spec)
  spec.enableServiceLinks ??= true
  if (spec.hostNetwork) {
    defaultHostPorts(spec.containers)
    defaultHostPorts(spec.initContainers)
  }
}
