/**
 * Values against the value validations of a schema: types, limits, patterns, formats, enums, anyOf and its like.
 * Behaviour and sentences as k8s.io/kube-openapi `pkg/validation/validate`; `matches` are counted as there, because the
 * alternative of an anyOf or oneOf that fits best is the one that clients are told about.
 */

import type { FieldError } from '../machinery/field-error.ts'
import { goQuoted } from '../machinery/go-text.ts'
import { equalJson } from '../machinery/merge-patch.ts'
import type { Correlation } from './correlation.ts'
import { hasFormat, isTextFormat } from './formats.ts'
import type { CustomNode } from './node.ts'
import { compilePattern } from './patterns.ts'
import { checkNumber } from './validate-number.ts'
import { bigMap, Findings, general, longList, longText, missing, notInEnum, wrong, wrongType } from './value-errors.ts'

type Json = Record<string, unknown>

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * What is wrong with a value. `base` is the path that stands before all fields. With a correlation, what did not change
 * passes.
 */
export function valueErrors(value: unknown, node: CustomNode, base = '', correlation?: Correlation): FieldError[] {
  const found = checkChild(node, value, '', correlation)
  return found.errors.map(error => error.at(base))
}

/** A value that may pass because it did not change. */
function checkChild(node: CustomNode, value: unknown, name: string, correlation: Correlation | undefined): Findings {
  const found = check(node, value, name, correlation)
  if (found.errors.length && correlation?.unchanged) {
    const passed = new Findings()
    passed.matches = found.matches
    return passed
  }
  return found
}

function check(node: CustomNode, value: unknown, name: string, correlation: Correlation | undefined): Findings {
  const found = new Findings()
  if (value === null || value === undefined) {
    if (node.types.length && !node.nullable) found.add(wrongType(name, node.types.join(','), 'null'))
    else found.matches++
    if (node.enum) found.add(notInEnum(name, null, node.enum))
    return found
  }
  if (node.types.length || node.format) {
    checkType(node, value, name, found)
    found.matches++
  }
  checkAlternatives(node, value, name, correlation, found)
  found.matches++
  if (typeof value === 'string') checkText(node, value, name, found)
  else if (typeof value === 'number') {
    checkNumber(node, value, name, found)
    found.matches++
  } else if (Array.isArray(value)) {
    checkList(node, value, name, correlation, found)
    found.matches++
  }
  if (node.enum && !node.enum.some(each => each !== null && equalJson(each, value))) {
    found.add(notInEnum(name, value, node.enum))
  }
  found.matches++
  if (isObject(value)) {
    checkObject(node, value, name, correlation, found)
    found.matches++
  }
  found.matches++
  return found
}

function typeOf(value: unknown): { type: string; format: string } {
  if (typeof value === 'number') {
    return Number.isInteger(value) ? { type: 'integer', format: 'int64' } : { type: 'number', format: 'float64' }
  }
  return { type: Array.isArray(value) ? 'array' : typeof value, format: '' }
}

function checkType(node: CustomNode, value: unknown, name: string, found: Findings): void {
  const { types, format } = node
  const actual = typeOf(value)
  const isNumeric = types.includes('number') || types.includes('integer')
  const fits = types.includes(actual.type) || (actual.type === 'integer' && types.includes('number'))
  const isText = actual.type === 'string' || actual.type === 'array'
  if (format && !isText && !fits) {
    found.add(wrongType(name, format, actual.format))
    return
  }
  if ((format && !isNumeric && isText) || fits) found.matches++
  else found.add(wrongType(name, types.join(','), actual.type))
}

function checkText(node: CustomNode, value: string, name: string, found: Findings): void {
  checkLengthAndPattern(node, value, name, found)
  found.matches++
  if (!node.format || !isTextFormat(node.format)) return
  if (!hasFormat(value, node.format)) found.add(wrongType(name, node.format, value))
  found.matches++
}

function checkLengthAndPattern(node: CustomNode, value: string, name: string, found: Findings): void {
  const { maxLength, minLength, pattern } = node.schema
  // Characters are counted, and no text has more of them than code units.
  if (maxLength !== undefined && value.length > maxLength && [...value].length > maxLength) {
    found.add(longText(name, maxLength))
    return
  }
  if (minLength !== undefined && (value.length < minLength || [...value].length < minLength)) {
    found.add(wrong(name, value, `${name} in body should be at least ${minLength} chars long`))
    return
  }
  if (!pattern) return
  const compiled = compilePattern(pattern)
  if (compiled instanceof Error) {
    const problem = `${pattern}, but pattern is invalid: ${compiled.message}`
    found.add(wrong(name, value, `${name} in body should match '${problem}'`))
  } else if (!compiled.matches(value)) found.add(wrong(name, value, `${name} in body should match '${pattern}'`))
}

function checkList(
  node: CustomNode,
  list: readonly unknown[],
  name: string,
  correlation: Correlation | undefined,
  found: Findings,
): void {
  const { minItems, maxItems, uniqueItems } = node.schema
  if (node.items) {
    for (let i = 0; i < list.length; i++) {
      found.merge(checkChild(node.items, list[i], `${name}[${i}]`, correlation?.item(i)))
    }
  }
  if (minItems !== undefined && list.length < minItems) {
    found.add(wrong(name, list.length, `${name} in body should have at least ${minItems} items`))
  }
  if (maxItems !== undefined && list.length > maxItems) found.add(longList(name, maxItems, list.length))
  if (uniqueItems && list.some((item, at) => list.slice(0, at).some(other => equalJson(other, item)))) {
    found.add(wrong(name, '', `${name} in body shouldn't contain duplicates`))
  }
  found.matches++
}

function checkObject(
  node: CustomNode,
  object: Json,
  name: string,
  correlation: Correlation | undefined,
  found: Findings,
): void {
  const { minProperties, maxProperties } = node.schema
  const size = minProperties === undefined && maxProperties === undefined ? 0 : Object.keys(object).length
  if (minProperties !== undefined && size < minProperties) {
    found.add(wrong(name, size, `${name} in body should have at least ${minProperties} properties`))
  }
  if (maxProperties !== undefined && size > maxProperties) found.add(bigMap(name, maxProperties, size))
  if (node.additional === false) {
    for (const key in object) {
      if (!node.properties.has(key)) found.add(wrong(name, key, `${name}.${key} in body is a forbidden property`))
    }
  } else if (node.values) {
    for (const key in object) {
      if (node.properties.has(key)) continue
      found.merge(checkChild(node.values, object[key], `${name}.${key}`, correlation?.field(key)))
    }
  }
  for (const [key, property] of node.properties) {
    if (!Object.hasOwn(object, key)) continue
    const at = name ? `${name}.${key}` : key
    found.merge(checkChild(property, object[key], at, correlation?.field(key)))
  }
  for (const key of node.required) if (!Object.hasOwn(object, key)) found.add(missing(`${name}.${key}`))
}

function checkAlternatives(
  node: CustomNode,
  value: unknown,
  name: string,
  correlation: Correlation | undefined,
  found: Findings,
): void {
  const judge = (each: CustomNode) => check(each, value, name, correlation)
  if (node.anyOf.length) checkAnyOf(node.anyOf, judge, name, found)
  if (node.oneOf.length) checkOneOf(node.oneOf, judge, name, found)
  if (node.allOf.length) {
    let valid = 0
    for (const each of node.allOf) {
      const result = judge(each)
      if (result.errors.length === 0) valid++
      found.merge(result)
    }
    if (valid < node.allOf.length) {
      found.add(
        general(`${goQuoted(name)} must validate all the schemas (allOf)${valid === 0 ? '. None validated' : ''}`),
      )
    }
  }
  if (node.not && judge(node.not).errors.length === 0) {
    found.add(general(`${goQuoted(name)} must not validate the schema (not)`))
  }
  found.matches++
}

/** The failure that says most: the one with most matches, the first of equals. */
const best = (a: Findings | undefined, b: Findings) => (a === undefined || b.matches > a.matches ? b : a)

function checkAnyOf(
  all: readonly CustomNode[],
  judge: (node: CustomNode) => Findings,
  name: string,
  found: Findings,
): void {
  let failure: Findings | undefined
  for (const each of all) {
    const result = judge(each)
    if (result.errors.length === 0) {
      found.merge(result)
      return
    }
    failure = best(failure, result)
  }
  found.add(general(`${goQuoted(name)} must validate at least one schema (anyOf)`))
  if (failure) found.merge(failure)
}

function checkOneOf(
  all: readonly CustomNode[],
  judge: (node: CustomNode) => Findings,
  name: string,
  found: Findings,
): void {
  let failure: Findings | undefined
  const valid: Findings[] = []
  for (const each of all) {
    const result = judge(each)
    if (result.errors.length === 0) valid.push(result)
    else if (valid.length === 0) failure = best(failure, result)
  }
  if (valid.length === 1) {
    found.merge(valid[0]!)
    return
  }
  const how = valid.length === 0 ? 'Found none valid' : `Found ${valid.length} valid alternatives`
  found.add(general(`${goQuoted(name)} must validate one and only one schema (oneOf). ${how}`))
  if (valid.length === 0 && failure) found.merge(failure)
}
