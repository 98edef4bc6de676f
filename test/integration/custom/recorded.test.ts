/** What a Kubernetes 1.36 API server said to the same requests. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { startApi, type TestApi } from '../api/start.ts'
import { DEFINITIONS, establish } from './definition.ts'
import { definitionCases } from './testdata/definitions.ts'
import { type Step, scenarios } from './testdata/resources.ts'
import { type Told, told, withDefaults } from './told.ts'

/** Answers by the title of what was asked. */
function read(name: string): Record<string, Told> {
  const lines = readFileSync(new URL(`testdata/${name}`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
  return Object.fromEntries(lines.map(line => JSON.parse(line) as [string, Told]))
}

function compare(differences: string[], title: string, actual: Told, expected: Told | undefined): void {
  try {
    assert.deepEqual(actual, expected)
  } catch {
    differences.push(`${title}\n  expected ${JSON.stringify(expected)}\n  answered ${JSON.stringify(actual)}`)
  }
}

test('definitions, good and bad, are judged as a Kubernetes API server does', async t => {
  const api = await startApi()
  t.after(() => api.server.close())
  const answers = read('definitions.jsonl')
  const differences: string[] = []
  for (const { title, definition } of definitionCases) {
    const query = { dryRun: 'All', fieldValidation: 'Warn' }
    const answer = await api.send('POST', DEFINITIONS, JSON.parse(JSON.stringify(definition)), query)
    const { object, ...rest } = told(answer.status, answer.object, answer.warnings)
    compare(differences, title, rest, answers[title])
  }
  assert.equal(differences.length, 0, `\n${differences.join('\n')}`)
})

async function take(api: TestApi, step: Step): Promise<Told> {
  const { method, path, contentType, accept, body } = step
  const answer = await api.transport({
    method,
    path,
    query: withDefaults(step),
    ...(contentType && { contentType }),
    ...(accept && { accept }),
    ...(body !== undefined && { body: JSON.parse(JSON.stringify(body)) }),
  })
  return told(answer.status, answer.object, answer.warnings)
}

test('custom resources are written and shown as a Kubernetes API server does', async t => {
  const answers = read('resources.jsonl')
  const differences: string[] = []
  for (const { title, definition, steps } of scenarios) {
    const api = await startApi()
    t.after(() => api.server.close())
    await establish(api, structuredClone(definition))
    for (const step of steps) {
      const key = `${title}: ${step.title}`
      compare(differences, key, await take(api, step), answers[key])
      if (step.path.startsWith(DEFINITIONS)) await new Promise<void>(resolve => void setImmediate(resolve))
    }
  }
  assert.equal(differences.length, 0, `\n${differences.join('\n')}`)
})
