/** Rules of pods and their containers. */
import type { Json } from '../../bases/base.ts'
import { type Case, changed, of, update } from '../written.ts'

const pod = (name: string, change: (spec: Json, container: Json) => void) =>
  of('Pod', name, ({ spec }) => change(spec, spec.containers[0]))
const status = (name: string, ...args: readonly [...Json[], (spec: Json) => void]) => {
  const change = args.at(-1) as (spec: Json) => void
  const steps = args.slice(0, -1).map(each => ({ below: '/status', patch: { status: each } }))
  return changed('Pod', `status: ${name}`, steps, ({ spec }) => change(spec))
}
const resources = (name: string, value: Json) =>
  pod(`resources: ${name}`, (_, container) => (container.resources = value))
const secured = (name: string, securityContext: Json) =>
  pod(`security: ${name}`, (_, container) => Object.assign(container, { securityContext }))
const armored = (name: string, appArmorProfile: Json) => secured(name, { appArmorProfile })
const variable = (name: string, valueFrom: Json) =>
  pod(`variable: ${name}`, (_, container) => (container.env = [{ name: 'A', valueFrom }]))
const signal = (name: string, stopSignal: string, os?: string) =>
  pod(`stop signal: ${name}`, (spec, container) => {
    if (os) spec.os = { name: os }
    container.lifecycle = { stopSignal }
  })

const long = (length: number) => 'a'.repeat(length)
const many = <T>(count: number, each: (index: number) => T) => Array.from({ length: count }, (_, index) => each(index))
const restart = { action: 'Restart', exitCodes: { operator: 'In', values: [42] } }
const once = (spec: Json) => (spec.restartPolicy = 'Never')
const ended = { containerStatuses: [{ name: 'c', image: 'x', imageID: '', state: { terminated: { exitCode: 0 } } }] }
const going = { containerStatuses: [{ name: 'c', image: 'x', imageID: '', state: { running: {} } }] }

export const pods: readonly Case[] = [
  pod('prefix of bad form', (_, container) => (container.envFrom = [{ prefix: 'a=b', secretRef: { name: 's' } }])),
  pod('mounts beside devices', (spec, container) => {
    spec.volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }]
    container.volumeDevices = [{ name: 'v', devicePath: '/dev/x' }]
    container.volumeMounts = [{ name: 'v', mountPath: '/dev/x' }]
  }),
  pod('two ways below a mount', (spec, container) => {
    spec.volumes = [{ name: 'v', emptyDir: {} }]
    container.volumeMounts = [{ name: 'v', mountPath: '/x', subPath: 'a', subPathExpr: 'b' }]
  }),
  pod('many rules of restarts', (spec, container) => {
    once(spec)
    Object.assign(container, { restartPolicy: 'Never', restartPolicyRules: many(21, () => restart) })
  }),
  pod('many exit codes', (spec, container) => {
    once(spec)
    const exitCodes = { operator: 'In', values: many(256, index => index) }
    Object.assign(container, { restartPolicy: 'Never', restartPolicyRules: [{ action: 'Restart', exitCodes }] })
  }),
  signal('without a system', 'SIGTERM'),
  signal('of another system', 'SIGHUP', 'windows'),
  signal('that is none', 'TERM', 'linux'),
  pod('probe without a path', (_, container) => (container.livenessProbe = { httpGet: { port: 80, path: '' } })),

  variable('annotation of a bad name', { fieldRef: { fieldPath: "metadata.annotations['A b']" } }),
  variable('one of what is not many', { fieldRef: { fieldPath: "spec.nodeName['x']" } }),
  variable('odd divisor of memory', { resourceFieldRef: { resource: 'limits.memory', divisor: '3' } }),
  variable('odd divisor of huge pages', { resourceFieldRef: { resource: 'limits.hugepages-2Mi', divisor: '3' } }),
  variable('odd divisor of local storage', {
    resourceFieldRef: { resource: 'limits.ephemeral-storage', divisor: '3' },
  }),
  variable('file of bad names', { fileKeyRef: { key: 'a=b', volumeName: 'A_', path: '../x' } }),

  resources('claim twice', { claims: [{ name: 'r' }, { name: 'r' }, { name: 'r', request: 'x' }] }),
  resources('huge pages alone', { limits: { 'hugepages-2Mi': '2Mi' } }),
  resources('fewer huge pages asked for', {
    limits: { 'hugepages-2Mi': '4Mi', cpu: '1' },
    requests: { 'hugepages-2Mi': '2Mi' },
  }),
  resources('name of a quota', { limits: { 'requests.example.com/x': '1' } }),
  pod('as a whole: resource without a domain', spec => (spec.resources = { limits: { odd: '1', cpu: '1' } })),
  pod('as a whole: fewer huge pages', (spec, container) => {
    spec.resources = { limits: { 'hugepages-2Mi': '2Mi', cpu: '1' } }
    container.resources = { limits: { 'hugepages-2Mi': '4Mi', cpu: '1' } }
  }),

  secured('unmasked', { procMount: 'Unmasked' }),
  secured('no more rights, and all of them', {
    allowPrivilegeEscalation: false,
    capabilities: { add: ['CAP_SYS_ADMIN'] },
  }),
  armored('profile without a name', { type: 'Localhost' }),
  armored('padded name', { type: 'Localhost', localhostProfile: ' a' }),
  armored('long name', { type: 'Localhost', localhostProfile: long(4096) }),
  pod('credentials that are too large', spec => {
    spec.os = { name: 'windows' }
    spec.securityContext = { windowsOptions: { gmsaCredentialSpec: long(65_537) } }
  }),
  pod('windows with processes of the host', spec => {
    Object.assign(spec, { os: { name: 'windows' }, hostPID: true, hostIPC: true, shareProcessNamespace: true })
  }),

  pod('users of its own, network of the host', spec => Object.assign(spec, { hostUsers: false, hostNetwork: true })),
  pod('another host name, network of the host', spec =>
    Object.assign(spec, { hostnameOverride: 'h', hostNetwork: true }),
  ),
  pod('another host name, full', spec => Object.assign(spec, { hostnameOverride: 'h', setHostnameAsFQDN: true })),
  pod('many names to look up', spec => {
    spec.dnsConfig = {
      nameservers: ['1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4'],
      searches: many(33, index => `${long(63)}.x${index}`),
    }
  }),
  of('Pod', 'nothing', object => delete object.spec),
  of('PodTemplate', 'nothing', object => (object.template = {})),
  of('Deployment', 'no template', ({ spec }) => delete spec.template),
  of('ReplicationController', 'no pods', ({ spec }) => (spec.template = { metadata: { labels: { app: 'a' } } })),
  pod('keys that match and do not', spec => {
    const term = { topologyKey: 'zone', labelSelector: {}, matchLabelKeys: ['a'], mismatchLabelKeys: ['a'] }
    spec.affinity = { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } }
  }),
  of('Pod', 'token without an account', object => {
    object.metadata.annotations = { 'kubernetes.io/config.mirror': 'x' }
    const projected = { sources: [{ serviceAccountToken: { path: 'p' } }] }
    Object.assign(object.spec, { nodeName: 'n', volumes: [{ name: 'v', projected }] })
  }),

  status('ended, and going again', ended, going, once),
  status(
    'claims for extended resources',
    {
      extendedResourceClaimStatus: {
        requestMappings: [
          { containerName: 'odd', resourceName: 'example.com/x', requestName: 'A_' },
          { containerName: 'c', resourceName: 'example.com/x', requestName: 'r' },
        ],
        resourceClaimName: 'A_',
      },
    },
    once,
  ),
  update('Pod', 'nothing that may change', ({ spec }) => (spec.hostname = 'x')),
]
