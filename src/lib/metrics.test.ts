import assert from 'node:assert/strict'
import test from 'node:test'
import { counter, exponential, gauge, histogram, lookedUp, metricsText } from './metrics.ts'

test('counter and gauge keep one number for each set of labels', async () => {
  const seen = counter('seen_total', 'Seen.', ['who', 'where'])
  seen.at('ann', 'here').value++
  seen.at('ann', 'here').value++
  seen.at('ann', 'there').value++
  const open = gauge('open', 'Open.')
  open.at().value = 3
  open.at().value--
  const text = await metricsText([seen, open])
  assert.match(text, /^# HELP seen_total Seen\.\n# TYPE seen_total counter\n/)
  assert.match(text, /\nseen_total\{who="ann",where="here"\} 2\n/)
  assert.match(text, /\nseen_total\{who="ann",where="there"\} 1\n/)
  assert.match(text, /\nopen 2\n/)
})

test('histogram counts in cumulative buckets, a bound among those below it', async () => {
  const sizes = histogram('sizes', 'Sizes.', ['of'], [1, 10])
  for (const value of [0.5, 1, 2, 10, 11]) sizes.at('a').observe(value)
  const values = Array.from(sizes.samples(), ({ metricName, labels, value }) => [metricName, labels.le, value])
  assert.deepEqual(values, [
    ['sizes_bucket', '1', 2],
    ['sizes_bucket', '10', 4],
    ['sizes_bucket', '+Inf', 5],
    ['sizes_sum', undefined, 24.5],
    ['sizes_count', undefined, 5],
  ])
})

test('lookedUp reads when it is asked', () => {
  let value = 1
  const family = lookedUp('gauge', 'now', 'Now.', () => [[{ a: 'b' }, value]])
  value = 2
  assert.deepEqual(Array.from(family.samples()), [{ labels: { a: 'b' }, value: 2 }])
})

test('exponential gives bounds that are read as they are written', () => {
  assert.deepEqual(exponential(0.001, 2, 4), [0.001, 0.002, 0.004, 0.008])
  assert.deepEqual(exponential(1e-8, 10, 3), [1e-8, 1e-7, 1e-6])
})
