import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { recorded } from '../../../../test/fixtures/kube-apiserver/recorded.ts'
import { randomObject, seeded } from '../../../../test/fixtures/random-deployment.ts'
import type { KubeObject, ManagedFieldsEntry } from '../object.ts'
import type { StatusError } from '../status-error.ts'
import { applyPatch, conflictError } from './apply.ts'
import { pathsOf, setOfFields } from './field-set.ts'
import { readOwners, trackUpdate } from './managed-fields.ts'

const SCHEMAS: Record<string, string> = {
  Deployment: 'io.k8s.api.apps.v1.Deployment',
  ConfigMap: 'io.k8s.api.core.v1.ConfigMap',
  Service: 'io.k8s.api.core.v1.Service',
}

interface Case {
  live: KubeObject | null
  applied: KubeObject
  manager: string
  force: boolean
  subresource: string
  code: number
  result: KubeObject & { message?: string }
}

/** Entries without their times, in an order of their own. */
const entries = (list: readonly ManagedFieldsEntry[] | undefined) =>
  (list ?? [])
    .map(({ time: _, ...entry }) => entry)
    .sort((a, b) => (`${a.manager} ${a.operation}` < `${b.manager} ${b.operation}` ? -1 : 1))

const plain = (value: unknown) => JSON.parse(JSON.stringify(value))

function applyCase({ live, applied, manager, force, subresource }: Case) {
  return applyPatch({
    live: live ?? undefined,
    applied,
    schema: SCHEMAS[applied.kind!]!,
    apiVersion: applied.apiVersion!,
    manager,
    force,
    subresource,
    now: 0,
    ignored: subresource ? setOfFields(['spec'], ['metadata', 'labels']) : setOfFields(['status']),
  })
}

describe('applyPatch', () => {
  recorded<Case>('apply').forEach((one, index) => {
    const words = `case ${index}: ${one.manager} ${one.force ? 'forces' : 'applies'} a ${one.applied.kind}`
    if (one.code === 409) {
      it(`applyPatch names the conflicts that the real server names, ${words}`, () => {
        const { conflicts } = applyCase(one)
        assert.equal(conflictError(conflicts!).message, one.result.message)
      })
    } else if (one.code >= 400) {
      it(`applyPatch refuses what the real server refuses, ${words}`, () => {
        assert.throws(
          () => applyCase(one),
          (error: StatusError) => error.message === one.result.message,
        )
      })
    } else {
      it(`applyPatch makes what the real server makes, ${words}`, () => {
        const { object } = applyCase(one)
        assert.deepEqual(plain(entries(object!.metadata!.managedFields)), entries(one.result.metadata!.managedFields))
        // On create the server adds defaults, which are not this function's.
        if (!one.live) return
        const { metadata, ...body } = plain(object)
        const { metadata: expected, ...expectedBody } = one.result
        delete metadata.managedFields
        assert.deepEqual({ ...body, status: 0 }, { ...expectedBody, status: 0 })
        assert.deepEqual(metadata, withoutManaged(expected!))
      })
    }
  })

  for (let seed = 1; seed <= 40; seed++) {
    it(`applyPatch twice changes nothing the second time, and an empty intent gives all up, seed ${seed}`, () => {
      const random = seeded(seed)
      const schema = SCHEMAS.Deployment!
      const common = { schema, apiVersion: 'apps/v1', force: true, now: 0 }
      const first = applyPatch({ ...common, live: undefined, applied: randomObject(random), manager: 'a' }).object!
      const intent = randomObject(random)
      const second = applyPatch({ ...common, live: first, applied: intent, manager: 'b' }).object!
      const again = applyPatch({ ...common, live: second, applied: intent, manager: 'b', now: 9e9 }).object!
      assert.deepEqual(again, second)

      // What was given up by everyone is gone, and who applied last owns what it applied.
      const nothing = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'x' } }
      let left = applyPatch({ ...common, live: again, applied: nothing, manager: 'b' }).object!
      left = applyPatch({ ...common, live: left, applied: nothing, manager: 'a' }).object!
      assert.deepEqual(left, { ...nothing, metadata: { name: 'x', managedFields: [] } })
    })

    it(`applyPatch by force leaves no leaf to an owner who lost it, seed ${seed}`, () => {
      const random = seeded(seed + 1000)
      const common = { schema: SCHEMAS.Deployment!, apiVersion: 'apps/v1', force: true, now: 0 }
      const one = randomObject(random)
      const other = randomObject(random)
      const live = applyPatch({ ...common, live: undefined, applied: one, manager: 'a' }).object!
      const result = applyPatch({ ...common, live, applied: other, manager: 'b' }).object!
      // Nobody who applies again without force is in conflict with fields that the force took over.
      const again = applyPatch({ ...common, live: result, applied: other, manager: 'b', force: false })
      assert.equal(again.conflicts, undefined)
      const conflicts =
        applyPatch({ ...common, live: result, applied: one, manager: 'a', force: false }).conflicts ?? []
      const owned = new Map(
        readOwners(result.metadata!.managedFields).map(owner => [
          owner.manager,
          new Set(pathsOf(owner.set).map(path => path.join('\n'))),
        ]),
      )
      for (const conflict of conflicts) assert.equal(conflict.manager, 'b')
      assert.ok(owned.has('b'))
    })
  }
})

function withoutManaged({ managedFields: _, ...rest }: NonNullable<KubeObject['metadata']>) {
  return rest
}

describe('applyPatch of lists whose items have no key', () => {
  const account = (secrets: object[], managedFields?: ManagedFieldsEntry[]) =>
    ({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'a', ...(managedFields && { managedFields }) },
      secrets,
    }) as unknown as KubeObject
  const schema = 'io.k8s.api.core.v1.ServiceAccount'
  const common = { schema, apiVersion: 'v1', manager: 'm', force: false, now: 0 }
  const problem = `.secrets: element 1: associative list with keys has an element that omits all key fields ["name"] (and doesn't have default values for any key fields)`
  const bad = [{ name: 'x' }, { kind: 'y' }]

  it('applyPatch names the list in what is applied, and in what is stored', () => {
    assert.throws(
      () => applyPatch({ ...common, live: undefined, applied: account(bad) }),
      (error: StatusError) =>
        error.code === 500 &&
        error.message === `failed to create typed patch object (/a; /v1, Kind=ServiceAccount): ${problem}`,
    )
    const what = 'failed to create manager for existing fields: failed to convert new object'
    assert.throws(
      () => applyPatch({ ...common, live: account(bad), applied: account([]) }),
      (error: StatusError) => error.message === `${what} (/a; /v1, Kind=ServiceAccount) to smd typed: ${problem}`,
    )
  })

  it('trackUpdate gives such an object no owners', () => {
    const before = trackUpdate({ ...common, live: undefined, next: account([{ name: 'x' }]) })
    assert.equal(before.length, 1)
    assert.deepEqual(trackUpdate({ ...common, live: account([{ name: 'x' }], before), next: account(bad) }), [])
  })
})

describe('conflictError', () => {
  it('conflictError names one conflict in one sentence and several by manager', () => {
    const conflict = (manager: string, field: string, operation: 'Apply' | 'Update' = 'Update', subresource = '') => ({
      manager,
      operation,
      apiVersion: 'apps/v1',
      subresource,
      field,
    })
    assert.equal(
      conflictError([conflict('kubectl', '.spec.replicas')]).message,
      'Apply failed with 1 conflict: conflict with "kubectl" using apps/v1: .spec.replicas',
    )
    const two = conflictError([conflict('b', '.x', 'Apply'), conflict('a', '.y', 'Update', 'scale')])
    assert.equal(
      two.message,
      'Apply failed with 2 conflicts: conflicts with "a" with subresource "scale" using apps/v1:\n- .y\nconflicts with "b":\n- .x',
    )
    assert.deepEqual(two.status.details?.causes?.[0], {
      reason: 'FieldManagerConflict',
      message: 'conflict with "b"',
      field: '.x',
    })
  })
})
