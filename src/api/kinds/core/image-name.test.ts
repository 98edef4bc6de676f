import assert from 'node:assert/strict'
import { test } from 'node:test'
import { imageTag } from './image-name.ts'

const digest = `sha256:${'0'.repeat(64)}`

const tags: Readonly<Record<string, string>> = {
  nginx: 'latest',
  'nginx:1.2': '1.2',
  'library/nginx': 'latest',
  'localhost/nginx': 'latest',
  'example.com:5000/a/b': 'latest',
  'example.com:5000/a/b:v1': 'v1',
  '[::1]:5000/a:v1': 'v1',
  'Example/a': 'latest',
  [`nginx@${digest}`]: '',
  [`nginx:1@${digest}`]: '1',
  '': '',
  Nginx: '',
  'a/Nginx': '',
  'Bad Value!': '',
  'nginx:': '',
  'nginx@sha256:1': '',
  'a//b': '',
  'example.com:x/a': '',
  '-.com/a': '',
  ['a'.repeat(64)]: '',
  ['x'.repeat(254)]: '',
}

for (const [image, tag] of Object.entries(tags)) {
  test(`imageTag() of ${JSON.stringify(image.slice(0, 80))}`, () => assert.equal(imageTag(image), tag))
}

test('imageTag() does not try long names again and again', () => {
  for (const part of ['-', 'a', 'a-', '.', 'a.', '__', '/a']) assert.equal(imageTag(`${part.repeat(200_000)}!`), '')
})
