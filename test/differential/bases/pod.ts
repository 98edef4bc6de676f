import { type Base, basesOf, CONTAINER, FULL_SELECTOR, type Json, SELECTOR } from './base.ts'

const probe: Json = {
  initialDelaySeconds: 1,
  timeoutSeconds: 2,
  periodSeconds: 3,
  successThreshold: 1,
  failureThreshold: 4,
}
const secured: Json = {
  runAsUser: 1000,
  runAsGroup: 1000,
  runAsNonRoot: true,
  seLinuxOptions: { user: 'u', role: 'r', type: 't', level: 's0' },
  seccompProfile: { type: 'Localhost', localhostProfile: 'a/b.json' },
  appArmorProfile: { type: 'RuntimeDefault' },
}

const fullContainer: Json = {
  name: 'c',
  image: 'r.io:5000/x/y:1',
  command: ['/bin/x'],
  args: ['--y=$(A)'],
  workingDir: '/work',
  ports: [
    { name: 'web', containerPort: 80, protocol: 'TCP' },
    { name: 'dns', containerPort: 53, hostPort: 5353, hostIP: '10.1.2.3', protocol: 'UDP' },
  ],
  envFrom: [
    { prefix: 'P_', configMapRef: { name: 'config', optional: true } },
    { secretRef: { name: 'secret', optional: false } },
  ],
  env: [
    { name: 'A', value: 'x' },
    { name: 'B', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
    { name: 'C', valueFrom: { resourceFieldRef: { containerName: 'c', resource: 'limits.cpu', divisor: '1m' } } },
    { name: 'D', valueFrom: { configMapKeyRef: { name: 'config', key: 'k', optional: true } } },
    { name: 'E', valueFrom: { secretKeyRef: { name: 'secret', key: 'k', optional: true } } },
  ],
  resources: {
    limits: { cpu: '1', memory: '1Gi', 'ephemeral-storage': '2Gi', 'example.com/gpu': '1' },
    requests: { cpu: '500m', memory: '512Mi', 'example.com/gpu': '1' },
  },
  resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'NotRequired' }],
  volumeMounts: [
    { name: 'v', mountPath: '/v', readOnly: true, recursiveReadOnly: 'IfPossible', mountPropagation: 'None' },
    { name: 'v', mountPath: '/w', subPath: 'sub' },
    { name: 'v', mountPath: '/x', subPathExpr: '$(A)' },
  ],
  volumeDevices: [{ name: 'block', devicePath: '/dev/x' }],
  livenessProbe: {
    ...probe,
    httpGet: {
      path: '/x',
      port: 'web',
      host: 'h',
      scheme: 'HTTPS',
      httpHeaders: [{ name: 'X-A', value: 'b' }],
    },
    terminationGracePeriodSeconds: 5,
  },
  readinessProbe: { ...probe, successThreshold: 2, grpc: { port: 80, service: 's' } },
  startupProbe: { ...probe, exec: { command: ['true'] } },
  lifecycle: {
    postStart: { exec: { command: ['x'] } },
    preStop: { sleep: { seconds: 5 } },
  },
  terminationMessagePath: '/dev/m',
  terminationMessagePolicy: 'FallbackToLogsOnError',
  imagePullPolicy: 'Always',
  securityContext: {
    ...secured,
    capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] },
    privileged: false,
    readOnlyRootFilesystem: true,
    allowPrivilegeEscalation: false,
    procMount: 'Default',
  },
  stdin: true,
  stdinOnce: true,
  tty: true,
}

const scheduled: Json = {
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [
          {
            matchExpressions: [
              { key: 'zone', operator: 'In', values: ['x', 'y'] },
              { key: 'size', operator: 'Gt', values: ['3'] },
            ],
            matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }],
          },
        ],
      },
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight: 5, preference: { matchExpressions: [{ key: 'a', operator: 'Exists' }] } },
      ],
    },
    podAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        {
          labelSelector: FULL_SELECTOR,
          namespaces: ['other'],
          namespaceSelector: { matchLabels: { n: 'x' } },
          topologyKey: 'zone',
          matchLabelKeys: ['rev'],
        },
      ],
    },
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        {
          weight: 1,
          podAffinityTerm: {
            labelSelector: SELECTOR,
            topologyKey: 'kubernetes.io/hostname',
            mismatchLabelKeys: ['team'],
          },
        },
      ],
    },
  },
  tolerations: [
    { key: 'a', operator: 'Equal', value: 'b', effect: 'NoExecute', tolerationSeconds: 10 },
    { key: 'c', operator: 'Exists', effect: 'NoSchedule' },
  ],
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: 'zone',
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: SELECTOR,
      minDomains: 2,
      nodeAffinityPolicy: 'Honor',
      nodeTaintsPolicy: 'Ignore',
      matchLabelKeys: ['rev'],
    },
  ],
  nodeSelector: { disk: 'ssd' },
  schedulerName: 'mine',
  schedulingGates: [{ name: 'example.com/gate' }],
  readinessGates: [{ conditionType: 'example.com/ready' }],
}

const shaped: Json = {
  restartPolicy: 'OnFailure',
  terminationGracePeriodSeconds: 20,
  activeDeadlineSeconds: 100,
  dnsPolicy: 'None',
  dnsConfig: { nameservers: ['10.0.0.1'], searches: ['x.y'], options: [{ name: 'ndots', value: '2' }] },
  serviceAccountName: 'default',
  automountServiceAccountToken: false,
  nodeName: 'n',
  hostNetwork: false,
  hostPID: true,
  hostIPC: true,
  shareProcessNamespace: false,
  hostUsers: true,
  imagePullSecrets: [{ name: 'pull' }],
  hostname: 'h',
  subdomain: 's',
  setHostnameAsFQDN: true,
  hostAliases: [{ ip: '10.0.0.2', hostnames: ['x.y'] }],
  enableServiceLinks: false,
  os: { name: 'linux' },
  priorityClassName: 'system-node-critical',
  securityContext: {
    ...secured,
    supplementalGroups: [5],
    supplementalGroupsPolicy: 'Merge',
    fsGroup: 6,
    fsGroupChangePolicy: 'OnRootMismatch',
    sysctls: [{ name: 'net.core.somaxconn', value: '1' }],
    seLinuxChangePolicy: 'Recursive',
  },
  resourceClaims: [
    { name: 'r', resourceClaimName: 'claim' },
    { name: 't', resourceClaimTemplateName: 'template' },
  ],
}

/** Every source of a volume. */
export const volumes: Json[] = [
  { name: 'empty', emptyDir: { medium: 'Memory', sizeLimit: '1Gi' } },
  { name: 'host', hostPath: { path: '/x', type: 'Directory' } },
  { name: 'secret', secret: { secretName: 's', items: [{ key: 'k', path: 'p', mode: 256 }], defaultMode: 288 } },
  { name: 'config', configMap: { name: 'c', items: [{ key: 'k', path: 'p' }], optional: true, defaultMode: 420 } },
  {
    name: 'downward',
    downwardAPI: {
      items: [
        { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' }, mode: 256 },
        { path: 'cpu', resourceFieldRef: { containerName: 'c', resource: 'limits.cpu', divisor: '1' } },
      ],
      defaultMode: 420,
    },
  },
  {
    name: 'projected',
    projected: {
      defaultMode: 420,
      sources: [
        { secret: { name: 's', items: [{ key: 'k', path: 'a' }], optional: true } },
        { configMap: { name: 'c', items: [{ key: 'k', path: 'b' }] } },
        { downwardAPI: { items: [{ path: 'c', fieldRef: { fieldPath: 'metadata.name' } }] } },
        { serviceAccountToken: { audience: 'x', expirationSeconds: 3600, path: 'token' } },
        { clusterTrustBundle: { signerName: 'example.com/x', labelSelector: SELECTOR, path: 'ca', optional: true } },
      ],
    },
  },
  { name: 'claim', persistentVolumeClaim: { claimName: 'a', readOnly: true } },
  {
    name: 'ephemeral',
    ephemeral: {
      volumeClaimTemplate: {
        metadata: { labels: { a: 'b' } },
        spec: {
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage: '1Gi' } },
          storageClassName: 'fast',
          volumeMode: 'Filesystem',
        },
      },
    },
  },
  {
    name: 'csi',
    csi: {
      driver: 'x.io',
      readOnly: true,
      fsType: 'ext4',
      volumeAttributes: { a: 'b' },
      nodePublishSecretRef: { name: 's' },
    },
  },
  { name: 'image', image: { reference: 'nginx', pullPolicy: 'IfNotPresent' } },
  { name: 'nfs', nfs: { server: 's', path: '/p', readOnly: true } },
  {
    name: 'iscsi',
    iscsi: {
      targetPortal: '1.2.3.4',
      iqn: 'iqn.2001-04.com.example:x',
      lun: 1,
      fsType: 'ext4',
      portals: ['1.2.3.5'],
      chapAuthSession: true,
      secretRef: { name: 's' },
      initiatorName: 'iqn.1996-04.de.suse:linux-host1',
    },
  },
]

/** Sources that are gone or given to CSI drivers. */
export const oldVolumes: Json[] = [
  { name: 'gce', gcePersistentDisk: { pdName: 'x', fsType: 'ext4', partition: 1, readOnly: true } },
  { name: 'aws', awsElasticBlockStore: { volumeID: 'x', fsType: 'ext4', partition: 1, readOnly: true } },
  { name: 'git', gitRepo: { repository: 'x', revision: 'r', directory: 'd' } },
  { name: 'gluster', glusterfs: { endpoints: 'e', path: 'p', readOnly: true } },
  {
    name: 'rbd',
    rbd: { monitors: ['m'], image: 'i', fsType: 'ext4', pool: 'p', user: 'u', keyring: 'k', secretRef: { name: 's' } },
  },
  { name: 'flex', flexVolume: { driver: 'a/b', fsType: 'ext4', secretRef: { name: 's' }, options: { a: 'b' } } },
  { name: 'cinder', cinder: { volumeID: 'x', fsType: 'ext4', secretRef: { name: 's' } } },
  { name: 'ceph', cephfs: { monitors: ['m'], path: '/p', user: 'u', secretFile: 'f', secretRef: { name: 's' } } },
  { name: 'flocker', flocker: { datasetName: 'x' } },
  { name: 'fc', fc: { targetWWNs: ['w'], lun: 1, fsType: 'ext4' } },
  { name: 'azurefile', azureFile: { secretName: 's', shareName: 'x' } },
  { name: 'vsphere', vsphereVolume: { volumePath: 'p', fsType: 'ext4', storagePolicyName: 'n', storagePolicyID: 'i' } },
  { name: 'quobyte', quobyte: { registry: 'r:1', volume: 'v', user: 'u', group: 'g', tenant: 't' } },
  {
    name: 'azuredisk',
    azureDisk: { diskName: 'd', diskURI: '/subscriptions/x', cachingMode: 'None', fsType: 'ext4', kind: 'Managed' },
  },
  { name: 'portworx', portworxVolume: { volumeID: 'v', fsType: 'ext4' } },
  {
    name: 'scaleio',
    scaleIO: {
      gateway: 'g',
      system: 's',
      secretRef: { name: 's' },
      protectionDomain: 'd',
      storagePool: 'p',
      storageMode: 'ThinProvisioned',
      volumeName: 'v',
      fsType: 'xfs',
    },
  },
  { name: 'storageos', storageos: { volumeName: 'v', volumeNamespace: 'n', fsType: 'ext4', secretRef: { name: 's' } } },
]

const blockVolumes = [
  { name: 'v', emptyDir: {} },
  { name: 'block', persistentVolumeClaim: { claimName: 'a' } },
]

export const pods: Base[] = basesOf('v1', 'Pod', 'namespaced', {
  minimal: { spec: { containers: [CONTAINER] } },
  containers: {
    metadata: { labels: { app: 'a' }, annotations: { note: 'x' } },
    spec: {
      containers: [fullContainer],
      initContainers: [
        { name: 'i', image: 'a/b', resources: { limits: { cpu: 1 } } },
        {
          name: 'sidecar',
          image: 'a/b@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
          restartPolicy: 'Always',
          startupProbe: { tcpSocket: { port: 1 } },
        },
      ],
      volumes: blockVolumes,
    },
  },
  scheduled: { metadata: { labels: { app: 'a' } }, spec: { containers: [CONTAINER], ...scheduled } },
  shaped: {
    spec: { containers: [{ ...CONTAINER, resources: { claims: [{ name: 'r', request: 'x' }] } }], ...shaped },
  },
  volumes: { spec: { containers: [CONTAINER], volumes } },
  'old volumes': { spec: { containers: [CONTAINER], volumes: oldVolumes } },
  windows: {
    spec: {
      os: { name: 'windows' },
      containers: [
        {
          ...CONTAINER,
          securityContext: { windowsOptions: { runAsUserName: 'u', hostProcess: false, gmsaCredentialSpecName: 'a' } },
        },
      ],
      securityContext: { windowsOptions: { gmsaCredentialSpec: 'x', runAsUserName: 'ContainerUser' } },
    },
  },
  'host network': {
    spec: { hostNetwork: true, containers: [{ ...CONTAINER, ports: [{ containerPort: 80 }] }] },
  },
  'pod resources': {
    spec: {
      resources: { limits: { cpu: '2', memory: '1Gi' }, requests: { cpu: '1', memory: '1Gi' } },
      containers: [CONTAINER],
    },
  },
  'restart rules': {
    spec: {
      restartPolicy: 'Never',
      containers: [
        {
          ...CONTAINER,
          restartPolicy: 'Never',
          restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }],
        },
      ],
    },
  },
})
