import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UserError } from '../context.ts'
import { parseManifests, substitute } from './manifests.ts'

test('parseManifests reads several documents, skips empty ones and takes lists apart', async () => {
  const objects = await parseManifests(
    'apiVersion: v1\nkind: A\n---\n---\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: B}\n- {apiVersion: v1, kind: C}\n',
    'x.yaml',
  )
  assert.deepEqual(
    objects.map(object => object.kind),
    ['A', 'B', 'C'],
  )
})

const wrong: [string, string, RegExp][] = [
  ['broken YAML', 'a: [', /x\.yaml: /],
  ['a scalar', 'hello', /x\.yaml, document 1: expected an object, found string/],
  ['a list', '- a', /document 1: expected an object, found a list/],
  ['no kind', 'apiVersion: v1', /document 1: apiVersion and kind must be set/],
]
for (const [title, text, message] of wrong) {
  test(`parseManifests refuses ${title}`, () =>
    assert.rejects(parseManifests(text, 'x.yaml'), error => error instanceof UserError && message.test(error.message)))
}

test('substitute replaces the variables it was given and leaves others alone', () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a manifest
  assert.equal(substitute('${A}/${B} $(C)', { A: '/srv' }), '/srv/${B} $(C)')
})
