/**
 * Puts the cases of test/integration/custom/testdata to a Kubernetes API server and records what it says:
 * `record-custom.ts URL TOKEN`. The server's certificate is not checked; use one that was made for this.
 */
import { writeFileSync } from 'node:fs'
import { request } from 'node:https'
import type { Loose } from '../test/integration/api/start.ts'
import { definitionCases } from '../test/integration/custom/testdata/definitions.ts'
import { scenarios } from '../test/integration/custom/testdata/resources.ts'
import { type Told, told, withDefaults } from '../test/integration/custom/told.ts'

const [url = '', token = ''] = process.argv.slice(2)
const TESTDATA = new URL('../test/integration/custom/testdata/', import.meta.url)

interface Sent {
  readonly code: number
  readonly body: Loose
  readonly warnings: readonly string[]
}

function send(
  method: string,
  path: string,
  body?: unknown,
  contentType = 'application/json',
  accept = 'application/json',
): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': contentType, 'user-agent': 'test', accept }
    const call = request(`${url}${path}`, { method, headers, rejectUnauthorized: false }, answer => {
      const chunks: Buffer[] = []
      answer.on('data', chunk => void chunks.push(chunk))
      answer.on('end', () => {
        const raw = answer.headers.warning
        const texts = (Array.isArray(raw) ? raw : raw ? [raw] : []).flatMap(each =>
          [...String(each).matchAll(/299 - ("(?:[^"\\]|\\.)*")/g)].map(match => JSON.parse(match[1]!) as string),
        )
        const text = Buffer.concat(chunks).toString()
        resolve({ code: answer.statusCode ?? 0, body: text.startsWith('{') ? JSON.parse(text) : text, warnings: texts })
      })
    })
    call.on('error', reject)
    call.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body))
  })
}

function write(name: string, answers: Readonly<Record<string, unknown>>): void {
  const lines = Object.entries(answers).map(each => `${JSON.stringify(each)}\n`)
  writeFileSync(new URL(name, TESTDATA), lines.join(''))
}

async function recordDefinitions(): Promise<void> {
  const answers: Record<string, Told> = {}
  for (const { title, definition } of definitionCases) {
    const { code, body, warnings } = await send(
      'POST',
      '/apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All',
      definition,
    )
    const { object, ...rest } = told(code, body, warnings)
    answers[title] = rest
  }
  write('definitions.jsonl', answers)
}

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

async function until(check: () => Promise<boolean>): Promise<void> {
  while (!(await check())) await new Promise(resolve => void setTimeout(resolve, 200))
}

async function recordResources(): Promise<void> {
  const answers: Record<string, Told> = {}
  for (const { title, definition, steps } of scenarios) {
    const path = `${DEFINITIONS}/${definition.metadata.name}`
    const created = await send('POST', DEFINITIONS, definition)
    if (created.code !== 201) throw new Error(`${title}: ${created.body.message}`)
    const [version] = definition.spec.versions
    await until(async () => (await send('GET', `/apis/${definition.spec.group}/${version.name}`)).code === 200)
    for (const step of steps) {
      const query = new URLSearchParams(withDefaults(step))
      const { code, body, warnings } = await send(
        step.method,
        `${step.path}?${query}`,
        step.body,
        step.contentType,
        step.accept,
      )
      answers[`${title}: ${step.title}`] = told(code, body, warnings)
      // A changed definition is in force a little later.
      if (step.path.startsWith(DEFINITIONS)) await new Promise(resolve => void setTimeout(resolve, 2000))
    }
    await send('DELETE', path)
    await until(async () => (await send('GET', path)).code === 404)
  }
  write('resources.jsonl', answers)
}

await recordDefinitions()
await recordResources()
