import assert from 'node:assert/strict'
import { test } from 'node:test'
import { negotiate, type Offer } from './media.ts'

const table = 'application/json;as=Table;v=v1;g=meta.k8s.io'
const protobuf = 'application/vnd.kubernetes.protobuf'
const metadata = 'as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'
const cases: [string | undefined, ReturnType<typeof negotiate>][] = [
  [undefined, { format: 'json' }],
  ['*/*', { format: 'json' }],
  ['*', { format: 'json' }],
  ['application/*', { format: 'json' }],
  ['application/yaml', { format: 'yaml' }],
  [`${table},${table.replace('v1', 'v1beta1')},application/json`, { format: 'json', as: 'Table', version: 'v1' }],
  [`${protobuf}, */*`, { format: 'protobuf' }],
  [protobuf, { format: 'protobuf' }],
  [`${protobuf};stream=watch`, { format: 'protobuf' }],
  ['application/json;q=0.1,application/yaml', { format: 'yaml' }],
  // Go's comparison puts any exact type before a range, whatever their qualities.
  ['*/*;q=0.9,application/yaml;q=0.1', { format: 'yaml' }],
  ['application/json;as=Nothing;v=v1;g=meta.k8s.io,application/json', { format: 'json' }],
  ['application/json;as=Nothing;v=v1;g=meta.k8s.io', undefined],
  ['application/json;stream=watch', { format: 'json' }],
  ['application/json;stream=other', undefined],
  ['application/yaml;stream=watch', undefined],
  ['application/json;pretty=1', { format: 'json', pretty: true }],
  // A Table has no wire message.
  [`${protobuf};as=Table;g=meta.k8s.io;v=v1`, undefined],
  [`${protobuf};as=Table;g=meta.k8s.io;v=v1,${table}`, { format: 'json', as: 'Table', version: 'v1' }],
  [
    `${protobuf};${metadata},application/json;${metadata},application/json`,
    { format: 'protobuf', as: 'PartialObjectMetadataList', version: 'v1' },
  ],
  ['application/cbor', undefined],
  ['application/cbor,application/json', { format: 'json' }],
  ['text/html', undefined],
  ['application', undefined],
  ['application/json/x', undefined],
  [',,;', undefined],
]

for (const [accept, expected] of cases) {
  test(`negotiate answers ${accept} with ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(negotiate(accept), expected)
  })
}

const custom: Offer = { protobuf: false, transforms: true }
const error: Offer = { protobuf: true, transforms: false }
const offers: [string, Offer, string, ReturnType<typeof negotiate>][] = [
  ['custom objects have no wire message', custom, protobuf, undefined],
  ['custom objects fall back to JSON', custom, `${protobuf}, */*`, { format: 'json' }],
  [
    'the metadata of custom objects has one',
    custom,
    `${protobuf};${metadata}`,
    { format: 'protobuf', as: 'PartialObjectMetadataList', version: 'v1' },
  ],
  ['an error is no Table', error, table, undefined],
  ['an error comes as plain JSON beside a Table', error, `${table},application/json`, { format: 'json' }],
]
for (const [what, offer, accept, expected] of offers) {
  test(`negotiate knows that ${what}`, () => assert.deepEqual(negotiate(accept, offer), expected))
}
