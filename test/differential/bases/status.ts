/** A status of each kind that has one, with all that can be said in it. */
import { type Json, NAMESPACE, SELECTOR } from './base.ts'

const TIME = '2026-01-01T00:00:00Z'
const condition = { type: 'Ready', status: 'True', lastTransitionTime: TIME, reason: 'Test', message: 'words' }
const observed = { ...condition, observedGeneration: 1 }
const updated = { ...condition, lastUpdateTime: TIME }
const probed = { ...condition, lastProbeTime: TIME }
const replicas = { replicas: 3, readyReplicas: 2, availableReplicas: 1, observedGeneration: 1 }
const state = { running: { startedAt: TIME } }
const ended = {
  terminated: { exitCode: 1, reason: 'Error', message: 'm', startedAt: TIME, finishedAt: TIME, signal: 9 },
}
const container = {
  name: 'c',
  state,
  lastState: ended,
  ready: true,
  restartCount: 1,
  image: 'nginx',
  imageID: 'sha256:x',
  containerID: 'x://y',
  started: true,
  allocatedResources: { cpu: '1' },
  resources: { limits: { cpu: '1' } },
  volumeMounts: [{ name: 'v', mountPath: '/v', readOnly: true, recursiveReadOnly: 'Disabled' }],
  user: { linux: { uid: 1, gid: 2, supplementalGroups: [3] } },
  allocatedResourcesStatus: [{ name: 'example.com/gpu', resources: [{ resourceID: 'x', health: 'Healthy' }] }],
}
const balancer = {
  loadBalancer: {
    ingress: [
      { ip: '1.2.3.4', hostname: 'h.example.com', ipMode: 'VIP', ports: [{ port: 80, protocol: 'TCP', error: 'E' }] },
    ],
  },
}
const { ipMode: _, ...ingressPoint } = balancer.loadBalancer.ingress[0]!
const metricStatus = { name: 'm', selector: SELECTOR }

/** By apiVersion and kind. */
export const statuses: Readonly<Record<string, Json>> = {
  'v1 Pod': {
    observedGeneration: 1,
    phase: 'Running',
    conditions: [{ ...probed, observedGeneration: 1 }],
    message: 'm',
    reason: 'R',
    nominatedNodeName: 'n',
    hostIP: '10.0.0.1',
    hostIPs: [{ ip: '10.0.0.1' }],
    podIP: '10.1.0.1',
    podIPs: [{ ip: '10.1.0.1' }],
    startTime: TIME,
    initContainerStatuses: [],
    containerStatuses: [container],
    qosClass: 'BestEffort',
    resize: '',
  },
  'v1 Service': { ...balancer, conditions: [observed] },
  'v1 Namespace': { phase: 'Active', conditions: [condition] },
  'v1 Node': {
    capacity: { cpu: '4', memory: '8Gi' },
    allocatable: { cpu: '3', memory: '7Gi' },
    phase: 'Running',
    conditions: [{ ...condition, lastHeartbeatTime: TIME }],
    addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
    daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
    nodeInfo: {
      machineID: 'm',
      systemUUID: 's',
      bootID: 'b',
      kernelVersion: 'k',
      osImage: 'o',
      containerRuntimeVersion: 'c',
      kubeletVersion: 'v',
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: 'amd64',
      swap: { capacity: 1 },
    },
    images: [{ names: ['x'], sizeBytes: 5 }],
    volumesInUse: ['v'],
    volumesAttached: [{ name: 'v', devicePath: '/dev/x' }],
    config: { error: 'x' },
    runtimeHandlers: [{ name: 'x', features: { recursiveReadOnlyMounts: true, userNamespaces: true } }],
    features: { supplementalGroupsPolicy: true },
    declaredFeatures: ['A'],
  },
  'v1 PersistentVolume': { phase: 'Available', message: 'm', reason: 'R', lastPhaseTransitionTime: TIME },
  'v1 PersistentVolumeClaim': {
    phase: 'Bound',
    accessModes: ['ReadWriteOnce'],
    capacity: { storage: '1Gi' },
    conditions: [probed],
    allocatedResources: { storage: '1Gi' },
    allocatedResourceStatuses: { storage: 'ControllerResizeInProgress' },
    currentVolumeAttributesClassName: 'x',
    modifyVolumeStatus: { targetVolumeAttributesClassName: 'y', status: 'Pending' },
  },
  'v1 ReplicationController': { ...replicas, fullyLabeledReplicas: 1, conditions: [condition] },
  'v1 ResourceQuota': { hard: { pods: '5' }, used: { pods: '1' } },
  'apps/v1 Deployment': {
    ...replicas,
    updatedReplicas: 2,
    unavailableReplicas: 1,
    terminatingReplicas: 1,
    conditions: [updated],
    collisionCount: 1,
  },
  'apps/v1 ReplicaSet': { ...replicas, fullyLabeledReplicas: 1, terminatingReplicas: 1, conditions: [condition] },
  'apps/v1 StatefulSet': {
    ...replicas,
    currentReplicas: 1,
    updatedReplicas: 1,
    currentRevision: 'a',
    updateRevision: 'b',
    collisionCount: 1,
    conditions: [condition],
  },
  'apps/v1 DaemonSet': {
    currentNumberScheduled: 1,
    numberMisscheduled: 1,
    desiredNumberScheduled: 1,
    numberReady: 1,
    observedGeneration: 1,
    updatedNumberScheduled: 1,
    numberAvailable: 1,
    numberUnavailable: 1,
    collisionCount: 1,
    conditions: [condition],
  },
  'batch/v1 Job': {
    startTime: TIME,
    active: 1,
    ready: 1,
    succeeded: 0,
    failed: 1,
    terminating: 0,
    uncountedTerminatedPods: { succeeded: ['a'], failed: ['b'] },
    conditions: [{ ...probed, type: 'Suspended' }],
  },
  'batch/v1 CronJob': {
    active: [{ kind: 'Job', name: 'j', namespace: NAMESPACE, apiVersion: 'batch/v1', uid: 'u' }],
    lastScheduleTime: TIME,
    lastSuccessfulTime: TIME,
  },
  'autoscaling/v2 HorizontalPodAutoscaler': {
    observedGeneration: 1,
    lastScaleTime: TIME,
    currentReplicas: 1,
    desiredReplicas: 2,
    currentMetrics: [
      { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 5, averageValue: '1' } } },
      { type: 'Pods', pods: { metric: metricStatus, current: { averageValue: '1' } } },
    ],
    conditions: [condition],
  },
  'autoscaling/v1 HorizontalPodAutoscaler': {
    observedGeneration: 1,
    lastScaleTime: TIME,
    currentReplicas: 1,
    desiredReplicas: 2,
    currentCPUUtilizationPercentage: 5,
  },
  'policy/v1 PodDisruptionBudget': {
    observedGeneration: 1,
    disruptedPods: { p: TIME },
    disruptionsAllowed: 1,
    currentHealthy: 1,
    desiredHealthy: 1,
    expectedPods: 1,
    conditions: [observed],
  },
  'networking.k8s.io/v1 Ingress': { loadBalancer: { ingress: [ingressPoint] } },
  'networking.k8s.io/v1 ServiceCIDR': { conditions: [observed] },
  'storage.k8s.io/v1 VolumeAttachment': {
    attached: true,
    attachmentMetadata: { a: 'b' },
    attachError: { time: TIME, message: 'm', errorCode: 1 },
    detachError: { time: TIME, message: 'm' },
  },
  'certificates.k8s.io/v1 CertificateSigningRequest': { conditions: [{ ...updated, type: 'Failed' }] },
  'flowcontrol.apiserver.k8s.io/v1 FlowSchema': { conditions: [condition] },
  'flowcontrol.apiserver.k8s.io/v1 PriorityLevelConfiguration': { conditions: [condition] },
  'admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy': {
    observedGeneration: 1,
    typeChecking: { expressionWarnings: [{ fieldRef: 'spec', warning: 'w' }] },
    conditions: [observed],
  },
  'resource.k8s.io/v1 ResourceClaim': {
    allocation: {
      devices: { results: [{ request: 'one', driver: 'x.io', pool: 'p', device: 'd' }] },
      nodeSelector: {
        nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }] }],
      },
      allocationTimestamp: TIME,
    },
    reservedFor: [{ resource: 'pods', name: 'p', uid: 'u' }],
    devices: [
      {
        driver: 'x.io',
        pool: 'p',
        device: 'd',
        conditions: [observed],
        data: { a: 1 },
        networkData: { interfaceName: 'e', ips: ['10.0.0.1/24'], hardwareAddress: 'aa:bb:cc:dd:ee:ff' },
      },
    ],
  },
}
