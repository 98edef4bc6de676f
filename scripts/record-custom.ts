/**
 * Puts the cases of test/integration/custom/testdata to a Kubernetes API server and records what it says:
 * `record-custom.ts URL TOKEN`. The server's certificate is not checked; use one that was made for this.
 */
import { writeFileSync } from 'node:fs'
import { request } from 'node:https'
import type { Loose } from '../test/integration/api/start.ts'
import { definitionCases } from '../test/integration/custom/testdata/definitions.ts'
import { type Told, told } from '../test/integration/custom/told.ts'

const [url = '', token = ''] = process.argv.slice(2)
const TESTDATA = new URL('../test/integration/custom/testdata/', import.meta.url)

interface Sent {
  readonly code: number
  readonly body: Loose
  readonly warnings: readonly string[]
}

function send(method: string, path: string, body?: unknown, contentType = 'application/json'): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': contentType, 'user-agent': 'test' }
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
  const lines = Object.entries(answers).map(([title, answer]) => `${JSON.stringify(title)}: ${JSON.stringify(answer)}`)
  writeFileSync(new URL(name, TESTDATA), `{\n${lines.join(',\n')}\n}\n`)
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
  write('definitions.json', answers)
}

await recordDefinitions()
