import assert from 'node:assert/strict'
import test from 'node:test'
import { silent } from '../../lib/log.ts'
import { truncating } from './truncate.ts'

const cases: readonly [what: string, event: object, taken: object | undefined][] = [
  ['leaves a small event as it is', { level: 'Request', requestObject: 'x' }, { level: 'Request', requestObject: 'x' }],
  [
    'takes the bodies from a large one, and says so',
    { level: 'RequestResponse', annotations: { a: 'b' }, requestObject: 'x'.repeat(200), responseObject: {} },
    { level: 'RequestResponse', annotations: { a: 'b', 'audit.k8s.io/truncated': 'true' } },
  ],
  [
    'measures bytes',
    { level: 'Request', requestObject: 'ü'.repeat(90) },
    { level: 'Request', annotations: { 'audit.k8s.io/truncated': 'true' } },
  ],
  ['drops what is large without bodies', { level: 'Metadata', verb: 'x'.repeat(200) }, undefined],
  ['drops what is large after that', { level: 'Request', verb: 'x'.repeat(200), requestObject: 'x' }, undefined],
]
for (const [what, event, taken] of cases)
  test(`truncating ${what}`, () => {
    const lines: string[] = []
    const backend = { take: (line: string) => void lines.push(line), close: async () => {} }
    truncating(backend, { maxEventSize: 150 }, silent).take(JSON.stringify(event))
    assert.deepEqual(lines, taken ? [JSON.stringify(taken)] : [])
  })
