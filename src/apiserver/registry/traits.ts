/** Small differences between kinds in the generic registry, as upstream's strategies have them. */
import type { Kind } from '../../api/machinery/kind.ts'

/** A PUT or patch without resourceVersion is refused. */
const CONDITIONAL = new Set([
  'apiextensions.k8s.io/v1/customresourcedefinitions',
  'apiregistration.k8s.io/v1/apiservices',
  'admissionregistration.k8s.io/v1/mutatingadmissionpolicies',
  'admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings',
  'admissionregistration.k8s.io/v1/mutatingwebhookconfigurations',
  'admissionregistration.k8s.io/v1/validatingadmissionpolicies',
  'admissionregistration.k8s.io/v1/validatingadmissionpolicybindings',
  'admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
  'coordination.k8s.io/v1/leases',
  'node.k8s.io/v1/runtimeclasses',
  'policy/v1/poddisruptionbudgets',
  'storage.k8s.io/v1/csidrivers',
  'storage.k8s.io/v1/csinodes',
  'storage.k8s.io/v1/csistoragecapacities',
  'storage.k8s.io/v1/volumeattachments',
])

/** A PUT of an object that does not exist creates it. */
const CREATED_BY_UPDATE = new Set([
  'coordination.k8s.io/v1/leases',
  'events.k8s.io/v1/events',
  'node.k8s.io/v1/runtimeclasses',
  'rbac.authorization.k8s.io/v1/clusterrolebindings',
  'rbac.authorization.k8s.io/v1/clusterroles',
  'rbac.authorization.k8s.io/v1/rolebindings',
  'rbac.authorization.k8s.io/v1/roles',
  'v1/endpoints',
  'v1/events',
  'v1/limitranges',
  'v1/services',
])

/** The status endpoint leaves metadata alone; with the other kinds it changes with the status. */
const METADATA_KEPT_ON_STATUS = new Set([
  'admissionregistration.k8s.io/v1/validatingadmissionpolicies',
  'apiregistration.k8s.io/v1/apiservices',
  'flowcontrol.apiserver.k8s.io/v1/flowschemas',
  'flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations',
  'networking.k8s.io/v1/servicecidrs',
  'resource.k8s.io/v1/resourceclaims',
  'storage.k8s.io/v1/volumeattachments',
])

/** A completed delete answers with the object; the others answer with a Status. */
const RETURNS_DELETED = new Set([
  'resource.k8s.io/v1/deviceclasses',
  'resource.k8s.io/v1/resourceclaims',
  'resource.k8s.io/v1/resourceclaimtemplates',
  'resource.k8s.io/v1/resourceslices',
  'storage.k8s.io/v1/csidrivers',
  'storage.k8s.io/v1/csinodes',
  'storage.k8s.io/v1/storageclasses',
  'storage.k8s.io/v1/volumeattachments',
  'storage.k8s.io/v1/volumeattributesclasses',
  'v1/namespaces',
  'v1/persistentvolumeclaims',
  'v1/persistentvolumes',
  'v1/pods',
  'v1/podtemplates',
  'v1/resourcequotas',
  'v1/serviceaccounts',
  'v1/services',
])

const JOBS = 'batch/v1/jobs'
const ORPHANING = new Set(['v1/replicationcontrollers', JOBS])
const EVENTS = new Set(['v1/events', 'events.k8s.io/v1/events'])

export const allowsUnconditionalUpdate = (kind: Kind) => !kind.custom && !CONDITIONAL.has(kind.key)
export const allowsCreateOnUpdate = (kind: Kind) => CREATED_BY_UPDATE.has(kind.key)
export const keepsMetadataOnStatus = (kind: Kind) => METADATA_KEPT_ON_STATUS.has(kind.key)
export const returnsDeleted = (kind: Kind) => RETURNS_DELETED.has(kind.key)
/** Dependents of a deleted object stay unless asked otherwise. */
export const orphansByDefault = (kind: Kind) => ORPHANING.has(kind.key)
/** Nothing depends on objects of the kind: garbage collection is not asked. */
export const hasNoDependents = (kind: Kind) => EVENTS.has(kind.key)
/** A delete is a mark on the object first, which others remove in the end. */
export const isMarkedFirst = (kind: Kind) => kind.key === 'v1/namespaces'
/** An object without a name gets one. */
export const isNamedByServer = (kind: Kind) => kind.key === 'v1/limitranges'
/** Metadata is judged by itself, once all else is right. */
export const judgesMetadataLast = (kind: Kind) => kind.key === 'v1/events'
/** Their metadata is judged by rules without core's own additions: finalizers need no domain. */
const WITHOUT_CORE_RULES = {
  groups: new Set(['admissionregistration.k8s.io', 'apiextensions.k8s.io', 'apiregistration.k8s.io']),
  keys: new Set([
    'coordination.k8s.io/v1/leases',
    'node.k8s.io/v1/runtimeclasses',
    'policy/v1/poddisruptionbudgets',
    'v1/events',
  ]),
}
/** Finalizers need no domain. */
export const takesAnyFinalizer = (kind: Kind) =>
  kind.custom !== undefined || WITHOUT_CORE_RULES.groups.has(kind.group) || WITHOUT_CORE_RULES.keys.has(kind.key)
const KEPT_AS_JSON = new Set(['apiextensions.k8s.io', 'apiregistration.k8s.io'])
/** Kept as JSON upstream, as custom kinds are, which tells an empty list from none. */
export const isKeptAsJson = (kind: Kind) => KEPT_AS_JSON.has(kind.group)
/** What one is told who deletes an object of the kind and does not say what is to become of its dependents. */
export const unsaidPropagation = (kind: Kind) =>
  kind.key === JOBS
    ? 'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning'
    : undefined
