import { type Base, basesOf, CONTAINER, NAMESPACE, TEMPLATE } from './base.ts'
import { oldVolumes, pods } from './pod.ts'

const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1024Mi' } } }
const volume = { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' } }
const secretRef = { name: 's', namespace: NAMESPACE }

/** Sources of persistent volumes that pods do not have in the same form. */
const persistentSources = {
  csi: {
    driver: 'x.io',
    volumeHandle: 'h',
    readOnly: true,
    fsType: 'ext4',
    volumeAttributes: { a: 'b' },
    controllerPublishSecretRef: secretRef,
    nodeStageSecretRef: secretRef,
    nodePublishSecretRef: secretRef,
    controllerExpandSecretRef: secretRef,
    nodeExpandSecretRef: secretRef,
  },
  local: { path: '/x', fsType: 'ext4' },
  nfs: { server: 's', path: '/p' },
  hostPath: { path: '/x', type: '' },
  fc: { wwids: ['w'] },
  iscsi: { targetPortal: '1.2.3.4', iqn: 'iqn.2001-04.com.example:x', lun: 0 },
}
/** Sources of pods whose secrets have no namespace there. */
const NAMELESS = new Set(['gitRepo', 'rbd', 'flexVolume', 'cinder', 'cephfs', 'scaleIO', 'storageos', 'azureFile'])
const oldSources = oldVolumes
  .map(({ name: _, ...source }) => Object.entries(source)[0]!)
  .filter(([type]) => !NAMELESS.has(type))

const affinity = {
  required: {
    nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['n'] }] }],
  },
}

export const core: Base[] = [
  ...basesOf('v1', 'ConfigMap', 'namespaced', {
    minimal: { data: { key: 'value' } },
    full: { data: { key: 'value', other: 'x' }, binaryData: { bytes: 'AAEC' }, immutable: false },
    frozen: { data: { key: 'value' }, binaryData: { bytes: 'AAEC' }, immutable: true },
  }),
  ...basesOf('v1', 'Secret', 'namespaced', {
    minimal: { data: { key: 'dmFsdWU=' } },
    full: { type: 'example.com/x', data: { key: 'dmFsdWU=' }, stringData: { other: 'y' }, immutable: false },
    frozen: { data: { key: 'dmFsdWU=' }, immutable: true },
    tls: { type: 'kubernetes.io/tls', data: { 'tls.crt': 'YQ==', 'tls.key': 'YQ==' } },
    basic: { type: 'kubernetes.io/basic-auth', data: { username: 'YQ==', password: 'YQ==' } },
    ssh: { type: 'kubernetes.io/ssh-auth', data: { 'ssh-privatekey': 'YQ==' } },
    docker: { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': 'e30=' } },
    'old docker': { type: 'kubernetes.io/dockercfg', data: { '.dockercfg': 'e30=' } },
    token: {
      metadata: { annotations: { 'kubernetes.io/service-account.name': 'default' } },
      type: 'kubernetes.io/service-account-token',
    },
  }),
  ...basesOf('v1', 'ServiceAccount', 'namespaced', {
    minimal: {},
    full: { secrets: [{ name: 's' }], imagePullSecrets: [{ name: 'p' }], automountServiceAccountToken: false },
  }),
  // Addresses and ports that are named are of the part that servers never choose from (KEP-3070, KEP-3668).
  ...basesOf('v1', 'Service', 'namespaced', {
    minimal: { spec: { ports: [{ port: 80 }], selector: { app: 'a' } } },
    full: {
      spec: {
        type: 'ClusterIP',
        selector: { app: 'a' },
        clusterIP: '10.97.0.7',
        clusterIPs: ['10.97.0.7'],
        ipFamilies: ['IPv4'],
        ipFamilyPolicy: 'SingleStack',
        externalIPs: ['1.2.3.4'],
        sessionAffinity: 'ClientIP',
        sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } },
        publishNotReadyAddresses: true,
        internalTrafficPolicy: 'Local',
        trafficDistribution: 'PreferClose',
        ports: [
          { name: 'web', port: 80, targetPort: 'http', protocol: 'TCP', appProtocol: 'example.com/x' },
          { name: 'dns', port: 53, targetPort: 5353, protocol: 'UDP' },
        ],
      },
    },
    'node port': {
      spec: { type: 'NodePort', externalTrafficPolicy: 'Local', ports: [{ port: 80, nodePort: 30034 }] },
    },
    'load balancer': {
      spec: {
        type: 'LoadBalancer',
        loadBalancerClass: 'example.com/x',
        loadBalancerIP: '1.2.3.4',
        loadBalancerSourceRanges: ['10.0.0.0/8'],
        allocateLoadBalancerNodePorts: false,
        externalTrafficPolicy: 'Local',
        healthCheckNodePort: 30035,
        ports: [{ port: 80 }],
      },
    },
    headless: { spec: { clusterIP: 'None', ports: [{ port: 80 }], selector: { app: 'a' } } },
    'external name': { spec: { type: 'ExternalName', externalName: 'example.com' } },
  }),
  ...basesOf('v1', 'Endpoints', 'namespaced', {
    minimal: { subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }] }] },
    full: {
      subsets: [
        {
          addresses: [{ ip: '10.0.0.1', hostname: 'h', nodeName: 'n', targetRef: { kind: 'Pod', name: 'p' } }],
          notReadyAddresses: [{ ip: '10.0.0.2' }],
          ports: [
            { name: 'web', port: 80, protocol: 'TCP', appProtocol: 'example.com/x' },
            { name: 'dns', port: 53, protocol: 'UDP' },
          ],
        },
      ],
    },
  }),
  ...basesOf('v1', 'Event', 'namespaced', {
    minimal: {
      metadata: { namespace: NAMESPACE },
      involvedObject: { kind: 'Pod', name: 'a', namespace: NAMESPACE },
    },
    full: {
      involvedObject: { kind: 'Pod', name: 'a', namespace: NAMESPACE, apiVersion: 'v1', uid: 'u', fieldPath: 'spec' },
      reason: 'Test',
      message: 'words',
      type: 'Normal',
      source: { component: 'c', host: 'h' },
      count: 2,
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:00:01Z',
      eventTime: '2026-01-01T00:00:00.000000Z',
      series: { count: 2, lastObservedTime: '2026-01-01T00:00:00.000000Z' },
      action: 'Testing',
      related: { kind: 'Pod', name: 'b' },
      reportingComponent: 'example.com/test',
      reportingInstance: 'one',
    },
  }),
  ...basesOf('v1', 'Namespace', 'cluster', {
    minimal: {},
    full: { metadata: { labels: { a: 'b' } }, spec: { finalizers: ['kubernetes', 'example.com/x'] } },
  }),
  ...basesOf('v1', 'Node', 'cluster', {
    minimal: {},
    full: {
      spec: {
        podCIDR: '10.1.0.0/24',
        podCIDRs: ['10.1.0.0/24'],
        providerID: 'x://y',
        unschedulable: true,
        taints: [{ key: 'a', value: 'b', effect: 'NoSchedule', timeAdded: '2026-01-01T00:00:00Z' }],
        configSource: { configMap: { name: 'c', namespace: NAMESPACE, uid: 'u', kubeletConfigKey: 'k' } },
      },
    },
  }),
  ...basesOf('v1', 'PersistentVolumeClaim', 'namespaced', {
    minimal: { spec: claim },
    full: {
      spec: {
        ...claim,
        resources: { requests: { storage: '1Gi' }, limits: { storage: '2Gi' } },
        selector: { matchLabels: { a: 'b' } },
        storageClassName: 'fast',
        volumeMode: 'Filesystem',
        volumeName: 'v',
        volumeAttributesClassName: 'gold',
      },
    },
    'from a snapshot': {
      spec: { ...claim, dataSource: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 's' } },
    },
    'from a reference': {
      spec: { ...claim, dataSourceRef: { apiGroup: 'example.com', kind: 'Some', name: 's' } },
    },
  }),
  ...basesOf('v1', 'PersistentVolume', 'cluster', {
    minimal: { spec: { ...volume, hostPath: { path: '/x' } } },
    full: {
      spec: {
        ...volume,
        csi: persistentSources.csi,
        claimRef: { kind: 'PersistentVolumeClaim', namespace: NAMESPACE, name: 'c', uid: 'u', apiVersion: 'v1' },
        persistentVolumeReclaimPolicy: 'Delete',
        storageClassName: 'fast',
        mountOptions: ['ro'],
        volumeMode: 'Block',
        nodeAffinity: affinity,
        volumeAttributesClassName: 'gold',
      },
    },
    local: { spec: { ...volume, local: persistentSources.local, nodeAffinity: affinity, storageClassName: 'x' } },
    nfs: { spec: { ...volume, nfs: persistentSources.nfs } },
    fc: { spec: { ...volume, fc: persistentSources.fc } },
    iscsi: { spec: { ...volume, iscsi: persistentSources.iscsi } },
    ...Object.fromEntries(oldSources.map(([type, source]) => [type, { spec: { ...volume, [type]: source } }])),
    rbd: { spec: { ...volume, rbd: { monitors: ['m'], image: 'i', secretRef } } },
    cephfs: { spec: { ...volume, cephfs: { monitors: ['m'], secretRef } } },
    cinder: { spec: { ...volume, cinder: { volumeID: 'x', secretRef } } },
    flexVolume: { spec: { ...volume, flexVolume: { driver: 'a/b', secretRef } } },
    azureFile: { spec: { ...volume, azureFile: { secretName: 's', shareName: 'x', secretNamespace: NAMESPACE } } },
    scaleIO: { spec: { ...volume, scaleIO: { gateway: 'g', system: 's', secretRef, volumeName: 'v' } } },
    storageos: { spec: { ...volume, storageos: { volumeName: 'v', secretRef: { ...secretRef, kind: 'Secret' } } } },
  }),
  ...pods,
  ...basesOf('v1', 'PodTemplate', 'namespaced', { minimal: { template: TEMPLATE } }),
  ...basesOf('v1', 'ReplicationController', 'namespaced', {
    minimal: { spec: { template: TEMPLATE } },
    full: { spec: { replicas: 2, minReadySeconds: 3, selector: { app: 'a' }, template: TEMPLATE } },
  }),
  ...basesOf('v1', 'ResourceQuota', 'namespaced', {
    minimal: { spec: { hard: { pods: '5' } } },
    full: {
      spec: {
        hard: {
          cpu: '1',
          memory: '1Gi',
          pods: '10',
          'limits.cpu': '2',
          'limits.memory': '2Gi',
        },
        scopes: ['NotTerminating'],
        scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }] },
      },
    },
    counts: {
      spec: {
        hard: {
          'count/deployments.apps': '5',
          'requests.storage': '1Gi',
          'requests.example.com/gpu': '2',
          'fast.storageclass.storage.k8s.io/requests.storage': '3Gi',
          'services.loadbalancers': '1',
          configmaps: '4',
        },
      },
    },
  }),
  ...basesOf('v1', 'LimitRange', 'namespaced', {
    minimal: { spec: { limits: [{ type: 'Container', max: { cpu: '1' } }] } },
    full: {
      spec: {
        limits: [
          {
            type: 'Container',
            max: { cpu: '4' },
            min: { cpu: '1' },
            default: { cpu: '3' },
            defaultRequest: { cpu: '2' },
            maxLimitRequestRatio: { cpu: '2' },
          },
          { type: 'Pod', max: { cpu: '4' }, min: { cpu: '1' }, maxLimitRequestRatio: { cpu: '2' } },
          { type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '2Gi' } },
        ],
      },
    },
  }),
  ...basesOf('v1', 'Binding', 'namespaced', {
    minimal: { target: { kind: 'Node', name: 'n' } },
  }),
]

/** A container that is like any other. */
export const plain = CONTAINER
