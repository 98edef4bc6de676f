import { type Base, basesOf, FULL_SELECTOR, type Json, NAMESPACE, SELECTOR } from './base.ts'

const backend = { service: { name: 'a', port: { number: 80 } } }
const peer = { podSelector: FULL_SELECTOR, namespaceSelector: SELECTOR }
const peers = [peer, { ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }]
const ports = [
  { protocol: 'TCP', port: 80, endPort: 90 },
  { port: 'web', protocol: 'UDP' },
]
const nodeSelector = { nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] }] }
const term = { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }] }
const cel = { cel: { expression: 'device.driver == "x.io"' } }
const config = { opaque: { driver: 'x.io', parameters: { a: 1 } } }
const exactly = { deviceClassName: 'c' }
const pool = { name: 'p', generation: 1, resourceSliceCount: 1 }
const tolerations = [{ key: 'a', operator: 'Equal', value: 'b', effect: 'NoExecute', tolerationSeconds: 5 }]

const fullClaim: Json = {
  devices: {
    requests: [
      {
        name: 'one',
        exactly: {
          deviceClassName: 'c',
          selectors: [cel],
          allocationMode: 'ExactCount',
          count: 2,
          tolerations,
          capacity: { requests: { memory: '1Gi' } },
        },
      },
      {
        name: 'two',
        firstAvailable: [
          { name: 'x', deviceClassName: 'c', selectors: [cel], allocationMode: 'All', tolerations },
          { name: 'y', deviceClassName: 'd', count: 1 },
        ],
      },
    ],
    constraints: [
      { requests: ['one', 'two'], matchAttribute: 'x.io/numa' },
      { requests: ['one'], distinctAttribute: 'x.io/id' },
    ],
    config: [{ requests: ['one'], ...config }],
  },
}

/** Asked for by CN=u, O=system:nodes. */
const REQUEST = [
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIZE1JR0ZBZ0VBTUNNeEZUQVRCZ05WQkFvTURITjVjM1JsYlRwdWIyUmxjekVL',
  'TUFnR0ExVUVBd3dCZFRCWgpNQk1HQnlxR1NNNDlBZ0VHQ0NxR1NNNDlBd0VIQTBJQUJCZlI3QUM1TS9keXh1cHNLUlpBZkYzVjZXbGhmVWZ1CkkrZlhj',
  'eE9VOU1DZzNmNFJPYlZWTnhIWjl5Y0l3b3BUMnl6M2NwaFNjWU1vRzh3YmJsSVU4RmFnQURBS0JnZ3EKaGtqT1BRUURBZ05IQURCRUFpQmdINWZkWDFQ',
  'Wi80Yks3RnpUeTdKa0prNzJpOGpHWS9GbThQbjltUlVXYndJZwplZ2N3NUFBcEVMRlMrQnU0d05JSkVhNWNKSmJYVWhYM1BxQWRsV3dhZ0lFPQotLS0t',
  'LUVORCBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K',
].join('')

export const infrastructure: Base[] = [
  ...basesOf('networking.k8s.io/v1', 'Ingress', 'namespaced', {
    minimal: { spec: { defaultBackend: backend } },
    full: {
      spec: {
        ingressClassName: 'x',
        defaultBackend: { resource: { apiGroup: 'example.com', kind: 'Some', name: 'x' } },
        tls: [{ hosts: ['a.example.com', '*.example.com'], secretName: 's' }],
        rules: [
          {
            host: '*.example.com',
            http: {
              paths: [
                { path: '/x', pathType: 'Prefix', backend },
                { path: '/y', pathType: 'Exact', backend: { service: { name: 'a', port: { name: 'web' } } } },
              ],
            },
          },
        ],
      },
    },
  }),
  ...basesOf('networking.k8s.io/v1', 'IngressClass', 'cluster', {
    minimal: { spec: { controller: 'example.com/x' } },
    full: {
      metadata: { annotations: { 'ingressclass.kubernetes.io/is-default-class': 'false' } },
      spec: {
        controller: 'example.com/x',
        parameters: { apiGroup: 'example.com', kind: 'Some', name: 'x', namespace: NAMESPACE, scope: 'Namespace' },
      },
    },
  }),
  ...basesOf('networking.k8s.io/v1', 'NetworkPolicy', 'namespaced', {
    minimal: { spec: { podSelector: {} } },
    full: {
      spec: {
        podSelector: FULL_SELECTOR,
        policyTypes: ['Ingress', 'Egress'],
        ingress: [{ from: peers, ports }],
        egress: [{ to: peers, ports }],
      },
    },
  }),
  ...basesOf('networking.k8s.io/v1', 'IPAddress', 'cluster', {
    minimal: {
      metadata: { name: '192.168.1.1' },
      spec: { parentRef: { resource: 'services', name: 's', namespace: NAMESPACE, group: '' } },
    },
  }),
  ...basesOf('networking.k8s.io/v1', 'ServiceCIDR', 'cluster', {
    minimal: { spec: { cidrs: ['192.168.0.0/24'] } },
    full: { spec: { cidrs: ['192.168.0.0/24', 'fd00::/112'] } },
  }),
  ...basesOf('discovery.k8s.io/v1', 'EndpointSlice', 'namespaced', {
    minimal: { addressType: 'IPv4', endpoints: [{ addresses: ['10.0.0.1'] }] },
    full: {
      metadata: { labels: { 'kubernetes.io/service-name': 'a' } },
      addressType: 'IPv4',
      endpoints: [
        {
          addresses: ['10.0.0.1'],
          conditions: { ready: true, serving: true, terminating: false },
          hostname: 'h',
          targetRef: { kind: 'Pod', name: 'p', namespace: NAMESPACE, uid: 'u' },
          deprecatedTopology: { a: 'b' },
          nodeName: 'n',
          zone: 'z',
          hints: { forZones: [{ name: 'z' }], forNodes: [{ name: 'n' }] },
        },
      ],
      ports: [{ name: 'web', protocol: 'TCP', port: 80, appProtocol: 'example.com/x' }],
    },
    names: { addressType: 'FQDN', endpoints: [{ addresses: ['a.example.com'] }] },
    six: { addressType: 'IPv6', endpoints: [{ addresses: ['fd00::1'] }] },
  }),
  ...basesOf('node.k8s.io/v1', 'RuntimeClass', 'cluster', {
    minimal: { handler: 'process' },
    full: {
      handler: 'process',
      overhead: { podFixed: { cpu: '10m', memory: '1Mi' } },
      scheduling: { nodeSelector: { a: 'b' }, tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoSchedule' }] },
    },
  }),
  ...basesOf('storage.k8s.io/v1', 'StorageClass', 'cluster', {
    minimal: { provisioner: 'x.io/p' },
    full: {
      provisioner: 'x.io/p',
      parameters: { type: 'ssd' },
      reclaimPolicy: 'Retain',
      mountOptions: ['ro'],
      allowVolumeExpansion: true,
      volumeBindingMode: 'WaitForFirstConsumer',
      allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: ['a', 'b'] }] }],
    },
  }),
  ...basesOf('storage.k8s.io/v1', 'CSIDriver', 'cluster', {
    minimal: { spec: {} },
    full: {
      spec: {
        attachRequired: false,
        podInfoOnMount: true,
        volumeLifecycleModes: ['Persistent', 'Ephemeral'],
        storageCapacity: true,
        fsGroupPolicy: 'File',
        tokenRequests: [{ audience: 'x', expirationSeconds: 3600 }],
        requiresRepublish: true,
        seLinuxMount: true,
        nodeAllocatableUpdatePeriodSeconds: 30,
        serviceAccountTokenInSecrets: true,
      },
    },
  }),
  ...basesOf('storage.k8s.io/v1', 'CSINode', 'cluster', {
    minimal: { spec: { drivers: [] } },
    full: {
      spec: { drivers: [{ name: 'x.io', nodeID: 'n', topologyKeys: ['zone'], allocatable: { count: 5 } }] },
    },
  }),
  ...basesOf('storage.k8s.io/v1', 'CSIStorageCapacity', 'namespaced', {
    minimal: { storageClassName: 'fast' },
    full: { storageClassName: 'fast', nodeTopology: FULL_SELECTOR, capacity: '1Gi', maximumVolumeSize: '512Mi' },
  }),
  ...basesOf('storage.k8s.io/v1', 'VolumeAttachment', 'cluster', {
    minimal: { spec: { attacher: 'x.io', nodeName: 'n', source: { persistentVolumeName: 'v' } } },
    full: {
      spec: {
        attacher: 'x.io',
        nodeName: 'n',
        source: {
          inlineVolumeSpec: {
            accessModes: ['ReadWriteOnce'],
            csi: { driver: 'x.io', volumeHandle: 'h' },
          },
        },
      },
    },
  }),
  ...basesOf('storage.k8s.io/v1', 'VolumeAttributesClass', 'cluster', {
    minimal: { driverName: 'x.io', parameters: { a: 'b' } },
  }),
  ...basesOf('resource.k8s.io/v1', 'DeviceClass', 'cluster', {
    minimal: { spec: {} },
    full: { spec: { selectors: [cel], config: [config], extendedResourceName: 'example.com/gpu' } },
  }),
  ...basesOf('resource.k8s.io/v1', 'ResourceClaim', 'namespaced', {
    minimal: { spec: { devices: { requests: [{ name: 'one', exactly }] } } },
    full: { spec: fullClaim },
  }),
  ...basesOf('resource.k8s.io/v1', 'ResourceClaimTemplate', 'namespaced', {
    minimal: { spec: { spec: { devices: { requests: [{ name: 'one', exactly }] } } } },
    full: { spec: { metadata: { labels: { a: 'b' }, annotations: { a: 'b' } }, spec: fullClaim } },
  }),
  ...basesOf('resource.k8s.io/v1', 'ResourceSlice', 'cluster', {
    minimal: { spec: { driver: 'x.io', nodeName: 'n', pool } },
    full: {
      spec: {
        driver: 'x.io',
        pool,
        nodeSelector: { nodeSelectorTerms: [term] },
        devices: [
          {
            name: 'd',
            attributes: {
              model: { string: 'x' },
              size: { int: 1 },
              fast: { bool: true },
              driver: { version: '1.2.3' },
            },
            capacity: {
              memory: {
                value: '1Gi',
                requestPolicy: { default: '1Mi', validRange: { min: '1Mi', max: '1Gi', step: '1Mi' } },
              },
              cores: { value: '8', requestPolicy: { default: '1', validValues: ['1', '2'] } },
            },
            allowMultipleAllocations: true,
            taints: [{ key: 'a', value: 'b', effect: 'NoSchedule', timeAdded: '2026-01-01T00:00:00Z' }],
            bindsToNode: true,
            bindingConditions: ['x.io/ready'],
            bindingFailureConditions: ['x.io/failed'],
          },
        ],
      },
    },
    everywhere: { spec: { driver: 'x.io', allNodes: true, pool, devices: [{ name: 'd' }] } },
    'device nodes': {
      spec: {
        driver: 'x.io',
        perDeviceNodeSelection: true,
        pool,
        devices: [
          { name: 'd', nodeName: 'n' },
          { name: 'e', allNodes: true },
          { name: 'f', nodeSelector },
        ],
      },
    },
    counters: {
      spec: {
        driver: 'x.io',
        nodeName: 'n',
        pool,
        sharedCounters: [{ name: 's', counters: { memory: { value: '1Gi' } } }],
      },
    },
    consumers: {
      spec: {
        driver: 'x.io',
        nodeName: 'n',
        pool,
        devices: [{ name: 'd', consumesCounters: [{ counterSet: 's', counters: { memory: { value: '1Mi' } } }] }],
      },
    },
  }),
  ...basesOf('certificates.k8s.io/v1', 'CertificateSigningRequest', 'cluster', {
    minimal: { spec: { request: REQUEST, signerName: 'example.com/x', usages: ['client auth'] } },
    full: {
      spec: {
        request: REQUEST,
        signerName: 'kubernetes.io/kube-apiserver-client',
        expirationSeconds: 3600,
        usages: ['digital signature', 'key encipherment', 'client auth'],
        username: 'x',
        uid: 'y',
        groups: ['z'],
        extra: { a: ['b'] },
      },
    },
  }),
]
