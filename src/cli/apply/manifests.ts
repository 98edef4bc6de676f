/** Objects from files, folders and standard input, in YAML or JSON. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { extname, join } from 'node:path'
import type { KubeObject } from '../../api/machinery/object.ts'
import { UserError } from '../context.ts'

/** An object that names itself. */
export interface Manifest extends KubeObject {
  apiVersion: string
  kind: string
  metadata: NonNullable<KubeObject['metadata']>
}

const EXTENSIONS = ['.yaml', '.yml', '.json']

function filesOf(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path]
  } catch (cause) {
    throw new UserError(`cannot read ${path}: ${(cause as Error).message}`)
  }
  return readdirSync(path)
    .filter(name => EXTENSIONS.includes(extname(name)))
    .sort()
    .map(name => join(path, name))
}

/** Replaces `${NAME}` by the given variables, and only by these. */
export const substitute = (text: string, variables: Readonly<Record<string, string>>) =>
  text.replace(/\$\{(\w+)\}/g, (whole, name: string) => variables[name] ?? whole)

/** Reads the objects of one text. `source` names it in errors. Lists are taken apart. */
export async function parseManifests(text: string, source: string): Promise<Manifest[]> {
  const { parseAllDocuments } = await import('yaml')
  const objects: Manifest[] = []
  for (const [index, document] of [...parseAllDocuments(text)].entries()) {
    if (document.errors[0]) throw new UserError(`${source}: ${document.errors[0].message}`)
    const value: unknown = document.toJS()
    if (value === null || value === undefined) continue
    const where = `${source}, document ${index + 1}`
    const object = value as Partial<Manifest> & { items?: unknown[] }
    if (typeof value !== 'object' || Array.isArray(value))
      throw new UserError(`${where}: expected an object, found ${Array.isArray(value) ? 'a list' : typeof value}`)
    for (const part of object.kind === 'List' ? ((object.items ?? []) as Partial<Manifest>[]) : [object]) {
      if (typeof part.apiVersion !== 'string' || typeof part.kind !== 'string')
        throw new UserError(`${where}: apiVersion and kind must be set`)
      objects.push({ ...part, metadata: part.metadata ?? {} } as Manifest)
    }
  }
  return objects
}

/** Reads the objects of files, folders (not deeper) and `-`, standard input. */
export async function readManifests(
  paths: readonly string[],
  stdin: NodeJS.ReadStream,
  variables: Readonly<Record<string, string>> = {},
): Promise<Manifest[]> {
  const objects: Manifest[] = []
  for (const path of paths) {
    if (path === '-') {
      let text = ''
      for await (const chunk of stdin.setEncoding('utf8')) text += chunk
      objects.push(...(await parseManifests(text, 'standard input')))
      continue
    }
    for (const file of filesOf(path)) {
      const text = readFileSync(file, 'utf8')
      objects.push(...(await parseManifests(Object.keys(variables).length ? substitute(text, variables) : text, file)))
    }
  }
  if (objects.length === 0) throw new UserError(`no objects in ${paths.join(', ')}`)
  return objects
}
