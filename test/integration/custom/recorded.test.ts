/** What a Kubernetes 1.36 API server said to the same requests. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { startApi } from '../api/start.ts'
import { DEFINITIONS } from './definition.ts'
import { definitionCases } from './testdata/definitions.ts'
import { type Told, told } from './told.ts'

const read = (name: string): Record<string, Told> =>
  JSON.parse(readFileSync(new URL(`testdata/${name}`, import.meta.url), 'utf8'))

test('definitions, good and bad, are judged as a Kubernetes API server does', async t => {
  const api = await startApi()
  t.after(() => api.server.close())
  const answers = read('definitions.json')
  const differences: string[] = []
  for (const { title, definition } of definitionCases) {
    const query = { dryRun: 'All', fieldValidation: 'Warn' }
    const answer = await api.send('POST', DEFINITIONS, JSON.parse(JSON.stringify(definition)), query)
    const { object, ...rest } = told(answer.status, answer.object, answer.warnings)
    try {
      assert.deepEqual(rest, answers[title])
    } catch {
      differences.push(`${title}\n  expected ${JSON.stringify(answers[title])}\n  answered ${JSON.stringify(rest)}`)
    }
  }
  assert.equal(differences.length, 0, `\n${differences.join('\n')}`)
})
