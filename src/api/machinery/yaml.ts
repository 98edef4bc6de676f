/** YAML bodies. Not imported by anything at start: the parser is loaded with this file. */
import type { ParsedNode, Tags } from 'yaml'
import { Document, isMap, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml'
import { MAX_DEPTH } from './json-strict.ts'
import { badRequest, StatusError } from './status-error.ts'

/** A file's worth of aliases, and no more: they can blow up. */
const MAX_ALIASES = 100

/**
 * YAML 1.1 as Kubernetes reads it: `yes` is true, but dates stay text, and `22:22` is no number of minutes.
 */
const customTags = (tags: Tags): Tags =>
  tags.filter(tag => {
    if (typeof tag === 'string') return true
    if ('format' in tag && tag.format === 'TIME') return false
    return !/:(timestamp|binary|omap|pairs|set)$/.test(tag.tag)
  })

/**
 * Parses one YAML (or JSON) document. `duplicates` says which keys stand more than once, and where; the last one
 * counts. Throws StatusError BadRequest.
 */
export function parseYaml(body: string | Uint8Array): { value: unknown; duplicates: string[] } {
  const text = typeof body === 'string' ? body : Buffer.from(body).toString()
  const lines = new LineCounter()
  const document = parse(text, lines)
  const [error] = document.errors
  if (error) throw badRequest(`error converting YAML to JSON: yaml: ${error.message}`)
  const duplicates: string[] = []
  try {
    findDuplicates(document.contents, lines, duplicates, 0)
    return { value: document.toJS({ maxAliasCount: MAX_ALIASES }), duplicates }
  } catch (cause) {
    if (cause instanceof StatusError) throw cause
    throw badRequest(`error converting YAML to JSON: yaml: ${(cause as Error).message}`)
  }
}

/** Texts that the library writes as a block and does not read back as they were. */
const NO_BLOCK = /(^|\n)\s|\s(\n|$)/

/** A value as YAML that a parser of YAML 1.1 reads as the same. */
export function formatYaml(value: unknown): string {
  const document = new Document(value, { version: '1.1', aliasDuplicateObjects: false, sortMapEntries: true })
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value === 'string' && node.value.includes('\n') && NO_BLOCK.test(node.value.replace(/\n$/, ''))) {
        node.type = 'QUOTE_DOUBLE'
      }
    },
  })
  return document.toString({ indentSeq: false, lineWidth: 0 })
}

function parse(text: string, lineCounter: LineCounter): Document.Parsed<ParsedNode> {
  try {
    const schema = { version: '1.1', schema: 'yaml-1.1', merge: true, uniqueKeys: false, customTags } as const
    return parseDocument(text, { ...schema, lineCounter })
  } catch (cause) {
    // The parser is recursive: what is nested too deeply ends here.
    throw badRequest(`error converting YAML to JSON: yaml: ${(cause as Error).message}`)
  }
}

function findDuplicates(node: unknown, lines: LineCounter, found: string[], depth: number): void {
  if (depth > MAX_DEPTH) {
    throw badRequest(`error converting YAML to JSON: yaml: exceeded max depth of ${MAX_DEPTH}`)
  }
  if (isSeq(node)) {
    for (const item of node.items) findDuplicates(item, lines, found, depth + 1)
  } else if (isMap(node)) {
    const seen = new Set<string>()
    for (const { key, value } of node.items) {
      const name = String(isScalar(key) ? key.value : key)
      if (seen.has(name) && name !== '<<') {
        const line = isScalar(key) && key.range ? lines.linePos(key.range[0]).line : 1
        found.push(`line ${line}: key ${JSON.stringify(name)} already set in map`)
      }
      seen.add(name)
      findDuplicates(value, lines, found, depth + 1)
    }
  }
}
