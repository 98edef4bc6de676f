/** YAML bodies. Not imported by anything at start: the parser is loaded with this file. */
import { parseDocument } from 'yaml'
import { badRequest } from './status-error.ts'

/** A file's worth of aliases, and no more: they can blow up. */
const MAX_ALIASES = 100

/** Parses one YAML (or JSON) document, with YAML 1.1's types as Kubernetes has them. Throws StatusError BadRequest. */
export function parseYaml(body: string | Uint8Array): { value: unknown; duplicates: string[] } {
  const text = typeof body === 'string' ? body : Buffer.from(body).toString()
  const document = parseDocument(text, { version: '1.1', merge: true, uniqueKeys: false, schema: 'yaml-1.1' })
  const [error] = document.errors
  if (error) throw badRequest(`error converting YAML to JSON: yaml: ${error.message}`)
  try {
    return { value: document.toJS({ maxAliasCount: MAX_ALIASES }), duplicates: [] }
  } catch (cause) {
    throw badRequest(`error converting YAML to JSON: yaml: ${(cause as Error).message}`)
  }
}
