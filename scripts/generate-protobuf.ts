/**
 * Writes src/api/generated/protobuf-data.ts: the field numbers and types of the wire messages.
 *
 *   node scripts/generate-protobuf.ts PROTOBUF_JSON GO_SOURCES...
 *
 * PROTOBUF_JSON is `{message: {jsonField: [number, type]}}`, types as in .proto files, `inline X` for a message whose
 * fields stand among its parent's in JSON. GO_SOURCES are folders of the Go modules k8s.io/api, apimachinery,
 * apiextensions-apiserver and kube-aggregator: their types.go say which scalars are pointers or never left out of JSON.
 * Only those keep a zero value; the zero of any other scalar is what Go writes for a field that was never set.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const [input, ...sources] = process.argv.slice(2)
if (!input || sources.length === 0) {
  console.error('usage: node scripts/generate-protobuf.ts PROTOBUF_JSON GO_SOURCES...')
  process.exit(1)
}
type Messages = Record<string, Record<string, [number, string]>>
const messages = JSON.parse(readFileSync(input, 'utf8')) as Messages

const FIELD = /^\s+\w+\s+(\*?)[[\]\w.]+\s+`json:"([\w$-]+)([^"]*)"[^`]*protobuf:"(?:varint|bytes|fixed)/gm
/** `package.Type.field` of every field that JSON shows with its zero value: pointers, and what is never left out. */
const kept = new Set<string>()
for (const source of sources) {
  for (const file of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
    if (!/types(_[a-z]+)?\.go$/.test(file) || file.includes('testdata')) continue
    const folder = file.split('/').slice(0, -1).join('/')
    const text = readFileSync(join(source, file), 'utf8')
    for (const [, type, body = ''] of text.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}/gm)) {
      for (const [, star, json, options] of body.matchAll(FIELD))
        if (star || !options!.includes('omitempty'))
          kept.add(`${folder.split('/').slice(-2).join('.')}.${type}.${json}`)
    }
  }
}

const SCALARS = new Set(['string', 'bool', 'int32', 'int64', 'double', 'bytes'])
const packages: Record<string, Record<string, [string, number, string][]>> = {}
let count = 0
for (const [name, fields] of Object.entries(messages).sort(([a], [b]) => (a < b ? -1 : 1))) {
  const dot = name.lastIndexOf('.')
  const group = name.slice(0, dot)
  const short = name.slice(dot + 1)
  const tail = group.split('.').slice(-2).join('.')
  packages[group] ??= {}
  packages[group][short] = Object.entries(fields)
    .sort(([, [a]], [, [b]]) => a - b)
    .map(([json, [number, type]]) => {
      const zero = SCALARS.has(type) && kept.has(`${tail}.${short}.${json}`)
      if (zero) count++
      // Names of the same package are written without it.
      const local = type.replace(`${group}.`, match =>
        type.slice(type.indexOf(match) + match.length).includes('.') ? match : '.',
      )
      return [json, number, zero ? `${local}?` : local]
    })
}
const text = Object.entries(packages)
  .map(([group, all]) => `  '${group}':\n    '${JSON.stringify(all).replaceAll("'", "\\'")}',`)
  .join('\n')
writeFileSync(
  join(import.meta.dirname, '../src/api/generated/protobuf-data.ts'),
  `// Made by scripts/generate-protobuf.ts. Do not edit.\n/** JSON of the wire messages of each package: fields as [name in JSON, number, type]; \`?\` marks a scalar whose zero counts. */\nexport const packages: Readonly<Record<string, string>> = {\n${text}\n}\n`,
)
console.log(`${Object.keys(messages).length} messages, ${count} scalars whose zero counts`)
