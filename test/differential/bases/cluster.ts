import { type Base, basesOf, FULL_SELECTOR, type Json, NAMESPACE, SELECTOR } from './base.ts'

const RBAC = 'rbac.authorization.k8s.io'
const ADMISSION = 'admissionregistration.k8s.io/v1'
const rule = {
  operations: ['CREATE', 'UPDATE'],
  apiGroups: ['apps'],
  apiVersions: ['v1'],
  resources: ['deployments', 'deployments/scale'],
  scope: 'Namespaced',
}
const named = { ...rule, resourceNames: ['x'] }
const matching = {
  matchPolicy: 'Exact',
  namespaceSelector: FULL_SELECTOR,
  objectSelector: SELECTOR,
  resourceRules: [named],
  excludeResourceRules: [{ ...rule, operations: ['*'], resources: ['*'] }],
}
const condition = { name: 'c', expression: 'object.metadata.name != "x"' }
const hook = (more: Json): Json => ({
  name: 'a.b.c',
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  clientConfig: { url: 'https://example.com/x' },
  ...more,
})
const fullHook = (more: Json): Json =>
  hook({
    clientConfig: { service: { name: 'a', namespace: NAMESPACE, path: '/x', port: 8443 }, caBundle: 'eA==' },
    rules: [rule],
    failurePolicy: 'Ignore',
    matchPolicy: 'Exact',
    namespaceSelector: FULL_SELECTOR,
    objectSelector: SELECTOR,
    sideEffects: 'NoneOnDryRun',
    timeoutSeconds: 5,
    admissionReviewVersions: ['v1', 'v1beta1'],
    matchConditions: [condition],
    ...more,
  })
const binding = {
  policyName: 'p',
  paramRef: { name: 'x', namespace: NAMESPACE, parameterNotFoundAction: 'Allow' },
  matchResources: matching,
}
const selected = { policyName: 'p', paramRef: { selector: SELECTOR, parameterNotFoundAction: 'Deny' } }

export const cluster: Base[] = [
  ...basesOf(`${RBAC}/v1`, 'Role', 'namespaced', {
    minimal: { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] },
    full: {
      rules: [{ apiGroups: [''], resources: ['pods', 'pods/log'], verbs: ['get', 'list'], resourceNames: ['x'] }],
    },
  }),
  ...basesOf(`${RBAC}/v1`, 'ClusterRole', 'cluster', {
    minimal: { rules: [{ nonResourceURLs: ['/x'], verbs: ['get'] }] },
    full: {
      rules: [
        { apiGroups: [''], resources: ['pods'], verbs: ['*'], resourceNames: ['x'] },
        { nonResourceURLs: ['/x/*'], verbs: ['get'] },
      ],
      aggregationRule: { clusterRoleSelectors: [FULL_SELECTOR] },
    },
  }),
  ...basesOf(`${RBAC}/v1`, 'RoleBinding', 'namespaced', {
    minimal: { roleRef: { kind: 'Role', name: 'a', apiGroup: RBAC } },
    full: {
      roleRef: { kind: 'ClusterRole', name: 'view', apiGroup: RBAC },
      subjects: [
        { kind: 'User', name: 'u', apiGroup: RBAC },
        { kind: 'Group', name: 'g', apiGroup: RBAC },
        { kind: 'ServiceAccount', name: 's', namespace: NAMESPACE },
      ],
    },
  }),
  ...basesOf(`${RBAC}/v1`, 'ClusterRoleBinding', 'cluster', {
    minimal: { roleRef: { kind: 'ClusterRole', name: 'view', apiGroup: RBAC } },
    full: {
      roleRef: { kind: 'ClusterRole', name: 'view', apiGroup: RBAC },
      subjects: [
        { kind: 'User', name: 'u', apiGroup: RBAC },
        { kind: 'Group', name: 'g', apiGroup: RBAC },
        { kind: 'ServiceAccount', name: 's', namespace: NAMESPACE },
      ],
    },
  }),
  ...basesOf(ADMISSION, 'ValidatingWebhookConfiguration', 'cluster', {
    minimal: { webhooks: [hook({})] },
    full: { webhooks: [fullHook({})] },
  }),
  ...basesOf(ADMISSION, 'MutatingWebhookConfiguration', 'cluster', {
    minimal: { webhooks: [hook({})] },
    full: { webhooks: [fullHook({ reinvocationPolicy: 'IfNeeded' })] },
  }),
  ...basesOf(ADMISSION, 'ValidatingAdmissionPolicy', 'cluster', {
    minimal: {
      spec: { matchConstraints: { resourceRules: [rule] }, validations: [{ expression: 'true' }] },
    },
    full: {
      spec: {
        paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
        matchConstraints: matching,
        failurePolicy: 'Ignore',
        matchConditions: [condition],
        variables: [{ name: 'v', expression: 'object.metadata.name' }],
        validations: [
          { expression: 'variables.v != "x"', message: 'no', reason: 'Forbidden' },
          { expression: 'true', messageExpression: '"no " + variables.v' },
        ],
        auditAnnotations: [{ key: 'k', valueExpression: '"v " + string(variables.v)' }],
      },
    },
  }),
  ...basesOf(ADMISSION, 'ValidatingAdmissionPolicyBinding', 'cluster', {
    minimal: { spec: { policyName: 'p', validationActions: ['Deny'] } },
    full: { spec: { ...binding, validationActions: ['Warn', 'Audit'] } },
    selected: { spec: { ...selected, validationActions: ['Deny'] } },
  }),
  ...basesOf(ADMISSION, 'MutatingAdmissionPolicy', 'cluster', {
    minimal: {
      spec: {
        matchConstraints: { resourceRules: [rule] },
        reinvocationPolicy: 'Never',
        mutations: [
          { patchType: 'JSONPatch', jsonPatch: { expression: '[JSONPatch{op: "remove", path: "/metadata/labels"}]' } },
        ],
      },
    },
    full: {
      spec: {
        paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
        matchConstraints: { ...matching, resourceRules: [{ ...named, operations: ['CREATE'] }] },
        failurePolicy: 'Ignore',
        reinvocationPolicy: 'IfNeeded',
        matchConditions: [condition],
        variables: [{ name: 'v', expression: 'object.metadata.name' }],
        mutations: [
          {
            patchType: 'ApplyConfiguration',
            applyConfiguration: { expression: 'Object{metadata: Object.metadata{labels: {"a": "b"}}}' },
          },
          { patchType: 'JSONPatch', jsonPatch: { expression: '[JSONPatch{op: "remove", path: "/metadata/labels"}]' } },
        ],
      },
    },
  }),
  ...basesOf(ADMISSION, 'MutatingAdmissionPolicyBinding', 'cluster', {
    minimal: { spec: { policyName: 'p' } },
    full: {
      spec: { ...binding, matchResources: { ...matching, resourceRules: [{ ...named, operations: ['CREATE'] }] } },
    },
    selected: { spec: selected },
  }),
  ...basesOf('flowcontrol.apiserver.k8s.io/v1', 'FlowSchema', 'cluster', {
    minimal: { spec: { priorityLevelConfiguration: { name: 'global-default' } } },
    full: {
      spec: {
        priorityLevelConfiguration: { name: 'global-default' },
        matchingPrecedence: 9000,
        distinguisherMethod: { type: 'ByUser' },
        rules: [
          {
            subjects: [
              { kind: 'User', user: { name: 'u' } },
              { kind: 'Group', group: { name: 'g' } },
              { kind: 'ServiceAccount', serviceAccount: { name: 's', namespace: NAMESPACE } },
            ],
            resourceRules: [
              {
                verbs: ['get'],
                apiGroups: ['apps'],
                resources: ['deployments'],
                clusterScope: true,
                namespaces: ['x'],
              },
            ],
            nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }],
          },
        ],
      },
    },
  }),
  ...basesOf('flowcontrol.apiserver.k8s.io/v1', 'PriorityLevelConfiguration', 'cluster', {
    minimal: { spec: { type: 'Limited', limited: { limitResponse: { type: 'Reject' } } } },
    full: {
      spec: {
        type: 'Limited',
        limited: {
          nominalConcurrencyShares: 5,
          lendablePercent: 10,
          borrowingLimitPercent: 20,
          limitResponse: { type: 'Queue', queuing: { queues: 16, handSize: 4, queueLengthLimit: 10 } },
        },
      },
    },
    exempt: { spec: { type: 'Exempt', exempt: { nominalConcurrencyShares: 1, lendablePercent: 0 } } },
  }),
  ...basesOf('authentication.k8s.io/v1', 'SelfSubjectReview', 'cluster', { minimal: { metadata: { name: '' } } }),
  ...basesOf('authentication.k8s.io/v1', 'TokenReview', 'cluster', {
    minimal: { metadata: { name: '' }, spec: { token: 'wrong' } },
    full: { metadata: { name: '' }, spec: { token: 'wrong', audiences: ['x'] } },
  }),
  ...['SubjectAccessReview', 'LocalSubjectAccessReview', 'SelfSubjectAccessReview'].flatMap(kind => {
    const scope = kind.startsWith('Local') ? 'namespaced' : 'cluster'
    const metadata = scope === 'namespaced' ? { name: '', namespace: NAMESPACE } : { name: '' }
    const who = kind.startsWith('Self') ? {} : { user: 'u', groups: ['g'], uid: 'i', extra: { a: ['b'] } }
    const resource = {
      namespace: NAMESPACE,
      verb: 'get',
      resource: 'pods',
      version: 'v1',
      name: 'x',
      subresource: 'log',
    }
    return basesOf('authorization.k8s.io/v1', kind, scope, {
      minimal: {
        metadata,
        spec: { ...who, resourceAttributes: { verb: 'get', resource: 'pods', namespace: NAMESPACE } },
      },
      full: {
        metadata,
        spec: {
          ...who,
          resourceAttributes: {
            ...resource,
            group: 'apps',
            fieldSelector: { requirements: [{ key: 'a', operator: 'In', values: ['x'] }] },
            labelSelector: { requirements: [{ key: 'a', operator: 'Exists' }] },
          },
        },
      },
      path: { metadata, spec: { ...who, nonResourceAttributes: { path: '/x', verb: 'get' } } },
      both: {
        metadata,
        spec: { ...who, nonResourceAttributes: { path: '/x', verb: 'get' }, resourceAttributes: resource },
      },
    })
  }),
  ...basesOf('authorization.k8s.io/v1', 'SelfSubjectRulesReview', 'cluster', {
    minimal: { metadata: { name: '' }, spec: { namespace: NAMESPACE } },
  }),
  ...basesOf('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'cluster', {
    minimal: {
      metadata: { name: 'things.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { plural: 'things', kind: 'Thing' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
      },
    },
  }),
  ...basesOf('apiregistration.k8s.io/v1', 'APIService', 'cluster', {
    minimal: {
      metadata: { name: 'v1.example.com' },
      spec: {
        group: 'example.com',
        version: 'v1',
        groupPriorityMinimum: 100,
        versionPriority: 10,
        service: { name: 's', namespace: NAMESPACE },
        insecureSkipTLSVerify: true,
      },
    },
  }),
]
