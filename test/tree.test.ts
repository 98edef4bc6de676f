/** The tree's own rules, which no compiler checks: lists that name every file of their folder, sizes, clean sources. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')

/** Files of the repository as Git knows them, that stand in the working tree. */
const files = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 })
  .split('\0')
  .filter(file => file !== '' && existsSync(join(root, file)))

/** The modules that a list imports, from its own folder. */
const importsOf = (list: string) => new Set([...read(list).matchAll(/from '\.\/([^']+)'/g)].map(match => match[1]))

/** Lists, and what makes a file of their folder one of their entries: a pattern of its path, and of its text. */
const lists = [
  { list: 'src/api/kinds/all.ts', entry: /^[^/]+\/[^/]+$/, text: /^export const \w+ = defineKind\b/m },
  { list: 'src/controllers/all.ts', entry: /^[^/]+\/(controller|component)\.ts$/, text: /^export /m },
  { list: 'src/scheduler/plugins/all.ts', entry: /^[^/]+$/, text: /^export const \w+: Plugin\b/m },
  { list: 'src/cli/commands/all.ts', entry: /^[^/]+$/, text: /^export const \w+ = defineCommand\b/m },
  { list: 'src/agent/volumes/all.ts', entry: /^[^/]+$/, text: /^export const \w+: VolumeType\b/m },
]

/** Kinds without an endpoint of their own. */
const unlisted = new Set(['src/api/kinds/autoscaling/scale.ts'])

for (const { list, entry, text } of lists)
  test(`${list} names every entry of its folder`, () => {
    const folder = list.replace('all.ts', '')
    const entries = files
      .filter(file => file.startsWith(folder) && file.endsWith('.ts') && file !== list && !file.includes('.test.'))
      .filter(file => !unlisted.has(file))
      .filter(file => entry.test(file.slice(folder.length)) && text.test(read(file)))
      .map(file => file.slice(folder.length))
    assert.ok(entries.length > 3, `the pattern finds only ${entries.length} entries`)
    const named = importsOf(list)
    assert.deepEqual(
      entries.filter(file => !named.has(file)),
      [],
    )
  })

test('src/controllers/all.ts names every folder beside it', () => {
  const folders = readdirSync(join(root, 'src/controllers'), { withFileTypes: true }).filter(each => each.isDirectory())
  const named = [...importsOf('src/controllers/all.ts')].map(file => file?.split('/')[0])
  for (const { name } of folders) assert.ok(named.includes(name), name)
})

test('bench/ has its benchmarks in the folder that npm run bench reads, and what they share in lib/', () => {
  const stray = files.filter(file => /^bench\/.*\.ts$/.test(file) && !/^bench\/(lib\/.+|[^/]+)\.ts$/.test(file))
  assert.deepEqual(stray, [])
})

test('sources have at most 600 lines', () => {
  const long = files
    .filter(file => /^(src|bench|scripts)\/.*\.ts$/.test(file))
    .filter(file => !/generated|\.test\.|testdata/.test(file))
    .filter(file => read(file).split('\n').length > 601)
  assert.deepEqual(long, [])
})

test('files name no folder of the machine that they were written on', () => {
  // In pieces, so that this file is clean itself.
  const places = new RegExp(['(^|[\\s"\'`=(:])/wor', 'k/|/tmp/hel', 'pers'].join(''), 'm')
  const found = files.filter(file => !/\.(png|jpg|gif|gz|tgz|zst|pb|bin)$/.test(file) && places.test(read(file)))
  assert.deepEqual(found, [])
})

test('links of documents lead to files that are there', () => {
  const links = files
    .filter(file => file.endsWith('.md'))
    .flatMap(file => [...read(file).matchAll(/\]\((?![a-z]+:|#)([^)#]+)/g)].map(([, to]) => ({ file, to: to! })))
  assert.ok(links.length > 100, `the pattern finds only ${links.length} links`)
  assert.deepEqual(
    links.filter(({ file, to }) => !existsSync(join(root, dirname(file), to))),
    [],
  )
})

test('package-lock.json names no registry', () => {
  assert.doesNotMatch(read('package-lock.json'), /"resolved"/)
})
