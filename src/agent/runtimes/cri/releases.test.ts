import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mountsImages, takesCdi } from './releases.ts'

for (const [name, version, images, cdi] of [
  ['containerd', '1.6.20~ds1', false, false],
  ['containerd', 'v1.7.0', false, true],
  ['containerd', '2.0.5', false, true],
  ['containerd', 'v2.2.9', true, true],
  ['cri-o', '1.6.0', true, true],
] as const)
  test(`mountsImages and takesCdi know ${name} ${version}`, () => {
    assert.deepEqual([mountsImages(name, version), takesCdi(name, version)], [images, cdi])
  })
