/** Limits of numbers. Whole numbers are compared with limits cut to whole ones, as Kubernetes does it. */
import { goNumber } from '../machinery/go-text.ts'
import type { CustomNode } from './node.ts'
import { Findings, general, type ValueError, wrong } from './value-errors.ts'

const INT32 = 2 ** 31
const INT64 = 2 ** 63
const FLOAT32 = 3.4028234663852886e38

/** Why a number does not fit into the schema's type; undefined where it does. */
function rangeError(node: CustomNode, value: number, what: string, name: string): ValueError | undefined {
  const [type] = node.types
  const single = node.types.length === 1
  const format = single ? node.format : ''
  let fits = true
  if (single && type === 'integer') {
    const limit = format === 'int32' ? INT32 : INT64
    fits = Number.isInteger(value) && value >= -limit && value < limit
  } else if (single && type === 'number' && format === 'float') fits = Math.abs(value) <= FLOAT32
  if (fits) return undefined
  const named = format ? `with format ${format}` : '(default format)'
  return general(`${what} value must be of type ${type} ${named} in ${name}`)
}

/** A limit as it is compared with a value: whole where both can be. */
const limitFor = (value: number, limit: number, native: boolean) =>
  native && Number.isInteger(value) ? Math.trunc(limit) : limit

function multipleError(value: number, factor: number, native: boolean, name: string): ValueError | undefined {
  const step = limitFor(value, factor, native)
  if (step <= 0) return wrong(name, step, `factor MultipleOf declared for ${name} must be positive: ${goNumber(step)}`)
  const times = step < 1 ? (1 / step) * value : value / step
  if (Math.abs(times - Math.round(times)) <= 1e-9 * Math.max(1, Math.abs(times))) return undefined
  return wrong(name, value, `${name} in body should be a multiple of ${goNumber(step)}`)
}

/** Checks one limit: that it fits the type itself, then the value against it. */
function checkLimit(
  node: CustomNode,
  value: number,
  limit: number,
  what: string,
  name: string,
  check: (native: boolean) => ValueError | undefined,
): Findings {
  const found = new Findings()
  const outside = rangeError(node, limit, what, name)
  if (outside) found.add(outside)
  const error = check(!outside && Number.isInteger(value))
  if (error) found.add(error)
  return found
}

/** Adds what is wrong with a number. */
export function checkNumber(node: CustomNode, value: number, name: string, found: Findings): void {
  const { multipleOf, maximum, minimum, exclusiveMaximum = false, exclusiveMinimum = false } = node.schema
  const outside = rangeError(node, value, 'Checked', name)
  if (outside) found.add(outside)
  if (multipleOf !== undefined) {
    found.merge(
      checkLimit(node, value, multipleOf, 'MultipleOf', name, native => multipleError(value, multipleOf, native, name)),
    )
  }
  if (minimum !== undefined) {
    found.merge(
      checkLimit(node, value, minimum, 'Minimum boundary', name, native => {
        const limit = limitFor(value, minimum, native)
        if (exclusiveMinimum ? value > limit : value >= limit) return undefined
        const than = exclusiveMinimum ? 'greater than' : 'greater than or equal to'
        return wrong(name, value, `${name} in body should be ${than} ${goNumber(limit)}`)
      }),
    )
  }
  if (maximum !== undefined) {
    found.merge(
      checkLimit(node, value, maximum, 'Maximum boundary', name, native => {
        const limit = limitFor(value, maximum, native)
        if (exclusiveMaximum ? value < limit : value <= limit) return undefined
        const than = exclusiveMaximum ? 'less than' : 'less than or equal to'
        return wrong(name, value, `${name} in body should be ${than} ${goNumber(limit)}`)
      }),
    )
  }
  found.matches++
}
