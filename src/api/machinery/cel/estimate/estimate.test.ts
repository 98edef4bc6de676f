import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { compile, extend, isProgram } from '../environment.ts'
import { KUBERNETES } from '../kubernetes.ts'
import { type RuleSchema, schemaType } from '../schema-type.ts'
import { BOOL } from '../types.ts'
import { estimateCost } from './estimate.ts'

/** Rules about one schema, and what Kubernetes says that each may cost at most, or why it refuses it. */
interface Estimates {
  readonly schema: RuleSchema
  readonly minSize: number
  readonly cases: readonly (readonly [string, number | string])[]
}

const file = new URL('../testdata/estimates.json', import.meta.url)
const { schema, minSize, cases } = JSON.parse(readFileSync(file, 'utf8')) as Estimates

test('estimateCost counts what Kubernetes counts', () => {
  const self = schemaType(schema, 'selfType')
  assert.ok(self)
  assert.equal(self.minSize, minSize)
  const env = extend(KUBERNETES, { self: self.type, oldSelf: self.type })
  for (const [source, expected] of cases) {
    const program = compile(source, env, [BOOL])
    if (isProgram(program)) assert.equal(estimateCost(program.expr, self.type).max, expected, source)
    else if (!program.message.startsWith('must evaluate')) assert.equal(program.message, expected)
    else assert.equal(expected, 'cel expression must evaluate to a bool')
  }
})
