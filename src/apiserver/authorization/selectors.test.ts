import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requestSelections, reviewedFields, reviewedLabels, selectsExactly } from './selectors.ts'

const read = (verb: string, query: Record<string, string>) => requestSelections(verb, new URLSearchParams(query))

test('requestSelections reads the selectors of lists, watches and deletions of collections, and of nothing else', () => {
  const query = { fieldSelector: 'spec.nodeName=n1,status.phase!=Failed', labelSelector: 'app in (a, b),!old,x' }
  for (const verb of ['list', 'watch', 'deletecollection'])
    assert.deepEqual(read(verb, query), {
      fieldSelector: {
        requirements: [
          { key: 'spec.nodeName', operator: 'In', values: ['n1'] },
          { key: 'status.phase', operator: 'NotIn', values: ['Failed'] },
        ],
      },
      labelSelector: {
        requirements: [
          { key: 'app', operator: 'In', values: ['a', 'b'] },
          { key: 'old', operator: 'DoesNotExist' },
          { key: 'x', operator: 'Exists' },
        ],
      },
    })
  for (const verb of ['get', 'delete', 'create']) assert.deepEqual(read(verb, query), {})
  assert.deepEqual(read('list', { fieldSelector: 'a', labelSelector: 'a in' }), {
    fieldSelector: { requirements: [], broken: true },
    labelSelector: { requirements: [], broken: true },
  })
  assert.deepEqual(read('list', { labelSelector: '' }), {})
})

test('reviewedFields and reviewedLabels leave out what cannot be read, and say so', () => {
  const fields = [
    { key: 'a', operator: 'In', values: ['x'] },
    { key: 'a', operator: 'In', values: ['x', 'y'] },
    { key: 'a', operator: 'Exists' },
    { key: 'a', operator: 'Later', values: ['x'] },
  ]
  assert.deepEqual(reviewedFields({ requirements: fields }), { requirements: fields.slice(0, 1), broken: true })
  const labels = [
    { key: 'a', operator: 'In', values: ['x', 'y'] },
    { key: 'a', operator: 'Exists' },
    { key: '', operator: 'Exists' },
    { key: 'a', operator: 'Later' },
  ]
  assert.deepEqual(reviewedLabels({ requirements: labels }), { requirements: labels.slice(0, 2), broken: true })
  assert.equal(reviewedLabels(undefined), undefined)
  assert.deepEqual(reviewedFields({ rawSelector: 'a=b' }), {
    requirements: [{ key: 'a', operator: 'In', values: ['b'] }],
  })
})

test('selectsExactly is true only where one value is left', () => {
  const of = (operator: string, ...values: string[]) => ({ requirements: [{ key: 'a', operator, values }] })
  assert.equal(selectsExactly(of('In', 'x'), 'a', 'x'), true)
  for (const selection of [undefined, of('In', 'y'), of('In', 'x', 'y'), of('NotIn', 'x'), of('Exists')])
    assert.equal(selectsExactly(selection, 'a', 'x'), false)
})
