/** Everything that can be wrong with a custom resource, in the order in which Kubernetes tells it. */
import type { CustomResourceSubresourceScale } from '../generated/types/apiextensions-v1.ts'
import { type FieldError, invalid } from '../machinery/field-error.ts'
import type { KubeObject } from '../machinery/object.ts'
import { Correlation } from './correlation.ts'
import { listErrors } from './list-type.ts'
import { embeddedErrors } from './object-meta.ts'
import { rules } from './rules.ts'
import { valueErrors } from './validate-value.ts'
import type { VersionSchema } from './version-schema.ts'

type Json = Record<string, unknown>

export interface Checked {
  readonly next: KubeObject
  /** What is stored; not looked at on create. */
  readonly old: KubeObject
  readonly schema: VersionSchema
  readonly scale: CustomResourceSubresourceScale | undefined
  readonly subresource: string
  readonly warn?: ((text: string) => void) | undefined
}

const MAX_INT32 = 2147483647

/** A value on a dotted path, and why it is not of the wanted type. */
function onPath(object: KubeObject, path: string, wanted: 'int64' | 'string'): { value: unknown; problem?: string } {
  const steps = path.replace(/^\./, '').split('.')
  let value: unknown = object
  for (const [index, step] of steps.entries()) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      const at = steps.slice(0, index).join('.')
      const problem = `.${at} accessor error: ${goValue(value)} is of the type ${goType(value)}, expected map[string]interface{}`
      return { value: wanted === 'int64' ? 0 : '', problem }
    }
    value = (value as Json)[step]
    if (value === undefined) return { value: wanted === 'int64' ? 0 : '' }
  }
  const fits = wanted === 'int64' ? Number.isInteger(value) : typeof value === 'string'
  if (fits) return { value }
  const problem = `.${steps.join('.')} accessor error: ${goValue(value)} is of the type ${goType(value)}, expected ${wanted}`
  return { value: wanted === 'int64' ? 0 : '', problem }
}

function goType(value: unknown): string {
  if (value === null) return '<nil>'
  if (Array.isArray(value)) return '[]interface {}'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64'
  return typeof value === 'boolean' ? 'bool' : typeof value === 'string' ? 'string' : 'map[string]interface {}'
}

const goValue = (value: unknown) =>
  value === null ? '<nil>' : typeof value === 'object' ? JSON.stringify(value) : String(value)

function replicaErrors(object: KubeObject, path: string): FieldError[] {
  const { value, problem } = onPath(object, path, 'int64')
  const replicas = value as number
  if (problem) return [invalid(path, replicas, problem)]
  if (replicas < 0) return [invalid(path, replicas, 'should be a non-negative integer')]
  return replicas > MAX_INT32 ? [invalid(path, replicas, `should be less than or equal to ${MAX_INT32}`)] : []
}

function scaleErrors({ next, scale, subresource }: Checked): FieldError[] {
  if (!scale) return []
  const errors = subresource === 'status' ? [] : replicaErrors(next, scale.specReplicasPath)
  errors.push(...replicaErrors(next, scale.statusReplicasPath))
  if (scale.labelSelectorPath) {
    const { value, problem } = onPath(next, scale.labelSelectorPath, 'string')
    if (problem) errors.push(invalid(scale.labelSelectorPath, value, problem))
  }
  return errors
}

/** Rules are not asked about an object whose form is wrong. */
const BLOCKING: ReadonlySet<string> = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
])
const UNCHECKED: FieldError = {
  reason: 'FieldValueInvalid',
  field: '<nil>',
  message:
    'Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
}

/** With what the CEL rules of the schema say; `correlation` on update. */
function withRules(errors: FieldError[], checked: Checked, correlation?: Correlation): FieldError[] {
  const { next, old, schema, warn } = checked
  const { root } = schema
  if (!root.has.rules) return errors
  if (errors.some(error => BLOCKING.has(error.reason))) return [...errors, UNCHECKED]
  const options = { node: root, value: next, isResource: true, warn }
  const more = correlation ? { old, correlation } : { old: undefined }
  return [...errors, ...rules().evaluateRules({ ...options, ...more })]
}

/** What is wrong with a new resource. */
export function createErrors(checked: Checked): FieldError[] {
  const { next, schema } = checked
  const { root } = schema
  const errors = [valueErrors(next, root), scaleErrors(checked), embeddedErrors(next, root), listErrors(next, root)]
  return withRules(errors.flat(), checked)
}

/** What is wrong with a changed one. What was wrong before and did not change passes. */
export function updateErrors(checked: Checked): FieldError[] {
  const { next, old, schema, subresource } = checked
  const { root } = schema
  const correlation = new Correlation(root, next, old)
  const isStatus = subresource === 'status'
  const errors = isStatus ? statusErrors(checked, correlation) : valueErrors(next, root, '', correlation)
  errors.push(...scaleErrors(checked))
  if (!isStatus) errors.push(...embeddedErrors(next, root))
  const lists = listErrors(next, root)
  if (lists.length && listErrors(old, root).length === 0) errors.push(...lists)
  return withRules(errors, checked, correlation)
}

function statusErrors({ next, schema }: Checked, correlation: Correlation): FieldError[] {
  const { status } = next as { status?: unknown }
  const node = schema.root.properties.get('status')
  if (status === undefined || !node) return []
  return valueErrors(status, node, 'status', correlation.field('status'))
}
