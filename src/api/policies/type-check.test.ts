import assert from 'node:assert/strict'
import { test } from 'node:test'
import { definition } from '../generated/schemas.ts'
import { kinds } from '../kinds/all.ts'
import { type CheckedKind, type CheckedSpec, expressionWarnings, type KindCatalog } from './type-check.ts'

const find = (wanted: (kind: (typeof kinds)[number]) => boolean): CheckedKind | undefined => {
  const kind = kinds.find(wanted)
  return kind && { ...kind, schema: typeof kind.schema === 'string' ? { ref: kind.schema } : kind.schema }
}

const CATALOG: KindCatalog = {
  byResource: (group, version, resource) =>
    find(kind => kind.group === group && kind.version === version && kind.plural === resource),
  byKind: (apiVersion, name) => find(kind => kind.apiVersion === apiVersion && kind.kind === name),
  resolve: definition,
}

const rules = (group: string, ...resources: string[]) => ({
  resourceRules: [{ apiGroups: [group], apiVersions: ['v1'], operations: ['CREATE'], resources }],
})
const DEPLOYMENTS = { matchConstraints: rules('apps', 'deployments') }
const validation = (expression: string) => ({ validations: [{ expression }] })

/** A policy and the first lines of what its status tells. */
const CASES: readonly (readonly [CheckedSpec, readonly string[]])[] = [
  [{ ...DEPLOYMENTS, ...validation('object.spec.replicas > 1') }, []],
  [
    { ...DEPLOYMENTS, ...validation("object.spec.replicas > '1'") },
    ["apps/v1, Kind=Deployment: ERROR: <input>:1:22: found no matching overload for '_>_' applied to '(int, string)'"],
  ],
  [
    { ...DEPLOYMENTS, ...validation('object.spec.foo > 1') },
    ["apps/v1, Kind=Deployment: ERROR: <input>:1:12: undefined field 'foo'"],
  ],
  [{ matchConstraints: rules('*', 'deployments'), ...validation("object.spec.replicas > '1'") }, []],
  [{ matchConstraints: rules('', 'pods/status'), ...validation('object.foo == 1') }, []],
  [
    {
      ...DEPLOYMENTS,
      variables: [{ name: 'r', expression: 'object.spec.replicas' }],
      ...validation("variables.r > '1'"),
    },
    ["apps/v1, Kind=Deployment: ERROR: <input>:1:13: found no matching overload for '_>_' applied to '(int, string)'"],
  ],
  [
    { ...DEPLOYMENTS, paramKind: { apiVersion: 'v1', kind: 'ConfigMap' }, ...validation('params.data.x > 1') },
    ["apps/v1, Kind=Deployment: ERROR: <input>:1:15: found no matching overload for '_>_' applied to '(string, int)'"],
  ],
  [{ ...DEPLOYMENTS, paramKind: { apiVersion: 'e.com/v1', kind: 'Nope' }, ...validation('params.x > 1') }, []],
  [{ ...DEPLOYMENTS, ...validation('object.spec.strategy.rollingUpdate.maxSurge == 1') }, []],
  [
    { ...DEPLOYMENTS, ...validation('object.spec.selector == 1') },
    [
      "apps/v1, Kind=Deployment: ERROR: <input>:1:22: found no matching overload for '_==_' applied to '(Deployment.spec.selector, int)'",
    ],
  ],
  [
    { matchConstraints: rules('', 'pods', 'configmaps'), ...validation('has(object.spec) || has(object.data)') },
    ["/v1, Kind=ConfigMap: ERROR: <input>:1:4: undefined field 'spec'"],
  ],
]

test('expressionWarnings tells what does not fit the schemas, as Kubernetes does', () => {
  for (const [spec, expected] of CASES) {
    const found = expressionWarnings(spec, CATALOG)
    assert.deepEqual(
      found.map(({ warning }) => warning.split('\n')[0]),
      expected,
      JSON.stringify(spec),
    )
    assert.ok(found.every(({ fieldRef }) => fieldRef === 'spec.validations[0].expression'))
  }
})
