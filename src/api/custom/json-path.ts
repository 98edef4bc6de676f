/**
 * JSONPath as Kubernetes' columns and selectable fields use it (k8s.io/client-go `util/jsonpath`): fields, indices,
 * slices, wildcards, unions, recursive descent and filters such as `.status.conditions[?(@.type=="Ready")].status`.
 */

type Step = (values: readonly unknown[]) => unknown[]

type Json = Record<string, unknown>

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** A path, ready to be asked. */
export interface JsonPath {
  /** All values that it leads to; none where a step of it is missing. */
  find(value: unknown): unknown[]
}

/** Reads a path without its braces, e.g. `.spec.replicas`. undefined for text that is none. */
export function parseJsonPath(text: string): JsonPath | undefined {
  const steps = parseSteps(text)
  return steps && { find: value => steps.reduce<unknown[]>((values, step) => step(values), [value]) }
}

function parseSteps(text: string): Step[] | undefined {
  const steps: Step[] = []
  let at = text[0] === '$' || text[0] === '@' ? 1 : 0
  while (at < text.length) {
    if (text[at] === '[') {
      const end = closing(text, at)
      const step = end < 0 ? undefined : bracket(text.slice(at + 1, end).trim())
      if (!step) return undefined
      steps.push(step)
      at = end + 1
    } else if (text[at] === '.') {
      if (text[at + 1] === '.') {
        steps.push(descend)
        at++
      }
      const [name, next] = readName(text, at + 1)
      if (name) steps.push(name === '*' ? wildcard : field(name))
      else if (text[next] !== '[' && next < text.length) return undefined
      at = next
    } else return undefined
  }
  return steps
}

/** A field's name, in which a backslash takes the next character as it is. */
function readName(text: string, start: number): [string, number] {
  let name = ''
  let at = start
  for (; at < text.length && !'.[]'.includes(text[at]!); at++) {
    if (text[at] === '\\') at++
    name += text[at] ?? ''
  }
  return [name, at]
}

/** Where a bracket closes; brackets in quotes do not count. */
function closing(text: string, open: number): number {
  let depth = 0
  let quote = ''
  for (let at = open; at < text.length; at++) {
    const char = text[at]!
    if (quote) {
      if (char === '\\') at++
      else if (char === quote) quote = ''
    } else if (char === '"' || char === "'") quote = char
    else if (char === '[') depth++
    else if (char === ']' && --depth === 0) return at
  }
  return -1
}

const field =
  (name: string): Step =>
  values =>
    values.flatMap(value => (isObject(value) && value[name] !== undefined ? [value[name]] : []))

const wildcard: Step = values =>
  values.flatMap(value => (Array.isArray(value) ? value : isObject(value) ? Object.values(value) : []))

const descend: Step = values => {
  const all: unknown[] = []
  const walk = (value: unknown) => {
    all.push(value)
    for (const inner of wildcard([value])) walk(inner)
  }
  values.forEach(walk)
  return all
}

const QUOTED = /^(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")$/
const unquote = (text: string) => {
  const match = QUOTED.exec(text)
  return match && (match[1] ?? match[2] ?? '').replace(/\\(.)/g, '$1')
}

function bracket(text: string): Step | undefined {
  if (text === '*') return wildcard
  if (text.startsWith('?(') && text.endsWith(')')) return filter(text.slice(2, -1).trim())
  const name = unquote(text)
  if (name !== null) return field(name)
  if (/^-?\d*(:-?\d*){0,2}$/.test(text) && text !== '') return slice(text)
  if (!text.includes(',')) return undefined
  const parts = text.split(',').map(part => bracket(part.trim()))
  if (parts.some(part => !part)) return undefined
  return values => values.flatMap(value => parts.flatMap(part => part!([value])))
}

function slice(text: string): Step {
  const [first = '', end, step = '1'] = text.split(':')
  return values =>
    values.flatMap(value => {
      if (!Array.isArray(value)) return []
      const index = (from: string, otherwise: number) => {
        const number = from === '' ? otherwise : Number(from)
        return number < 0 ? number + value.length : number
      }
      const start = index(first, 0)
      if (end === undefined) return start >= 0 && start < value.length ? [value[start]] : []
      const by = Math.max(1, Number(step || 1))
      return value.slice(Math.max(0, start), Math.max(0, index(end, value.length))).filter((_, at) => at % by === 0)
    })
}

function filter(text: string): Step | undefined {
  const match = /^(.+?)\s*(==|!=|<=|>=|<|>)\s*(.+)$/.exec(text)
  const left = operand(match ? match[1]!.trim() : text)
  const right = match && operand(match[3]!.trim())
  if (!left || (match && !right)) return undefined
  const holds = (item: unknown) => {
    const a = left(item)
    if (!match) return a.length > 0
    const b = right!(item)
    return a.length > 0 && b.length > 0 && compare(a[0], match[2]!, b[0])
  }
  return values => values.flatMap(value => (Array.isArray(value) ? value.filter(holds) : []))
}

function operand(text: string): ((item: unknown) => unknown[]) | undefined {
  const string = unquote(text)
  if (string !== null) return () => [string]
  if (/^-?\d+(\.\d+)?$/.test(text)) return () => [Number(text)]
  if (text === 'true' || text === 'false') return () => [text === 'true']
  const path = text.startsWith('@') || text.startsWith('$') ? parseJsonPath(text) : undefined
  return path && (item => path.find(item))
}

function compare(a: unknown, operator: string, b: unknown): boolean {
  if (operator === '==') return a === b
  if (operator === '!=') return a !== b
  if (typeof a !== typeof b || (typeof a !== 'number' && typeof a !== 'string')) return false
  const [left, right] = [a as number, b as number]
  return operator === '<'
    ? left < right
    : operator === '>'
      ? left > right
      : operator === '<='
        ? left <= right
        : left >= right
}
