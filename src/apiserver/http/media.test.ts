import assert from 'node:assert/strict'
import { test } from 'node:test'
import { negotiate } from './media.ts'

const table = 'application/json;as=Table;v=v1;g=meta.k8s.io'
const cases: [string | undefined, ReturnType<typeof negotiate>][] = [
  [undefined, { format: 'json' }],
  ['*/*', { format: 'json' }],
  ['application/yaml', { format: 'yaml' }],
  [`${table},${table.replace('v1', 'v1beta1')},application/json`, { format: 'json', as: 'Table', version: 'v1' }],
  ['application/vnd.kubernetes.protobuf, */*', { format: 'json' }],
  ['application/vnd.kubernetes.protobuf', undefined],
  ['application/json;q=0.1,application/yaml', { format: 'yaml' }],
  ['application/json;as=Nothing;v=v1;g=meta.k8s.io,application/json', { format: 'json' }],
  ['application/json;as=Nothing;v=v1;g=meta.k8s.io', undefined],
  ['application/json;stream=watch', { format: 'json' }],
  [
    'application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json',
    { format: 'json', as: 'PartialObjectMetadataList', version: 'v1' },
  ],
  ['text/html', undefined],
]

for (const [accept, expected] of cases) {
  test(`negotiate answers ${accept} with ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(negotiate(accept), expected)
  })
}
