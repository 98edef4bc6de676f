import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Container, EphemeralContainer, PodSpec, VolumeProjection } from '../../generated/types/core-v1.ts'
import type { RuleContext } from '../../machinery/kind.ts'
import { Pod } from './pod.ts'

const container = (more: Partial<Container> = {}): Container => ({ name: 'c', image: 'i', ...more })

function made(spec: Partial<PodSpec>, status?: Pod['status']): Pod {
  const pod = {
    metadata: { name: 'p' },
    spec: { containers: [container()], ...spec },
    ...(status && { status }),
  } as Pod
  const copy = structuredClone(pod)
  Pod.defaults!(copy)
  return copy
}

function problems(next: Pod, old?: Pod, subresource = ''): string[] {
  const context: RuleContext = { subresource, now: 0 }
  const errors = Pod.rules!.flatMap(rule => rule(next, old, context))
  return errors.map(({ field, message }) => `${field}: ${message.split('\n')[0]}`)
}

const env = (valueFrom: NonNullable<Container['env']>[number]['valueFrom']) => ({
  containers: [container({ env: [{ name: 'A', valueFrom }] as NonNullable<Container['env']> })],
})
const ENV = 'spec.containers[0].env[0].valueFrom'
const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
const windows = (hostProcess: boolean) => ({ windowsOptions: { hostProcess } })

const signalled = (stopSignal: string, os?: string): Partial<PodSpec> => ({
  ...(os && { os: { name: os } }),
  containers: [container({ lifecycle: { stopSignal } })],
})
const SIGNAL = 'spec.containers[0].lifecycle.stopSignal'
const bundled = (clusterTrustBundle: VolumeProjection['clusterTrustBundle'] & {}): Partial<PodSpec> => ({
  volumes: [{ name: 'v', projected: { sources: [{ clusterTrustBundle }] } }],
})
const BUNDLE = 'spec.volumes[0].projected.sources[0].clusterTrustBundle'

const created: readonly [what: string, spec: Partial<PodSpec>, ...said: string[]][] = [
  ['a plain pod', {}],
  [
    'a token without an account',
    { volumes: [{ name: 'v', projected: { sources: [{ serviceAccountToken: { path: 'p' } }] } }] },
    'spec.volumes[0].projected.sources[0].serviceAccountToken: Forbidden: must not be specified when serviceAccountName is not set',
  ],
  ['a signal', signalled('SIGRTMIN+3', 'linux')],
  [
    'a signal for no system',
    signalled('SIGTERM'),
    `${SIGNAL}: Forbidden: may not be set for containers with empty \`spec.os.name\``,
  ],
  [
    'a signal for another system',
    signalled('SIGHUP', 'windows'),
    `${SIGNAL}: Unsupported value: "SIGHUP": supported values: "SIGKILL", "SIGTERM"`,
  ],
  [
    'a signal that is none',
    signalled('TERM', 'linux'),
    `${SIGNAL}: Invalid value: "TERM": must be the name of a signal, such as SIGTERM`,
  ],
  ['a bundle of trust by its name', bundled({ name: 'a', path: 'p' })],
  [
    'a bundle of trust by name and signer',
    bundled({ name: 'a', signerName: 'b', path: 'p' }),
    `${BUNDLE}: Invalid value: {"name":"a","signerName":"b","path":"p"}: only one of name and signerName may be used`,
  ],
  [
    'a bundle of nothing',
    bundled({ path: '' }),
    `${BUNDLE}: Required value: either name or signerName must be specified`,
    `${BUNDLE}.path: Required value`,
  ],
  [
    'a field of another version',
    env({ fieldRef: { apiVersion: 'v2', fieldPath: 'metadata.name' } }),
    `${ENV}.fieldRef.fieldPath: Invalid value: "metadata.name": error converting fieldPath: unsupported pod version: v2`,
  ],
  [
    'a resource that is none',
    env({ resourceFieldRef: { resource: 'limits.x', divisor: '3' } }),
    `${ENV}.resourceFieldRef.resource: Unsupported value: "limits.x": supported values: "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"`,
  ],
  [
    'a variable of no file',
    env({ fileKeyRef: { key: '', path: '../x', volumeName: 'v' } }),
    `${ENV}.fileKeyRef.key: Required value`,
    `${ENV}.fileKeyRef.path: Invalid value: "../x": must not contain '..'`,
    `${ENV}.fileKeyRef.volumeName: Not found: "v"`,
  ],
  [
    'a variable in a volume that is no empty directory',
    {
      ...env({ fileKeyRef: { key: 'A', path: 'x', volumeName: 'v' } }),
      volumes: [{ name: 'v', hostPath: { path: '/x' } }],
    },
    `${ENV}.fileKeyRef.volumeName: Invalid value: "v": referenced volume must be of type emptyDir`,
  ],
  [
    'rules of restarts without a policy, of init containers',
    { initContainers: [container({ name: 'i', restartPolicyRules: [{ action: '' }] })] },
    'spec.initContainers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used',
  ],
  [
    'kernel parameters of the node',
    {
      hostNetwork: true,
      hostIPC: true,
      securityContext: {
        sysctls: ['net.core.somaxconn', 'kernel.sem', 'kernel.x'].map(name => ({ name, value: '1' })),
      },
    },
    `spec.securityContext.sysctls[0].name: Invalid value: "net.core.somaxconn": may not be specified when 'hostNetwork' is true`,
    `spec.securityContext.sysctls[1].name: Invalid value: "kernel.sem": may not be specified when 'hostIPC' is true`,
  ],
  [
    'a policy of SELinux behind a gate',
    { securityContext: { seLinuxChangePolicy: 'MountOption' } },
    'spec.securityContext.seLinuxChangePolicy: Unsupported value: "MountOption": supported values: "Recursive"',
  ],
  [
    'names of claims',
    { resourceClaims: [{ name: 'a', resourceClaimName: 'X' }] },
    `spec.resourceClaims[0].resourceClaimName: Invalid value: "X": ${subdomain}`,
  ],
  [
    'processes of the node beside others',
    {
      os: { name: 'windows' },
      containers: [container({ securityContext: windows(true) }), container({ name: 'd' })],
    },
    'spec: Invalid value: "": If pod contains any hostProcess containers then all containers must be HostProcess containers',
    'spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any hostProcess containers',
  ],
  [
    'processes of the node, which the pod denies',
    {
      os: { name: 'windows' },
      hostNetwork: true,
      securityContext: windows(false),
      containers: [container({ securityContext: windows(true) })],
    },
    'spec.containers[0].securityContext.windowsOptions.hostProcess: Invalid value: true: pod hostProcess value must be identical if both are specified, was false',
  ],
  [
    'a mount that is propagated to nowhere',
    {
      volumes: [{ name: 'v', emptyDir: {} }],
      containers: [container({ volumeMounts: [{ name: 'v', mountPath: '/v', mountPropagation: '' as 'None' }] })],
    },
    'spec.containers[0].volumeMounts.mountPropagation: Unsupported value: "": supported values: "Bidirectional", "HostToContainer", "None"',
  ],
  [
    'resources of the pod as a whole',
    {
      resources: {
        requests: { cpu: '1', 'example.com/x': '1' },
        limits: { cpu: '1', 'example.com/x': '1' },
        claims: [],
      },
      containers: [container({ resources: { requests: { cpu: '2' }, limits: { cpu: '2' } } })],
    },
    'spec.resources.claims: Forbidden: claims may not be set for Resources at pod-level',
    'spec.resources.limits[example.com/x]: Unsupported value: "example.com/x": supported values: "cpu", "hugepages-", "memory"',
    'spec.resources.requests[example.com/x]: Unsupported value: "example.com/x": supported values: "cpu", "hugepages-", "memory"',
    'spec.resources.requests[cpu]: Invalid value: "1": must be greater than or equal to aggregate container requests of 2',
    'spec.resources.containers[0][cpu].limits: Invalid value: "2": must be less than or equal to pod limits of 1',
  ],
  [
    'a volume of many kinds',
    {
      volumes: [{ name: 'v', cephfs: { monitors: ['m'] }, downwardAPI: {}, emptyDir: {} }] as PodSpec['volumes'] &
        object,
    },
    'spec.volumes[0].cephFS: Forbidden: may not specify more than 1 volume type',
    'spec.volumes[0].downwarAPI: Forbidden: may not specify more than 1 volume type',
  ],
  ['a volume of no image', { volumes: [{ name: 'v', image: {} }] }, 'spec.volumes[0].image.reference: Required value'],
  [
    'a volume that is an image beside something else',
    { volumes: [{ name: 'v', emptyDir: {}, image: {} }] },
    'spec.volumes[0].image: Forbidden: may not specify more than 1 volume type',
  ],
  [
    'resources of the pod as a whole, on Windows',
    { os: { name: 'windows' }, resources: { limits: { cpu: '1' } } },
    'spec.resources: Forbidden: may not be set for a windows pod',
  ],
]

for (const [what, spec, ...said] of created) {
  test(`Pod says what is wrong with ${what}`, () => assert.deepEqual(problems(made(spec)), said))
}

const UPDATES =
  'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'

const updated: readonly [what: string, next: Partial<PodSpec>, old: Partial<PodSpec>, ...said: string[]][] = [
  ['an empty map in place of none', { nodeSelector: {} }, {}],
  [
    'a zero that was said, and is no more',
    env({ secretKeyRef: { name: 's', key: 'k' } }),
    env({ secretKeyRef: { name: 's', key: 'k', optional: false } }),
    UPDATES,
  ],
  [
    'a deadline in the past',
    { activeDeadlineSeconds: -1 },
    { activeDeadlineSeconds: 5 },
    'spec.activeDeadlineSeconds: Invalid value: -1: must be between 1 and 2147483647, inclusive',
    'spec.activeDeadlineSeconds: Invalid value: -1: must be between 0 and 2147483647, inclusive',
  ],
  [
    'a policy of SELinux that it had',
    { securityContext: { seLinuxChangePolicy: 'x' } },
    { securityContext: { seLinuxChangePolicy: 'Recursive' } },
    'spec.securityContext.seLinuxChangePolicy: Unsupported value: "x": supported values: "MountOption", "Recursive"',
    UPDATES,
  ],
]

for (const [what, next, old, ...said] of updated) {
  test(`Pod judges an update with ${what}`, () => assert.deepEqual(problems(made(next), made(old)), said))
}

test('Pod judges addresses and claims in its status', () => {
  const status = {
    podIPs: [{ ip: '10.0.0.1' }, { ip: '' }],
    resourceClaimStatuses: [{ name: 'a' }, { name: 'b' }, { name: 'a', resourceClaimName: 'X' }],
  }
  const claims = { resourceClaims: [{ name: 'a', resourceClaimName: 'x' }] }
  assert.deepEqual(problems(made(claims, status), made(claims), 'status'), [
    'status.resourceClaimStatuses[1].name: Invalid value: "b": must match the name of an entry in `spec.resourceClaims`',
    'status.resourceClaimStatuses[2].name: Duplicate value: "a"',
    `status.resourceClaimStatuses[2].resourceClaimName: Invalid value: "X": ${subdomain}`,
    'status.podIPs[1]: Invalid value: "": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    'status.podIPs: Internal error: failed to check for dual stack with error:invalid IP[1]: ',
    'status.podIPs: Invalid value: [{"IP":"10.0.0.1"},{"IP":""}]: may specify no more than one IP for each IP family',
  ])
})

const debug = { name: 'debug', image: 'i' }
const volumes = [{ name: 'v', emptyDir: {} }]
const withDebug = (...ephemeralContainers: EphemeralContainer[]) => made({ volumes, ephemeralContainers })
const CANNOT = 'Forbidden: cannot be set for an Ephemeral Container'

test('Pod takes ephemeral containers with names of their own, and without what they cannot have', () => {
  const old = withDebug()
  const said = (...containers: EphemeralContainer[]) =>
    problems(withDebug(...containers), old, 'ephemeralcontainers').map(each =>
      each.replace('spec.ephemeralContainers', ''),
    )
  assert.deepEqual(said({ ...debug, targetContainerName: 'c' }), [])
  assert.deepEqual(said({ ...debug, name: 'c' }, { ...debug, targetContainerName: 'debug' }), [
    '[0].name: Duplicate value: "c"',
    '[1].targetContainerName: Not found: "debug"',
  ])
  const volumeMounts = [
    { name: 'v', mountPath: '/x', subPath: 'a' },
    { name: 'v', mountPath: '/y', subPathExpr: 'a' },
  ]
  const ports = [{ containerPort: 80 }]
  assert.deepEqual(said({ ...debug, ports, volumeMounts, resources: { limits: { cpu: '1' } } }), [
    `[0].ports: ${CANNOT}`,
    `[0].resources: ${CANNOT}`,
    `[0].volumeMounts[0].subPath: ${CANNOT}`,
    `[0].volumeMounts[1].subPathExpr: ${CANNOT}`,
  ])
})

test('Pod keeps its ephemeral containers as they are', () => {
  const said = (next: Pod) => problems(next, withDebug(debug), 'ephemeralcontainers')
  const existing = 'spec.ephemeralContainers: Forbidden: existing ephemeral containers "debug" may not be'
  assert.deepEqual(said(withDebug(debug, { ...debug, name: 'more' })), [])
  assert.deepEqual(said(withDebug()), [`${existing} removed`])
  assert.deepEqual(said(withDebug({ ...debug, image: 'j' })), [`${existing} changed`])
})

test('Pod drops what is behind gates', () => {
  const pod = made({
    containers: [
      container({ lifecycle: { stopSignal: 'SIGTERM' } }),
      container({ name: 'd', lifecycle: { stopSignal: 'SIGTERM', preStop: { sleep: { seconds: 1 } } } }),
    ],
  })
  pod.spec!.schedulingGroup = {}
  Pod.prepareCreate!(pod)
  assert.equal(pod.spec!.schedulingGroup, undefined)
  assert.deepEqual(
    pod.spec!.containers.map(({ lifecycle }) => lifecycle),
    [undefined, { preStop: { sleep: { seconds: 1 } } }],
  )
})
