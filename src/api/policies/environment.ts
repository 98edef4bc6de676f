import { type Environment, extend } from '../machinery/cel/environment.ts'
import { KUBERNETES, KUBERNETES_MUTATIONS } from '../machinery/cel/kubernetes.ts'
import { AUTHORIZER, RESOURCE_CHECK } from '../machinery/cel/library/authorizer.ts'
import { BOOL, type CelType, DYN, INT, listOf, mapOf, objectType, STRING, TIMESTAMP } from '../machinery/cel/types.ts'

/** An object type of the given fields. */
function fieldsOf(name: string, fields: Readonly<Record<string, CelType>>): CelType {
  return objectType(name, field => (Object.hasOwn(fields, field) ? fields[field] : undefined))
}

const GVK = fieldsOf('kubernetes.GroupVersionKind', { group: STRING, version: STRING, kind: STRING })
const GVR = fieldsOf('kubernetes.GroupVersionResource', { group: STRING, version: STRING, resource: STRING })
const USER = fieldsOf('kubernetes.UserInfo', {
  username: STRING,
  uid: STRING,
  groups: listOf(STRING),
  extra: mapOf(STRING, listOf(STRING)),
})

/** The variable `request`: an AdmissionRequest without its objects. */
export const REQUEST: CelType = fieldsOf('kubernetes.AdmissionRequest', {
  kind: GVK,
  resource: GVR,
  subResource: STRING,
  requestKind: GVK,
  requestResource: GVR,
  requestSubResource: STRING,
  name: STRING,
  namespace: STRING,
  operation: STRING,
  userInfo: USER,
  dryRun: BOOL,
  options: DYN,
})

const CONDITION = fieldsOf('kubernetes.NamespaceCondition', {
  status: STRING,
  type: STRING,
  lastTransitionTime: TIMESTAMP,
  message: STRING,
  reason: STRING,
})
const METADATA = fieldsOf('kubernetes.NamespaceMetadata', {
  name: STRING,
  generateName: STRING,
  namespace: STRING,
  labels: mapOf(STRING, STRING),
  annotations: mapOf(STRING, STRING),
  UID: STRING,
  creationTimestamp: TIMESTAMP,
  deletionGracePeriodSeconds: INT,
  deletionTimestamp: TIMESTAMP,
  generation: INT,
  resourceVersion: STRING,
  finalizers: listOf(STRING),
})

/** The variable `namespaceObject`. */
export const NAMESPACE: CelType = fieldsOf('kubernetes.Namespace', {
  metadata: METADATA,
  spec: fieldsOf('kubernetes.NamespaceSpec', { finalizers: listOf(STRING) }),
  status: fieldsOf('kubernetes.NamespaceStatus', { conditions: listOf(CONDITION), phase: STRING }),
})

/** Which variables an expression of a policy or webhook may use besides those that are always there. */
export interface PolicyVariables {
  readonly params?: boolean
  readonly authorizer?: boolean
  /** The expression changes objects: it may build `Object{…}` and `JSONPatch{…}`. */
  readonly mutation?: boolean
  /** Types of `object` and `oldObject`, for type checking; anything otherwise. */
  readonly object?: CelType
  /** The type of `params`, for type checking. */
  readonly paramsType?: CelType
}

/** The environment of expressions about requests: `object`, `oldObject`, `request`, `namespaceObject` and those chosen. */
export function policyEnvironment(variables: PolicyVariables): Environment {
  const object = variables.object ?? DYN
  return extend(variables.mutation ? KUBERNETES_MUTATIONS : KUBERNETES, {
    object,
    oldObject: object,
    request: REQUEST,
    namespaceObject: NAMESPACE,
    ...(variables.params && { params: variables.paramsType ?? DYN }),
    ...(variables.authorizer && { authorizer: AUTHORIZER, 'authorizer.requestResource': RESOURCE_CHECK }),
  })
}
