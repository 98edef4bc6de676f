import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Kind } from '../machinery/kind.ts'
import type { KubeObject } from '../machinery/object.ts'
import { findKindOf } from './all.ts'
import type { Case } from './testdata/cases.ts'
import { cases } from './testdata/cases.ts'

type Json = Record<string, unknown>
interface Cause {
  reason?: string
  field?: string
  message?: string
}
type Answer = { object: Json } | { causes: Cause[] }

const answers: Record<string, Answer> = JSON.parse(
  readFileSync(join(import.meta.dirname, 'testdata/answers.json'), 'utf8'),
)

/** Without what says nothing: null, empty objects and lists, zero values that Go's encoding writes. */
function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, inner]) => [key, bare(inner)] as const)
  const says = (key: string, inner: unknown) =>
    !FORGOTTEN.has(key) &&
    inner !== null &&
    inner !== 0 &&
    inner !== '' &&
    !(typeof inner === 'object' && Object.keys(inner as object).length === 0)
  return Object.fromEntries(entries.filter(([key, inner]) => says(key, inner)))
}

/** Takes an object the way of a new one: defaults, strategy, defaults, rules. */
function create(kind: Kind, object: KubeObject) {
  object.metadata!.uid = 'UID'
  // What the service account plugin does.
  if (object.kind === 'Pod') (object as { spec: Json }).spec.serviceAccountName = 'default'
  kind.defaults?.(object)
  if (kind.generation) object.metadata!.generation = 1
  if (kind.status) delete (object as Json).status
  kind.prepareCreate?.(object)
  kind.defaults?.(object)
  kind.named?.(object)
  return (kind.rules ?? []).flatMap(rule => rule(object, undefined, { subresource: '', now: 0 }))
}

/** Takes an update the way of one, after the object was made. */
function update(kind: Kind, object: KubeObject, next: KubeObject) {
  create(kind, object)
  if (next.kind === 'Pod') (next as { spec: Json }).spec.serviceAccountName = 'default'
  kind.defaults?.(next)
  next.metadata = { ...object.metadata, ...next.metadata }
  if (kind.status) (next as Json).status = (object as Json).status
  kind.prepareUpdate?.(next, object, { subresource: '', now: 0 })
  return (kind.rules ?? []).flatMap(rule => rule(next, object, { subresource: '', now: 0 }))
}

/** Objects in messages stand in Go's internal names there, and differences in Go's words: not compared. */
const line = ({ reason, field, message }: Cause) =>
  `${reason} ${field} ${message?.replace(/\n.*/s, '').replace(/value: ([{[].*[}\]]|null)(?=: [^"]|$)/, 'value: {}')}`

/** What admission and allocation fill in, or the clock. */
const FORGOTTEN = new Set([
  ...[
    'clusterIP',
    'clusterIPs',
    'lastTransitionTime',
    'lastPhaseTransitionTime',
    'serviceAccount',
    'serviceAccountName',
  ],
  ...['creationTimestamp', 'uid'],
])

function check({ name, object, update: next }: Case, answer: Answer) {
  const kind = findKindOf(object.apiVersion, object.kind)!
  const made = structuredClone(object) as KubeObject
  const changed = structuredClone(next) as KubeObject | undefined
  const errors = changed ? update(kind, made, changed) : create(kind, made)
  if ('causes' in answer) {
    assert.deepEqual([...new Set(errors.map(line))].sort(), [...new Set(answer.causes.map(line))].sort(), name)
    return
  }
  assert.deepEqual(errors, [], name)
  if (changed) return
  const shown = kind.storage ? kind.storage.decode(kind.storage.encode(made)) : made
  assert.deepEqual(bare(shown), bare(answer.object), name)
}

for (const one of cases) {
  test(`rules and defaults answer like Kubernetes to ${one.name}`, () => check(one, answers[one.name]!))
}

test('defaults of a filled object change nothing the second time', () => {
  for (const { name, object } of cases) {
    const kind = findKindOf(object.apiVersion, object.kind)!
    const once = structuredClone(object) as KubeObject
    kind.defaults?.(once)
    const twice = structuredClone(once)
    kind.defaults?.(twice)
    assert.deepEqual(twice, once, name)
  }
})
