import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { compile, extend, isProgram } from './environment.ts'
import { KUBERNETES } from './kubernetes.ts'
import { show } from './show.ts'
import { typeName } from './values.ts'

/** An expression, its outcome as Kubernetes 1.36 has it, and the cost of the run. */
type Case = readonly [string, string, number?]

const SECTIONS: Readonly<Record<string, readonly Case[]>> = JSON.parse(
  readFileSync(new URL('./testdata/language.json', import.meta.url), 'utf8'),
)
const ENV = extend(KUBERNETES, {})

function outcome(expression: string, costs: boolean): Case {
  const program = compile(expression, ENV)
  if (!isProgram(program)) {
    const messages = [...program.message.matchAll(/^(?:.*?: )?ERROR: <input>:\d+:\d+: (.*)$/gm)].map(match => match[1])
    const told =
      messages.length > 0 ? messages.join('; ') : program.message.replace('program instantiation failed: ', '')
    return [expression, `refused: ${told}`]
  }
  const run = program.run({})
  const told = 'error' in run ? `error: ${run.error}` : `${typeName(run.value)} ${show(run.value)}`
  return costs ? [expression, told, run.cost] : [expression, told]
}

for (const [section, cases] of Object.entries(SECTIONS))
  test(`the language has ${section} as Kubernetes has them`, () => {
    const seen = cases.map(([expression, , cost]) => outcome(expression, cost !== undefined))
    assert.deepEqual(seen, cases)
  })
