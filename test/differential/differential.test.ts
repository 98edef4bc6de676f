/**
 * Our server answers thousands of requests as a real one did (see README.md in this folder), but for what `intended.ts`
 * explains.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Scene } from './ask.ts'
import { compareScene, type Mismatch } from './compare.ts'
import { type Connection, openConnection } from './connection.ts'
import { type OwnServer, startOwnServer } from './own-server.ts'
import { prepare } from './play.ts'
import { readRecorded } from './recorded.ts'
import { addNotes, beginTopic, hasFired, self, unitTests, watchRules } from './rules/firing.ts'
import { allSites } from './rules/sites.ts'
import { scenes } from './scenes.ts'

let server: OwnServer
let connection: Connection

before(async () => {
  watchRules()
  server = await startOwnServer()
  connection = openConnection(server.url, 'any')
  await prepare(connection)
})

after(async () => {
  connection.close()
  await server.close()
})

const topics = new Map<string, Scene[]>()
for (const scene of scenes()) topics.set(scene.topic, [...(topics.get(scene.topic) ?? []), scene])

const show = ({ scene, ask, differences }: Mismatch) =>
  `${scene.name} / ${ask.title}: ${differences === 'unrecorded' ? 'no recorded answer' : JSON.stringify(differences[0])}`

for (const [topic, own] of topics) {
  test(`the answers about ${topic} are those of a real server`, async () => {
    beginTopic(topic)
    const recorded = readRecorded(topic)
    const wrong: Mismatch[] = []
    for (const scene of own) wrong.push(...(await compareScene(connection, scene, ask => recorded.find(scene, ask))))
    assert.equal(wrong.length, 0, `${wrong.length} answers differ:\n${wrong.slice(0, 20).map(show).join('\n')}`)
  })
}

test('every rule of every kind is broken by a case here or in the unit tests', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-rules-'))
  const notes = join(folder, 'notes.json')
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const options = [`--import=${self}`, '--test', '--test-isolation=none', ...globSync(unitTests)]
  const { status, stdout } = spawnSync(process.execPath, options, { env: { ...env, TUTTI_RULE_NOTES: notes } })
  assert.equal(status, 0, String(stdout).slice(-2000))
  addNotes(notes)
  rmSync(folder, { recursive: true })
  const silent = allSites()
    .filter(site => !hasFired(site))
    .map(({ name }) => name)
  assert.deepEqual(silent, [])
})
