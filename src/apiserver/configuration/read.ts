/** Configuration files in the manner of apiserver.config.k8s.io: read strictly, for a word that is not understood may be the lock. */

import { parseJson } from '../../api/machinery/json-strict.ts'

/** What a value must be: a type, a list of one shape, or an object with these fields; `*` is every other field. */
export type Shape = 'string' | 'boolean' | 'number' | 'object' | readonly [Shape] | { readonly [field: string]: Shape }

const GROUP = 'apiserver.config.k8s.io'
const VERSIONS = ['v1', 'v1beta1', 'v1alpha1']

function check(value: unknown, shape: Shape, at: string): void {
  if (value === undefined || value === null) return
  const wrong = (what: string) => {
    throw new Error(`${at || 'the file'} must be ${what}, and is ${JSON.stringify(value)?.slice(0, 100)}`)
  }
  if (typeof shape === 'string') {
    if (typeof value !== shape) wrong(`a ${shape}`)
  } else if (Array.isArray(shape)) {
    if (!Array.isArray(value)) wrong('a list')
    for (const [i, item] of (value as unknown[]).entries()) {
      if (item === null) throw new Error(`${at}[${i}] must not be null`)
      check(item, shape[0] as Shape, `${at}[${i}]`)
    }
  } else {
    if (typeof value !== 'object' || Array.isArray(value)) wrong('an object')
    for (const [field, inner] of Object.entries(value as object)) {
      const known = (shape as Record<string, Shape>)[field] ?? (shape as Record<string, Shape>)['*']
      const path = at ? `${at}.${field}` : field
      if (!known) throw new Error(`unknown field ${JSON.stringify(path)}`)
      // As if it were not there.
      if (inner === null) delete (value as Record<string, unknown>)[field]
      check(inner, known, path)
    }
  }
}

/** JSON is YAML, and needs no library. */
async function parse(text: string): Promise<{ value: unknown; duplicates: readonly string[] }> {
  if (text.trimStart().startsWith('{') && isJson(text)) return parseJson(text, true)
  const { parseYaml } = await import('../../api/machinery/yaml.ts')
  return parseYaml(text)
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

export interface Group {
  readonly group: string
  readonly versions: readonly string[]
}

/** Reads a file of one kind. Rejects with an Error that names what is wrong in it. */
export async function readConfiguration<T>(
  text: string,
  kind: string,
  shape: Shape,
  of: Group = { group: GROUP, versions: VERSIONS },
): Promise<T> {
  const { value, duplicates } = await parse(text)
  if (duplicates.length) throw new Error(`duplicate field ${JSON.stringify(duplicates[0])}`)
  const { apiVersion, kind: found, ...rest } = (value ?? {}) as Record<string, unknown>
  const versions = of.versions.map(version => `${of.group}/${version}`)
  const said = (field: unknown) => (field === undefined ? 'is not set' : `is ${JSON.stringify(field)}`)
  if (found !== kind || !versions.includes(String(apiVersion)))
    throw new Error(
      `apiVersion ${said(apiVersion)}, kind ${said(found)}: expected apiVersion ${versions.join(' or ')}, kind ${kind}`,
    )
  check(rest, shape, '')
  return rest as T
}
