/** Cases written by hand: several things wrong at once, and updates from one particular state to another. */
import { type Ask, create, DRY, MERGE, patch, pathOf, type Scene, topicOf } from '../ask.ts'
import { bases } from '../bases/all.ts'
import { type Json, SELECTOR as selector } from '../bases/base.ts'

export interface Case {
  readonly name: string
  /** What is created; with `update` or `changes`, what stands there before. */
  readonly object: Json
  /** What it is then made to be. */
  readonly update?: Json
  /** What is done to it, one after the other: all but the last for good. */
  readonly changes?: readonly Change[]
}

/** A patch: a merge patch where nothing is said. */
export interface Change {
  readonly type?: string
  /** `/status`, or another subresource. */
  readonly below?: string
  readonly patch: Json
}

const VERSIONS: Readonly<Record<string, string>> = {
  EventsEvent: 'events.k8s.io/v1',
  HorizontalPodAutoscalerV1: 'autoscaling/v1',
}

/** The minimal object of a kind; the two names above tell apart kinds of one name. */
export function base(name: string): Json {
  const kind = name.replace(/^EventsEvent$/, 'Event').replace(/V1$/, '')
  const version = VERSIONS[name] ?? (kind === 'Event' ? 'v1' : undefined)
  const found = bases.find(({ object }) => object.kind === kind && (!version || object.apiVersion === version))
  if (!found) throw new Error(`no base for ${name}`)
  return structuredClone(found.object)
}

export const of = (kind: string, name: string, change: (object: Json) => void): Case => {
  const object = base(kind)
  change(object)
  return { name: `${kind}: ${name}`, object }
}
export const update = (
  kind: string,
  name: string,
  change: (object: Json) => void,
  before?: (object: Json) => void,
): Case => {
  const object = base(kind)
  before?.(object)
  const next = structuredClone(object)
  change(next)
  return { name: `${kind} update: ${name}`, object, update: next }
}
export const changed = (
  kind: string,
  name: string,
  changes: readonly Change[],
  before?: (object: Json) => void,
): Case => {
  const object = base(kind)
  before?.(object)
  return { name: `${kind} changes: ${name}`, object, changes }
}
const pod = (name: string, change: (spec: Json, c: Json) => void) =>
  of('Pod', name, ({ spec }) => change(spec, spec.containers[0]))
const podUpdate = (name: string, change: (spec: Json) => void, before?: (spec: Json) => void) =>
  update(
    'Pod',
    name,
    ({ spec }) => change(spec),
    ({ spec }) => before?.(spec),
  )
const service = (name: string, change: (spec: Json) => void) => of('Service', name, ({ spec }) => change(spec))

const cases: readonly Case[] = [
  pod('many defaults', (spec, c) => {
    spec.hostNetwork = true
    spec.initContainers = [{ name: 'i', image: 'a/b:1', resources: { limits: { cpu: 1 } } }]
    c.image = 'r.io:5000/x/y@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
    c.ports = [{ containerPort: 80 }]
    c.resources = { limits: { cpu: '0.5', memory: '1024Mi' }, requests: { cpu: '100m' } }
    c.env = [
      { name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'B', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
    ]
    c.livenessProbe = { httpGet: { port: 80 } }
    c.readinessProbe = { grpc: { port: 80 }, periodSeconds: 1 }
    c.startupProbe = { tcpSocket: { port: 'web' } }
    c.lifecycle = { preStop: { httpGet: { port: 1 } }, postStart: { exec: { command: ['x'] } } }
    spec.volumes = [
      { name: 'a' },
      { name: 'b', secret: { secretName: 's' } },
      { name: 'c', configMap: { name: 's' } },
      { name: 'd', hostPath: { path: '/x' } },
      { name: 'e', downwardAPI: { items: [{ path: 'p', fieldRef: { fieldPath: 'metadata.labels' } }] } },
      {
        name: 'f',
        projected: { sources: [{ serviceAccountToken: { path: 't' } }, { configMap: { name: 'x' } }] },
      },
      {
        name: 'g',
        ephemeral: {
          volumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: 1 } } } },
        },
      },
    ]
  }),
  pod('process runtime', (spec, c) => {
    c.image = 'host'
    c.command = ['sleep', '1']
    spec.restartPolicy = 'OnFailure'
  }),
  pod('guaranteed', (_, c) => (c.resources = { limits: { cpu: '1', memory: '1Gi' } })),
  pod('scheduling gates', spec => (spec.schedulingGates = [{ name: 'a.b/c' }])),
  pod('no containers', spec => (spec.containers = [])),
  pod('no container name', (_, c) => delete c.name),
  pod('bad container name', (_, c) => (c.name = 'Not_A_Label')),
  pod('no image', (_, c) => delete c.image),
  pod('image with space', (_, c) => (c.image = ' nginx')),
  pod('duplicate container', spec => spec.containers.push(spec.containers[0])),
  pod('bad pull policy', (_, c) => (c.imagePullPolicy = 'Sometimes')),
  pod('bad message policy', (_, c) => (c.terminationMessagePolicy = 'No')),
  pod('bad ports', (_, c) => {
    c.ports = [
      { containerPort: 0 },
      { containerPort: 70000, name: 'x', protocol: 'HTTP' },
      { containerPort: 1, name: 'x', hostPort: -1 },
      { containerPort: 1, name: 'Long_Name_Of_A_Port' },
    ]
  }),
  pod('host port twice', (_, c) => {
    c.ports = [
      { containerPort: 1, hostPort: 5 },
      { containerPort: 2, hostPort: 5 },
    ]
  }),
  pod('host port differs', (spec, c) => {
    spec.hostNetwork = true
    c.ports = [{ containerPort: 1, hostPort: 5 }]
  }),
  pod('bad env', (_, c) => {
    c.env = [
      { name: '' },
      { name: 'A=B', value: 'x' },
      { name: 'C', valueFrom: {} },
      { name: 'D', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'E', valueFrom: { fieldRef: { fieldPath: 'metadata.nothing' } } },
      { name: 'F', valueFrom: { fieldRef: { fieldPath: 'metadata.labels' } } },
      { name: 'G', valueFrom: { fieldRef: { fieldPath: "metadata.labels['-a']" } } },
      { name: 'H', valueFrom: { resourceFieldRef: { resource: 'limits.gpu' } } },
      { name: 'I', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '2' } } },
      { name: 'J', valueFrom: { configMapKeyRef: { name: 'a', key: '' } } },
      { name: 'K', valueFrom: { secretKeyRef: { name: 'A_', key: 'a b' } } },
    ]
  }),
  pod('bad envFrom', (_, c) => {
    c.envFrom = [{}, { configMapRef: { name: '' } }, { secretRef: { name: 'x' }, configMapRef: { name: 'y' } }]
  }),
  pod('bad mounts', (spec, c) => {
    spec.volumes = [{ name: 'v', emptyDir: {} }]
    c.volumeMounts = [
      { name: 'w', mountPath: '/a' },
      { name: 'v', mountPath: '' },
      { name: 'v', mountPath: '/b', subPath: '/abs' },
      { name: 'v', mountPath: '/b', subPath: '../x' },
      { name: 'v', mountPath: '/c', mountPropagation: 'Bidirectional' },
    ]
  }),
  pod('bad volumes', spec => {
    spec.volumes = [
      { name: 'A', emptyDir: {} },
      { emptyDir: {} },
      { name: 'b', emptyDir: {}, hostPath: { path: '/x' } },
      { name: 'c', hostPath: { path: '/x/../y', type: 'Nothing' } },
      { name: 'd', secret: { defaultMode: 999 } },
      {
        name: 'e',
        configMap: {
          name: 'x',
          items: [
            { key: '', path: '/abs' },
            { key: 'k', path: '..data' },
          ],
        },
      },
      {
        name: 'f',
        downwardAPI: { items: [{ path: 'x' }, { path: 'y', resourceFieldRef: { resource: 'limits.cpu' } }] },
      },
      { name: 'g', persistentVolumeClaim: { claimName: '' } },
      { name: 'h', emptyDir: { sizeLimit: '-1' } },
      { name: 'i', emptyDir: {} },
      { name: 'i', emptyDir: {} },
      { name: 'j', nfs: { server: '', path: 'rel' } },
    ]
  }),
  pod('bad projections', spec => {
    spec.volumes = [
      {
        name: 'p',
        projected: {
          defaultMode: 512,
          sources: [
            { secret: { name: '' } },
            { configMap: { name: 'a', items: [{ key: 'k', path: 'same' }] } },
            { secret: { name: 'b', items: [{ key: 'k', path: 'same' }] } },
            { configMap: { name: 'x' }, secret: { name: 'y' } },
            { serviceAccountToken: { path: 'x', expirationSeconds: 1 } },
          ],
        },
      },
    ]
  }),
  pod('bad probes', (_, c) => {
    c.livenessProbe = { exec: { command: [] }, successThreshold: 2 }
    c.readinessProbe = { httpGet: { port: 0, scheme: 'FTP' }, tcpSocket: { port: 1 }, terminationGracePeriodSeconds: 1 }
    c.startupProbe = { timeoutSeconds: -1 }
  }),
  pod('bad hooks', (_, c) => (c.lifecycle = { preStop: { sleep: { seconds: 100 } }, postStart: {} })),
  pod('bad resources', (_, c) => {
    c.resources = {
      limits: { cpu: '1', memory: '-1', foo: '1', 'example.com/gpu': '1500m' },
      requests: { cpu: '2', 'hugepages-2Mi': '2Mi' },
    }
  }),
  pod('bad init container', spec => {
    spec.initContainers = [
      { name: 'c', image: 'x', livenessProbe: { exec: { command: ['x'] } }, lifecycle: {} },
      { name: 'i', image: 'x', restartPolicy: 'Maybe' },
    ]
  }),
  pod('bad spec words', spec => {
    spec.restartPolicy = 'Sometimes'
    spec.dnsPolicy = 'Some'
    spec.nodeName = 'A_'
    spec.hostname = 'A.b'
    spec.subdomain = 'A.b'
    spec.activeDeadlineSeconds = 0
    spec.hostAliases = [{ ip: '1.2.3', hostnames: ['A_'] }]
    spec.nodeSelector = { 'a b': 'c' }
    spec.readinessGates = [{ conditionType: 'a b' }]
  }),
  pod('bad dns', spec => {
    spec.dnsPolicy = 'None'
    spec.dnsConfig = { nameservers: ['1.2.3'], searches: ['-a'], options: [{ value: 'x' }] }
  }),
  pod('no dns', spec => (spec.dnsPolicy = 'None')),
  pod('bad tolerations', spec => {
    spec.tolerations = [
      { operator: 'Equal' },
      { key: 'a', operator: 'Exists', value: 'v' },
      { key: 'a', operator: 'Is' },
      { key: 'a', tolerationSeconds: 1, effect: 'NoSchedule' },
      { key: 'a', effect: 'Never' },
    ]
  }),
  pod('bad affinity', spec => {
    spec.affinity = {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [
            {
              matchExpressions: [
                { key: 'a', operator: 'In' },
                { key: 'a', operator: 'Exists', values: ['x'] },
                { key: 'a', operator: 'Gt', values: ['1', '2'] },
                { key: 'a', operator: 'Like', values: ['x'] },
              ],
              matchFields: [{ key: 'spec.x', operator: 'In', values: ['x'] }],
            },
          ],
        },
        preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 0, preference: {} }],
      },
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { labelSelector: { matchLabels: { 'a b': 'c' } }, topologyKey: '' },
        ],
      },
    }
  }),
  pod('bad spread', spec => {
    spec.topologySpreadConstraints = [
      { maxSkew: 0, topologyKey: 'z', whenUnsatisfiable: 'DoNotSchedule' },
      { maxSkew: 1, topologyKey: 'z', whenUnsatisfiable: 'DoNotSchedule', minDomains: 0 },
      { maxSkew: 1, topologyKey: '', whenUnsatisfiable: 'Perhaps' },
    ]
  }),
  pod('bad security context', (spec, c) => {
    spec.securityContext = {
      runAsUser: -1,
      fsGroup: -1,
      seccompProfile: { type: 'Localhost' },
      sysctls: [{ name: 'A B', value: 'x' }],
    }
    c.securityContext = { runAsGroup: -1, procMount: 'Half', seccompProfile: { type: 'Some' } }
  }),
  pod('ephemeral container on create', spec => (spec.ephemeralContainers = [{ name: 'e', image: 'x' }])),
  pod('gates with node', spec => {
    spec.schedulingGates = [{ name: 'a' }, { name: 'a' }]
    spec.nodeName = 'n'
  }),
  podUpdate('image', spec => (spec.containers[0].image = 'other')),
  podUpdate('added container', spec => spec.containers.push({ name: 'd', image: 'x' })),
  podUpdate('deadline set', spec => (spec.activeDeadlineSeconds = 10)),
  podUpdate(
    'deadline raised',
    spec => (spec.activeDeadlineSeconds = 10),
    spec => (spec.activeDeadlineSeconds = 5),
  ),
  podUpdate(
    'toleration added',
    spec => (spec.tolerations = [...(spec.tolerations ?? []), { key: 'a', operator: 'Exists' }]),
  ),
  podUpdate(
    'toleration removed',
    spec => (spec.tolerations = []),
    spec => (spec.tolerations = [{ key: 'a', operator: 'Exists' }]),
  ),

  service('node port with defaults', spec => {
    spec.type = 'NodePort'
    spec.sessionAffinity = 'ClientIP'
    spec.ports = [
      { port: 80, name: 'a', targetPort: 'web' },
      { port: 81, name: 'b', protocol: 'UDP' },
    ]
  }),
  service('load balancer', spec => (spec.type = 'LoadBalancer')),
  service('headless', spec => (spec.clusterIP = 'None')),
  service('external name', spec => {
    spec.type = 'ExternalName'
    spec.externalName = 'example.com'
    delete spec.ports
  }),
  service('no ports', spec => (spec.ports = [])),
  service('bad ports', spec => {
    spec.ports = [
      { port: 0, targetPort: 'Bad_Name' },
      { port: 80, name: 'a', protocol: 'HTTP' },
      { port: 81, name: 'a' },
      { port: 81, name: 'b', nodePort: 30000 },
    ]
  }),
  service('bad words', spec => {
    spec.type = 'Some'
    spec.sessionAffinity = 'Some'
    spec.selector = { 'a b': 'c' }
  }),
  service('bad external name', spec => {
    spec.type = 'ExternalName'
    spec.externalName = 'A_b'
  }),
  service('no external name', spec => (spec.type = 'ExternalName')),
  service('bad affinity', spec => {
    spec.sessionAffinity = 'ClientIP'
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: 100000 } }
  }),
  service('bad external ips', spec => (spec.externalIPs = ['1.2.3', '127.0.0.1', '169.254.1.1', '0.0.0.0'])),
  service('traffic policy inside', spec => (spec.externalTrafficPolicy = 'Local')),
  service('bad internal policy', spec => (spec.internalTrafficPolicy = 'Some')),
  service('balancer fields', spec => {
    spec.loadBalancerClass = 'a.b/c'
    spec.allocateLoadBalancerNodePorts = true
    spec.loadBalancerSourceRanges = ['10.0.0.0']
  }),
  service('headless node port', spec => {
    spec.type = 'NodePort'
    spec.clusterIP = 'None'
  }),
  update(
    'Service',
    'cluster IP changed',
    ({ spec }) => {
      spec.clusterIP = '10.97.0.78'
      spec.clusterIPs = ['10.97.0.78']
    },
    ({ spec }) => (spec.clusterIP = '10.97.0.77'),
  ),

  of('Endpoints', 'bad', object => {
    object.subsets = [
      {},
      {
        addresses: [{ ip: '127.0.0.1', hostname: 'A_' }, { ip: 'x' }],
        ports: [{ port: 0 }, { port: 80, protocol: 'X' }],
      },
    ]
  }),
  of('EndpointSlice', 'bad', object => {
    object.endpoints = [{ addresses: [] }, { addresses: ['::1', '127.0.0.1'], hostname: 'A_' }]
    object.ports = [
      { port: 1, name: 'a' },
      { port: 1, name: 'a', protocol: 'X' },
    ]
  }),
  of('EndpointSlice', 'bad type', object => (object.addressType = 'Some')),
  update('EndpointSlice', 'type', object => {
    object.addressType = 'FQDN'
    object.endpoints = [{ addresses: ['a.b'] }]
  }),

  of('Node', 'bad taints', object => {
    object.spec = {
      taints: [
        { key: 'a b', effect: 'NoSchedule' },
        { key: 'a', effect: 'X' },
        { key: 'b', effect: 'NoExecute', value: '-' },
      ],
    }
  }),
  update(
    'Node',
    'provider changed',
    ({ spec }) => (spec.providerID = 'b'),
    object => (object.spec = { providerID: 'a' }),
  ),
  update(
    'Node',
    'cidr changed',
    ({ spec }) => (spec.podCIDRs = [(spec.podCIDR = '10.2.0.0/24')]),
    object => {
      object.spec = { podCIDR: '10.1.0.0/24', podCIDRs: ['10.1.0.0/24'] }
    },
  ),
  of('Namespace', 'bad finalizer', object => (object.spec = { finalizers: ['some', 'a b/c'] })),
  of('ConfigMap', 'bad keys', object => {
    object.data = { 'a b': '1', same: '2', '..': '3' }
    object.binaryData = { same: 'YQ==' }
  }),
  update(
    'ConfigMap',
    'immutable',
    object => {
      object.data.key = 'other'
      delete object.immutable
    },
    object => (object.immutable = true),
  ),
  of('Secret', 'stringData', object => (object.stringData = { key: 'x', other: 'y' })),
  of('Secret', 'bad key', object => (object.data = { 'a b': '' })),
  of('Secret', 'tls', object => (object.type = 'kubernetes.io/tls')),
  of('Secret', 'basic auth', object => (object.type = 'kubernetes.io/basic-auth')),
  of('Secret', 'ssh auth', object => (object.type = 'kubernetes.io/ssh-auth')),
  of('Secret', 'docker', object => (object.type = 'kubernetes.io/dockerconfigjson')),
  of('Secret', 'token', object => (object.type = 'kubernetes.io/service-account-token')),
  update('Secret', 'type', object => (object.type = 'other')),
  update(
    'Secret',
    'immutable',
    object => (object.data = {}),
    object => (object.immutable = true),
  ),

  of('Event', 'other namespace', object => (object.involvedObject.namespace = 'other')),
  of('Event', 'new without fields', object => (object.eventTime = '2026-01-01T00:00:00.000000Z')),
  of('EventsEvent', 'bad', object => {
    delete object.reportingController
    delete object.action
    object.type = 'Odd'
    object.deprecatedCount = 3
    object.series = { count: 1, lastObservedTime: null }
  }),
  update('EventsEvent', 'note', object => (object.note = 'other')),
  of('Lease', 'bad', object => (object.spec = { leaseDurationSeconds: 0, leaseTransitions: -1 })),

  of('Deployment', 'no selector', object => delete object.spec.selector),
  of('Deployment', 'empty selector', object => (object.spec.selector = {})),
  of('Deployment', 'selector does not match', object => (object.spec.selector = { matchLabels: { app: 'b' } })),
  of('Deployment', 'bad numbers', ({ spec }) => {
    spec.replicas = -1
    spec.minReadySeconds = -1
    spec.revisionHistoryLimit = -1
    spec.progressDeadlineSeconds = -2
  }),
  of('Deployment', 'bad template', ({ spec }) => {
    spec.template.spec.restartPolicy = 'Never'
    spec.template.spec.activeDeadlineSeconds = 5
    spec.template.spec.containers[0].name = ''
  }),
  of(
    'Deployment',
    'recreate with rolling',
    ({ spec }) => (spec.strategy = { type: 'Recreate', rollingUpdate: { maxSurge: 1 } }),
  ),
  of('Deployment', 'bad strategy', ({ spec }) => (spec.strategy = { type: 'Slowly' })),
  of('Deployment', 'both zero', ({ spec }) => (spec.strategy = { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } })),
  of(
    'Deployment',
    'bad percentages',
    ({ spec }) => (spec.strategy = { rollingUpdate: { maxSurge: 'x', maxUnavailable: '200%' } }),
  ),
  update('Deployment', 'selector', ({ spec }) => {
    spec.selector.matchLabels = { app: 'b' }
    spec.template.metadata.labels = { app: 'b' }
  }),
  of('ReplicaSet', 'bad', ({ spec }) => {
    delete spec.selector
    spec.replicas = -1
    spec.template.spec.restartPolicy = 'Never'
  }),
  update('ReplicaSet', 'selector', ({ spec }) => {
    spec.selector.matchLabels = { app: 'b' }
    spec.template.metadata.labels = { app: 'b' }
  }),

  of('Job', 'indexed', ({ spec }) => {
    spec.completionMode = 'Indexed'
    spec.completions = 3
    spec.backoffLimitPerIndex = 1
  }),
  of('Job', 'parallel', ({ spec }) => (spec.parallelism = 2)),
  of('Job', 'restart always', ({ spec }) => delete spec.template.spec.restartPolicy),
  of('Job', 'bad restart', ({ spec }) => (spec.template.spec.restartPolicy = 'Perhaps')),
  of('Job', 'bad numbers', ({ spec }) => {
    spec.parallelism = -1
    spec.completions = -1
    spec.backoffLimit = -1
    spec.activeDeadlineSeconds = -1
    spec.ttlSecondsAfterFinished = -1
  }),
  of('Job', 'indexed without completions', ({ spec }) => {
    spec.completionMode = 'Indexed'
    spec.parallelism = 1
  }),
  of('Job', 'per index without indexes', ({ spec }) => {
    spec.backoffLimitPerIndex = 1
    spec.maxFailedIndexes = 1
  }),
  of('Job', 'own selector', ({ spec }) => (spec.selector = selector)),
  of('Job', 'failure policy', ({ spec }) => {
    spec.podFailurePolicy = {
      rules: [
        { action: 'FailJob', onExitCodes: { operator: 'In', values: [2, 0], containerName: 'x' } },
        { action: 'Count', onPodConditions: [{ type: 'DisruptionTarget' }] },
        { action: 'FailIndex', onPodConditions: [{ type: 'a b' }] },
        { action: 'Ignore' },
      ],
    }
  }),
  update('Job', 'template', ({ spec }) => (spec.template.spec.containers[0].image = 'other')),
  update('Job', 'completions', ({ spec }) => (spec.completions = 5)),
  update('Job', 'parallelism', ({ spec }) => (spec.parallelism = 5)),
  update(
    'Job',
    'suspended node selector',
    ({ spec }) => (spec.template.spec.nodeSelector = { a: 'b' }),
    ({ spec }) => (spec.suspend = true),
  ),

  of('PriorityClass', 'too high', object => (object.value = 2000000000)),
  of('PriorityClass', 'system', object => (object.metadata.name = 'system-mine')),
  of('PriorityClass', 'bad policy', object => (object.preemptionPolicy = 'Some')),
  update('PriorityClass', 'value', object => (object.value = 11)),
  of('RuntimeClass', 'bad', object => {
    object.handler = 'A_'
    object.overhead = { podFixed: { cpu: '0.5', foo: '1' } }
  }),
  of('RuntimeClass', 'no handler', object => (object.handler = '')),
  update('RuntimeClass', 'handler', object => (object.handler = 'other')),

  of('Role', 'bad', object => (object.rules = [{}, { verbs: ['get'], nonResourceURLs: ['/x'] }])),
  of('ClusterRole', 'bad', object => {
    object.rules = [{ verbs: ['get'], nonResourceURLs: ['/x'], resources: ['pods'] }, { verbs: ['get'] }]
    object.aggregationRule = {}
  }),
  of('RoleBinding', 'bad', object => {
    object.roleRef = { kind: 'Some', name: '' }
    object.subjects = [
      { kind: 'Some', name: 'x' },
      { kind: 'User', name: '', apiGroup: 'x' },
      { kind: 'ServiceAccount', name: 'A_', apiGroup: 'x' },
    ]
  }),
  update('RoleBinding', 'role', object => (object.roleRef.name = 'b')),
  of('ClusterRoleBinding', 'bad', object => {
    object.roleRef.kind = 'Role'
    object.subjects = [{ kind: 'ServiceAccount', name: 'a' }]
  }),

  of('StatefulSet', 'claims', ({ spec }) => {
    spec.volumeClaimTemplates = [
      {
        metadata: { name: 'data' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      },
    ]
    spec.template.spec.containers[0].volumeMounts = [{ name: 'data', mountPath: '/data' }]
  }),
  of('StatefulSet', 'bad', ({ spec }) => {
    spec.podManagementPolicy = 'Some'
    spec.updateStrategy = { type: 'Some' }
    spec.serviceName = 'A_'
    spec.replicas = -1
    spec.selector = {}
  }),
  update('StatefulSet', 'service name', ({ spec }) => (spec.serviceName = 'b')),
  update('StatefulSet', 'replicas', ({ spec }) => (spec.replicas = 2)),
  of('DaemonSet', 'bad', ({ spec }) => {
    spec.updateStrategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } }
    spec.template.spec.restartPolicy = 'Never'
    spec.minReadySeconds = -1
  }),
  of('DaemonSet', 'both zero', ({ spec }) => {
    spec.updateStrategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } }
  }),
  update('DaemonSet', 'template', ({ spec }) => (spec.template.spec.containers[0].image = 'other')),
  of('CronJob', 'bad', ({ spec }) => {
    delete spec.schedule
    spec.concurrencyPolicy = 'Some'
    spec.failedJobsHistoryLimit = -1
    delete spec.jobTemplate.spec.template.spec.restartPolicy
  }),
  update('StorageClass', 'provisioner', object => (object.provisioner = 'y.io/p')),
  of('StorageClass', 'bad', object => (object.volumeBindingMode = 'Some')),
  of('PodDisruptionBudget', 'bad', ({ spec }) => {
    spec.minAvailable = '200%'
    spec.maxUnavailable = -1
  }),
  of('ReplicationController', 'bad', ({ spec }) => {
    spec.selector = { app: 'b' }
    spec.replicas = -1
    spec.template.spec.restartPolicy = 'Never'
  }),
  of('HorizontalPodAutoscaler', 'bad', ({ spec }) => {
    spec.minReplicas = 5
    spec.maxReplicas = 0
    spec.scaleTargetRef = {}
  }),
  of('PersistentVolumeClaim', 'bad', ({ spec }) => {
    spec.accessModes = []
    spec.resources = {}
  }),
  update('PersistentVolumeClaim', 'modes', ({ spec }) => (spec.accessModes = ['ReadWriteMany'])),
]

/** A merge patch from one object to the other. */
function mergePatchOf(from: unknown, to: unknown): unknown {
  const isObject = (value: unknown): value is Json =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
  if (!isObject(from) || !isObject(to)) return to
  const changed: Json = {}
  for (const key of new Set([...Object.keys(from), ...Object.keys(to)])) {
    if (JSON.stringify(from[key]) === JSON.stringify(to[key])) continue
    changed[key] = to[key] === undefined ? null : mergePatchOf(from[key], to[key])
  }
  return changed
}

/** The scenes of the cases: one of all creates, and one for each update. */
export function writtenScenes(cases: readonly Case[], prefix: string): Scene[] {
  const creates = new Map<string, Ask[]>()
  const updates: Scene[] = []
  for (const { name, object, update, changes } of cases) {
    const topic = topicOf(object)
    if (changes) {
      const asks = changes.map(({ below = '', type = MERGE, patch: body }, index) =>
        patch(`change ${index + 1}`, pathOf(object) + below + (index === changes.length - 1 ? DRY : ''), type, body),
      )
      updates.push({ topic, name: `${prefix} ${name}`, asks: [create('create', object), ...asks] })
    } else if (update) {
      const change = mergePatchOf(object, update)
      updates.push({
        topic,
        name: `${prefix} ${name}`,
        asks: [create('create', object), patch('update', pathOf(object) + DRY, MERGE, change)],
      })
    } else creates.set(topic, [...(creates.get(topic) ?? []), create(name, object, DRY)])
  }
  return [...[...creates].map(([topic, asks]) => ({ topic, name: prefix, asks })), ...updates]
}

export const written = () => writtenScenes(cases, 'written')
