import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ManagedFieldsEntry } from '../../api/machinery/object.ts'
import { toObjectFields, toScaleFields } from './scale-fields.ts'

const PATH = ['spec', 'replicas']
const entry = (manager: string, fields: object, more: Partial<ManagedFieldsEntry> = {}): ManagedFieldsEntry => ({
  manager,
  operation: 'Update',
  apiVersion: 'apps/v1',
  time: '2026-01-01T00:00:00Z',
  fieldsType: 'FieldsV1',
  fieldsV1: fields as Record<string, unknown>,
  ...more,
})
const REPLICAS = { 'f:spec': { 'f:replicas': {} } }
const BOTH = { 'f:spec': { 'f:replicas': {}, 'f:paused': {} } }
const ENTRIES = [entry('maker', BOTH), entry('other', { 'f:spec': { 'f:paused': {} } })]
const scaler = (time?: string) => {
  const made = entry('scaler', REPLICAS, { apiVersion: 'autoscaling/v1', subresource: 'scale' })
  if (time) made.time = time
  else delete made.time
  return made
}

test('toScaleFields shows who owns the replicas, and nothing else', () => {
  assert.deepEqual(toScaleFields(ENTRIES, PATH), [entry('maker', REPLICAS, { apiVersion: 'autoscaling/v1' })])
})

test('toObjectFields takes the replicas from those who lost them, and says not since when', () => {
  assert.deepEqual(toObjectFields(ENTRIES, [scaler('2026-01-02T00:00:00Z')], PATH, 'apps/v1'), [
    { ...scaler(), apiVersion: 'apps/v1' },
    entry('maker', { 'f:spec': { 'f:paused': {} } }),
    entry('other', { 'f:spec': { 'f:paused': {} } }),
  ])
})

test('toObjectFields leaves entries as they are where nobody lost anything', () => {
  assert.deepEqual(toObjectFields(ENTRIES, toScaleFields(ENTRIES, PATH), PATH, 'apps/v1'), ENTRIES)
})
