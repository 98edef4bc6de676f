/**
 * Every admission plugin, in the order in which they run, and which of them run unless told otherwise: both are those
 * of kube-apiserver 1.36 (`pkg/kubeapiserver/options/plugins.go`).
 */
import type { Kind } from '../../api/machinery/kind.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import type { Authorizer } from '../authorization/authorizer.ts'
import type { KindReader, Registry } from '../registry/registry.ts'
import type { WebhookCaller } from '../webhooks/call.ts'
import { alwaysAdmit, alwaysDeny } from './always.ts'
import { alwaysPullImages } from './always-pull-images.ts'
import { certificateApproval } from './certificate-approval.ts'
import { certificateSigning } from './certificate-signing.ts'
import { certificateSubjectRestriction } from './certificate-subject-restriction.ts'
import { defaultIngressClass } from './default-ingress-class.ts'
import { defaultStorageClass } from './default-storage-class.ts'
import { defaultTolerationSeconds } from './default-toleration-seconds.ts'
import { denyServiceExternalIps } from './deny-service-external-ips.ts'
import { type EventLimit, eventRateLimit } from './event-rate-limit.ts'
import { extendedResourceToleration } from './extended-resource-toleration.ts'
import { limitPodHardAntiAffinityTopology } from './limit-pod-hard-anti-affinity-topology.ts'
import { limitRanger } from './limit-ranger.ts'
import { namespaceAutoProvision } from './namespace-auto-provision.ts'
import { namespaceExists } from './namespace-exists.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'
import { nodeRestriction } from './node-restriction.ts'
import { ownerReferencesPermissionEnforcement } from './owner-references-permission-enforcement.ts'
import { persistentVolumeClaimResize } from './persistent-volume-claim-resize.ts'
import type { AdmissionPlugin } from './plugin.ts'
import { podNodeSelector } from './pod-node-selector.ts'
import { podResizeValidator } from './pod-resize-validator.ts'
import { type PodSecurityOptions, podSecurity } from './pod-security.ts'
import { podTopologyLabels } from './pod-topology-labels.ts'
import { mutatingAdmissionPolicy, type PolicyDeps, validatingAdmissionPolicy } from './policies/lazy-plugin.ts'
import { priority } from './priority.ts'
import { resourceQuota } from './resource-quota.ts'
import { runtimeClass } from './runtime-class.ts'
import { serviceAccount } from './service-account.ts'
import { storageObjectInUseProtection } from './storage-object-in-use-protection.ts'
import { taintNodesByCondition } from './taint-nodes-by-condition.ts'
import { compileConditions } from './webhooks/compile-conditions.ts'
import { liveHooks } from './webhooks/hooks.ts'
import { mutatingWebhooks } from './webhooks/mutating.ts'
import { validatingWebhooks } from './webhooks/validating.ts'

/** Which plugins run, and how, as kube-apiserver's flags and AdmissionConfiguration say it. */
export interface AdmissionOptions {
  /** Plugins that run besides those that do by default. */
  readonly enable?: readonly string[]
  /** Plugins that do not run. */
  readonly disable?: readonly string[]
  readonly podSecurity?: PodSecurityOptions
  /** Limits of EventRateLimit, which does not run without them. */
  readonly eventLimits?: readonly EventLimit[]
  /** By namespace what its pods may select, and `clusterDefaultNodeSelector`. */
  readonly podNodeSelector?: Readonly<Record<string, string>>
}

export interface AdmissionDeps {
  kinds(): readonly Kind[]
  kind(key: string): Kind | undefined
  kindOf(apiVersion: string, kind: string): Kind | undefined
  reader(kind: Kind): KindReader
  create: Registry['create']
  update: Registry['update']
  readonly clock: Clock
  readonly logger: Logger
  /** A number from 0 to 1. */
  random(): number
  uuid(): string
  readonly webhooks: WebhookCaller
  readonly authorizer: Authorizer
  readonly options?: AdmissionOptions
}

/** What a plugin is made of: the dependencies, and reading by key. */
interface Parts extends AdmissionDeps {
  read(key: string): KindReader
  need(key: string): Kind
}

interface Entry {
  readonly name: string
  /** Absent: not built, or idle. */
  readonly make?: (parts: Parts) => AdmissionPlugin
  /** Runs only where it is asked for. */
  readonly off?: true
  /** Has nothing to do with what 1.36 serves by default: a feature that is off, or a kind in beta. */
  readonly idle?: true
}

const off = true
const idle = true

const REGISTRATION = 'admissionregistration.k8s.io/v1'

function webhookParts(parts: Parts, configurations: string) {
  const hooks = liveHooks(parts.read(`${REGISTRATION}/${configurations}`), {
    caller: parts.webhooks,
    compile: (conditions, ignoresFailure) => compileConditions(conditions, ignoresFailure, parts.authorizer),
  })
  const { kinds, kind, uuid, logger } = parts
  return { hooks, kinds: { kinds, kind }, namespaces: parts.read('v1/namespaces'), uuid, logger }
}

function policyParts(parts: Parts, policies: string, bindings: string): PolicyDeps {
  const { kinds, kind, kindOf, reader, authorizer } = parts
  return {
    kinds: { kinds, kind },
    namespaces: parts.read('v1/namespaces'),
    policies: parts.read(`${REGISTRATION}/${policies}`),
    bindings: parts.read(`${REGISTRATION}/${bindings}`),
    authorize: authorizer,
    kindOf,
    reader,
  }
}

const PLUGINS: readonly Entry[] = [
  { name: 'AlwaysAdmit', off, make: () => alwaysAdmit },
  {
    name: 'NamespaceAutoProvision',
    off,
    make: ({ need, read, create }) =>
      namespaceAutoProvision({ kind: need('v1/namespaces'), namespaces: read('v1/namespaces'), create }),
  },
  { name: 'NamespaceLifecycle', make: ({ read }) => namespaceLifecycle(read('v1/namespaces')) },
  { name: 'NamespaceExists', off, make: ({ read }) => namespaceExists(read('v1/namespaces')) },
  { name: 'LimitPodHardAntiAffinityTopology', off, make: () => limitPodHardAntiAffinityTopology },
  { name: 'LimitRanger', make: ({ read }) => limitRanger(read('v1/limitranges')) },
  {
    name: 'ServiceAccount',
    make: ({ read, clock, random }) => serviceAccount({ accounts: read('v1/serviceaccounts'), clock, random }),
  },
  // Off in kube-apiserver unless nodes are authorized as such; here they always are.
  {
    name: 'NodeRestriction',
    make: ({ read, authorizer }) =>
      nodeRestriction({
        pods: read('v1/pods'),
        nodes: read('v1/nodes'),
        claims: read('v1/persistentvolumeclaims'),
        volumes: read('v1/persistentvolumes'),
        drivers: read('storage.k8s.io/v1/csidrivers'),
        authorize: authorizer,
      }),
  },
  { name: 'TaintNodesByCondition', make: () => taintNodesByCondition },
  { name: 'AlwaysPullImages', off, make: () => alwaysPullImages },
  { name: 'ImagePolicyWebhook', off },
  {
    name: 'PodSecurity',
    make: ({ read, options }) =>
      podSecurity({
        namespaces: read('v1/namespaces'),
        pods: read('v1/pods'),
        ...(options?.podSecurity && { options: options.podSecurity }),
      }),
  },
  {
    name: 'PodNodeSelector',
    off,
    make: ({ read, options }) => podNodeSelector(read('v1/namespaces'), options?.podNodeSelector),
  },
  { name: 'Priority', make: ({ read }) => priority(read('scheduling.k8s.io/v1/priorityclasses')) },
  { name: 'DefaultTolerationSeconds', make: () => defaultTolerationSeconds },
  { name: 'PodTolerationRestriction', off },
  {
    name: 'EventRateLimit',
    off,
    make({ clock, options }) {
      if (!options?.eventLimits)
        throw new Error('admission plugin "EventRateLimit" needs its limits: name them in an AdmissionConfiguration')
      return eventRateLimit(options.eventLimits, clock)
    },
  },
  { name: 'ExtendedResourceToleration', off, make: () => extendedResourceToleration },
  { name: 'DefaultStorageClass', make: ({ read }) => defaultStorageClass(read('storage.k8s.io/v1/storageclasses')) },
  { name: 'StorageObjectInUseProtection', make: () => storageObjectInUseProtection },
  { name: 'PodGroupProtection', idle },
  {
    name: 'OwnerReferencesPermissionEnforcement',
    off,
    make: ({ authorizer, kinds }) => ownerReferencesPermissionEnforcement({ authorize: authorizer, kinds }),
  },
  {
    name: 'PersistentVolumeClaimResize',
    make: ({ read }) => persistentVolumeClaimResize(read('storage.k8s.io/v1/storageclasses')),
  },
  { name: 'RuntimeClass', make: ({ read }) => runtimeClass(read('node.k8s.io/v1/runtimeclasses')) },
  { name: 'CertificateApproval', make: ({ authorizer }) => certificateApproval(authorizer) },
  { name: 'CertificateSigning', make: ({ authorizer }) => certificateSigning(authorizer) },
  { name: 'ClusterTrustBundleAttest', idle },
  { name: 'CertificateSubjectRestriction', make: () => certificateSubjectRestriction },
  { name: 'DefaultIngressClass', make: ({ read }) => defaultIngressClass(read('networking.k8s.io/v1/ingressclasses')) },
  { name: 'DenyServiceExternalIPs', off, make: () => denyServiceExternalIps },
  { name: 'PodTopologyLabels', make: ({ read }) => podTopologyLabels(read('v1/nodes')) },
  { name: 'PodGroupWorkloadExists', idle },
  { name: 'NodeDeclaredFeatureValidator', idle },
  { name: 'JobValidation', idle },
  { name: 'PodResizeValidator', make: ({ read }) => podResizeValidator(read('v1/nodes')) },
  {
    name: 'MutatingAdmissionPolicy',
    make: parts =>
      mutatingAdmissionPolicy(policyParts(parts, 'mutatingadmissionpolicies', 'mutatingadmissionpolicybindings')),
  },
  {
    name: 'MutatingAdmissionWebhook',
    make: parts => mutatingWebhooks(webhookParts(parts, 'mutatingwebhookconfigurations')),
  },
  {
    name: 'ValidatingAdmissionPolicy',
    make: parts =>
      validatingAdmissionPolicy(policyParts(parts, 'validatingadmissionpolicies', 'validatingadmissionpolicybindings')),
  },
  {
    name: 'ValidatingAdmissionWebhook',
    make: parts => validatingWebhooks(webhookParts(parts, 'validatingwebhookconfigurations')),
  },
  { name: 'ResourceQuota', make: parts => resourceQuota({ ...parts, quotaKind: parts.need('v1/resourcequotas') }) },
  { name: 'AlwaysDeny', off, make: () => alwaysDeny },
]

/** Refuses names that mean nothing, and plugins that would silently do nothing. */
function check({ enable = [], disable = [] }: AdmissionOptions): void {
  for (const name of [...enable, ...disable])
    if (!PLUGINS.some(each => each.name === name))
      throw new Error(`admission plugin ${JSON.stringify(name)} is unknown`)
  for (const name of enable) {
    if (disable.includes(name)) throw new Error(`admission plugin ${JSON.stringify(name)} is both enabled and disabled`)
    const entry = PLUGINS.find(each => each.name === name)!
    if (!entry.make && !entry.idle) throw new Error(`admission plugin ${JSON.stringify(name)} is not built yet`)
  }
}

/** Makes the plugins over a registry. Throws an Error for options that name a plugin that is not there. */
export function admissionPlugins(deps: AdmissionDeps): AdmissionPlugin[] {
  const { options = {} } = deps
  check(options)
  const need = (key: string) => {
    const kind = deps.kind(key)
    if (!kind) throw new Error(`admission needs the kind ${key}, which is not served`)
    return kind
  }
  const parts: Parts = { ...deps, need, read: key => deps.reader(need(key)) }
  return PLUGINS.flatMap(({ name, make, off }) => {
    const runs = options.enable?.includes(name) || (!off && !options.disable?.includes(name))
    return make && runs ? [make(parts)] : []
  })
}
