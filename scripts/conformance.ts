/**
 * Keeps the list of official conformance tests that pass: `node scripts/conformance.ts REPORT.json…` reads reports of
 * the Kubernetes suite (Ginkgo's JSON), adds what passed to test/conformance/passed.tsv, and fails when something on
 * the list did not. See docs/conformance.md.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const LIST = join(import.meta.dirname, '../test/conformance/passed.tsv')

interface Spec {
  readonly LeafNodeType: string
  readonly LeafNodeText: string
  readonly ContainerHierarchyTexts: readonly string[] | null
  readonly State: string
}

const nameOf = ({ ContainerHierarchyTexts, LeafNodeText }: Spec) =>
  [...(ContainerHierarchyTexts ?? []), LeafNodeText].join(' ')

/** Names on the list, sorted. */
const readList = () => readFileSync(LIST, 'utf8').split('\n').filter(Boolean)

const specs = process.argv
  .slice(2)
  .flatMap(file => JSON.parse(readFileSync(file, 'utf8')) as { readonly SpecReports: readonly Spec[] | null }[])
  .flatMap(({ SpecReports }) => SpecReports ?? [])
  .filter(({ LeafNodeType }) => LeafNodeType === 'It')
const listed = new Set(readList())
const passed = specs.filter(({ State }) => State === 'passed').map(nameOf)
const failed = specs.filter(({ State }) => !['passed', 'skipped', 'pending'].includes(State)).map(nameOf)
const broken = failed.filter(name => listed.has(name) && !passed.includes(name))
const added = passed.filter(name => !listed.has(name))

writeFileSync(LIST, `${[...new Set([...listed, ...passed])].sort().join('\n')}\n`)
console.log(
  `${passed.length} passed, ${failed.length} failed; ${added.length} new on the list of ${listed.size + added.length}`,
)
for (const name of broken) console.error(`passed before: ${name}`)
process.exitCode = broken.length > 0 ? 1 : 0
