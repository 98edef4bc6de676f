/** What can be wrong with a field, or only different, by its type. */
import type { SchemaNode } from '../../../src/api/machinery/schema-node.ts'

export interface Wrong {
  readonly what: string
  /** Undefined takes the field away. */
  readonly value: unknown
  /** Found by the decoder, whatever the kind: once for a field of a type is enough. */
  readonly structural?: boolean
}

const LONG = 'a'.repeat(254)
const MISTYPED: Partial<Record<SchemaNode['type'], unknown>> = {
  string: 7,
  integer: 'x',
  number: 'x',
  boolean: 'x',
  object: 'x',
  map: 'x',
  array: 'x',
  quantity: true,
  'int-or-string': true,
  time: 7,
  bytes: 7,
}

function ofType(node: SchemaNode, value: unknown): Wrong[] {
  switch (node.type) {
    case 'string':
      return [
        { what: 'empty', value: '' },
        { what: 'of bad form', value: 'Bad Value!' },
        { what: 'too long', value: LONG },
        { what: 'different', value: typeof value === 'string' && value ? `${value}x` : 'x' },
      ]
    case 'integer':
      return [
        { what: 'negative', value: -1 },
        { what: 'zero', value: 0 },
        { what: 'at its limit', value: 2 ** 31 - 1 },
        { what: 'different', value: typeof value === 'number' ? value + 1 : 3 },
        { what: 'a fraction', value: 1.5, structural: true },
        { what: 'out of range', value: 2 ** 40, structural: true },
      ]
    case 'boolean':
      return [{ what: 'turned', value: value !== true }]
    case 'quantity':
      return [
        { what: 'negative', value: '-1' },
        { what: 'zero', value: '0' },
        { what: 'a fraction', value: '0.0001' },
        { what: 'different', value: '3' },
        { what: 'no quantity', value: 'x', structural: true },
      ]
    case 'int-or-string':
      return [
        { what: 'negative', value: -1 },
        { what: 'zero', value: 0 },
        { what: 'more than whole', value: '200%' },
        { what: 'of bad form', value: 'Bad Value!' },
        { what: 'empty', value: '' },
        { what: 'at its limit', value: 2 ** 31 - 1 },
      ]
    case 'time':
      return [
        { what: 'no time', value: 'x', structural: true },
        { what: 'different', value: '2020-02-02T02:02:02Z' },
        { what: 'null', value: null },
      ]
    case 'bytes':
      return [
        { what: 'no base64', value: '!', structural: true },
        { what: 'empty', value: '' },
        { what: 'different', value: 'eA==' },
      ]
    case 'object':
      return [
        { what: 'empty', value: {} },
        { what: 'with an unknown field', value: { ...(value as object), odd: 1 }, structural: true },
      ]
    case 'map':
      return [
        { what: 'empty', value: {} },
        { what: 'with a key of bad form', value: { ...(value as object), 'Bad Key!': firstOf(value, node) } },
        { what: 'with a mistyped value', value: { ...(value as object), odd: [1] }, structural: true },
      ]
    case 'array':
      return [
        { what: 'empty', value: [] },
        ...(Array.isArray(value) && value.length
          ? [
              { what: 'with an item twice', value: [...value, structuredClone(value[0])] },
              { what: 'with a null item', value: [...value, null] },
            ]
          : []),
      ]
    default:
      return []
  }
}

const firstOf = (value: unknown, node: SchemaNode) => Object.values((value as object) ?? {})[0] ?? node.element.zero()

/** Everything that is tried with a field that is filled. */
export function wrongs(node: SchemaNode, value: unknown): Wrong[] {
  const mistyped = MISTYPED[node.type]
  return [
    { what: 'missing', value: undefined },
    ...ofType(node, value),
    ...(mistyped === undefined ? [] : [{ what: 'mistyped', value: mistyped, structural: true }]),
  ]
}

/** What is tried with a field that is not filled: something plausible, and something that is wrong with most fields. */
export function additions(node: SchemaNode): Wrong[] {
  switch (node.type) {
    case 'string':
      return [
        { what: 'added', value: 'x' },
        { what: 'added, of bad form', value: 'Bad Value!' },
      ]
    case 'integer':
    case 'int-or-string':
      return [
        { what: 'added', value: 1 },
        { what: 'added, negative', value: -1 },
      ]
    case 'number':
      return [{ what: 'added', value: 1 }]
    case 'boolean':
      return [
        { what: 'added', value: true },
        { what: 'added, false', value: false },
      ]
    case 'quantity':
      return [
        { what: 'added', value: '1' },
        { what: 'added, negative', value: '-1' },
      ]
    case 'time':
      return [{ what: 'added', value: '2020-02-02T02:02:02Z' }]
    case 'bytes':
      return [{ what: 'added', value: 'eA==' }]
    case 'object':
      return [{ what: 'added, empty', value: {} }]
    case 'map':
      return [{ what: 'added', value: { 'Bad Key!': node.element.zero() } }]
    case 'array':
      return [{ what: 'added', value: [node.element.zero()] }]
    default:
      return [{ what: 'added', value: {} }]
  }
}
