/**
 * Checks the tree's own rules (ARCHITECTURE.md, "Levels"): a folder imports only from lower levels, folders of level 4
 * never import each other, no import cycle exists at run time, and time is asked of a clock that is passed in. Prints
 * each breach and exits 1.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative, sep } from 'node:path'

const root = join(import.meta.dirname, '../src')

/** The level of each folder of src. Level 4 is a set of components that meet through the API only. */
const levels: Readonly<Record<string, number>> = {
  lib: 0,
  api: 1,
  store: 1,
  client: 2,
  control: 3,
  apiserver: 4,
  controllers: 4,
  scheduler: 4,
  agent: 4,
  network: 4,
  gateway: 4,
  workflow: 4,
  doors: 4,
  cli: 4,
  cmd: 5,
}

/** api/ is pure: it runs in a browser. */
const impure = /^node:(?!buffer$)/

/** The machine's time makes a history that cannot be replayed (lib/clock.ts). */
const machineTime = /\b(?:Date|performance)\.now\(|\bnew Date\(\)/
/** Where it may be asked, and why. */
const mayAskTheMachine: Readonly<Record<string, string>> = {
  'lib/clock.ts': 'it is the clock',
  'agent/probes/http.ts': 'the deadline of a request that goes over a real socket',
  'agent/volumes/payload.ts': 'the name of a folder on disk, as a kubelet names it',
  'apiserver/http/write-protobuf.ts': 'how long an answer to a real socket has kept the thread',
}

interface Import {
  target: string
  typeOnly: boolean
}

const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.ts'))
const graph = new Map<string, Import[]>()
const breaches: string[] = []
const statement =
  /^\s*(?:import|export)\s+(type\s)?(?:[^'"`;]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm

for (const file of files) {
  const imports: Import[] = []
  const source = readFileSync(join(root, file), 'utf8')
  const folder = file.split(sep)[0]!
  const isTest = file.endsWith('.test.ts') || file.endsWith('.contract.ts')
  if (!isTest && !file.includes('fixture') && !(file in mayAskTheMachine) && machineTime.test(source))
    breaches.push(`${file}: asks the machine for the time; take a Clock (lib/clock.ts)`)
  if (!(folder in levels) && file.includes(sep))
    breaches.push(`${file}: folder ${folder} has no level; add it to scripts/check-levels.ts`)
  for (const match of source.matchAll(statement)) {
    const name = match[2] ?? match[3]!
    if (!name.startsWith('.')) {
      if (folder === 'api' && !isTest && impure.test(name))
        breaches.push(`${file}: api/ is pure and may not import ${name}`)
      continue
    }
    const target = normalize(join(dirname(file), name))
    if (target.startsWith('..')) {
      if (!isTest) breaches.push(`${file}: imports ${name}, outside src`)
      continue
    }
    // A dynamic import is not part of the start-up order, so it cannot make a harmful cycle.
    if (!match[3]) imports.push({ target, typeOnly: Boolean(match[1]) })
    const other = target.split(sep)[0]!
    const from = levels[folder] ?? 5
    const to = levels[other] ?? 5
    // Tests may stand on the composition root: they need a whole cluster.
    if (other !== folder && !isTest && to >= from)
      breaches.push(`${file} (level ${from}) imports ${target} (level ${to})`)
  }
  graph.set(file, imports)
}

const state = new Map<string, 'open' | 'done'>()
function visit(file: string, path: string[]) {
  if (state.get(file) === 'done') return
  if (state.get(file) === 'open') {
    breaches.push(`cycle: ${[...path.slice(path.indexOf(file)), file].join(' → ')}`)
    return
  }
  state.set(file, 'open')
  for (const { target, typeOnly } of graph.get(file) ?? []) if (!typeOnly) visit(target, [...path, file])
  state.set(file, 'done')
}
for (const file of files) visit(file, [])

for (const breach of breaches) console.error(breach)
console.log(
  `${files.length} files in ${relative(process.cwd(), root) || '.'}: ${breaches.length ? `${breaches.length} breaches` : 'levels and cycles are in order'}`,
)
process.exit(breaches.length ? 1 : 0)
