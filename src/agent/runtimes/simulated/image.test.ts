import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scriptOfImage } from './image.ts'

for (const [image, exists] of [
  ['nginx', true],
  ['registry.example.com:404/nginx', true],
  ['nginx:1.27', true],
  ['webserver:404', false],
  ['foo:non-existent', false],
] as const) {
  test(`scriptOfImage ${exists ? 'pulls' : 'cannot pull'} ${image}`, () => {
    assert.equal(scriptOfImage(image).error?.reason, exists ? undefined : 'ErrImagePull')
  })
}
