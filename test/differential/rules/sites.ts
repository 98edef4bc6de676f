/**
 * Every rule that the kinds of the API say, found in their source: each place where an error is made or a shared check
 * is asked, and each field that stands in a rule that is a table.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { kinds } from '../../../src/api/kinds/all.ts'

export const FOLDER = join(import.meta.dirname, '../../../src/api/kinds')

export interface Site {
  /** Says which rule it is, whatever line it stands in. */
  readonly name: string
  /** In the folder of kinds. */
  readonly file: string
  /** As stack traces say it. */
  readonly line: number
  readonly column: number
  /** A field that is said to a rule that is a table: an error about it comes from there. */
  readonly field?: string
}

const MAKERS =
  'invalid|invalidUnsaid|typeInvalid|required|forbidden|notSupported|tooMany|tooLong|duplicate|notFound|internal'
const SHARED =
  'check(?:Format|LabelName|Subdomain|QualifiedName|Enum|Supported|MaxItems|IntOrPercent|AtMostWhole|NonNegative|Positive)|validate[A-Z]\\w*'
const TABLES = 'immutable|immutableText|nonNegative|frozenWhenImmutable'
const CALL = new RegExp(`(?<![\\w.$])(?<!function )(?:(${MAKERS}|${SHARED})|(${TABLES}))\\(`, 'g')

/** Comments, with nothing moved. */
const COMMENT = /(?<=^|\s)(?:\/\*[\s\S]*?\*\/|\/\/.*$)/gm

/** Where the parenthesis at `start` is closed. */
function endOf(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    if (text[at] === '(') depth++
    if (text[at] === ')' && --depth === 0) return at + 1
  }
  return text.length
}

function sitesOf(file: string): Site[] {
  const text = readFileSync(join(FOLDER, file), 'utf8').replace(COMMENT, found => found.replace(/[^\n]/g, ' '))
  const sites: Site[] = []
  const seen = new Map<string, number>()
  const add = (start: number, said: string, field?: string) => {
    const before = text.slice(0, start)
    const base = `${file}: ${said.replace(/\s+/g, ' ').slice(0, 120)}`
    const times = (seen.get(base) ?? 0) + 1
    seen.set(base, times)
    const line = before.split('\n').length
    const name = times > 1 ? `${base} (${times})` : base
    sites.push({ name, file, line, column: start - before.lastIndexOf('\n'), ...(field && { field }) })
  }
  for (const found of text.matchAll(CALL)) {
    const call = text.slice(found.index, endOf(text, found.index + found[0].length - 1))
    if (found[1]) add(found.index, call)
    else for (const [, field = ''] of call.matchAll(/'([\w.]+)'/g)) add(found.index, `${found[2]} ${field}`, field)
  }
  return sites
}

export const allSites = (): Site[] =>
  readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.ts') && !file.endsWith('.test.ts') && file !== 'rules.ts')
    .sort()
    .flatMap(sitesOf)

const kebab = (kind: string) => kind.replace(/([a-z0-9])(?=[A-Z])|([A-Z]+)(?=[A-Z][a-z])/g, '$&-').toLowerCase()

/** The topics of the kinds whose rules a file says: those of its name, else those of its folder. */
export function topicsOf(file: string): string[] {
  const [folder = '', base = ''] = file.replace(/(\.validate|\.rules)?\.ts$/, '').split('/')
  const near = kinds.filter(({ group }) => (group.split('.')[0] || 'core') === folder)
  const own = near.filter(({ kind }) => base === kebab(kind) || base.startsWith(`${kebab(kind)}-`))
  const longest = Math.max(0, ...own.map(({ kind }) => kind.length))
  const chosen = own.length ? own.filter(({ kind }) => kind.length === longest) : near
  return chosen.map(({ apiVersion, kind }) => `${apiVersion.replace('/', '-')}-${kind}`)
}
