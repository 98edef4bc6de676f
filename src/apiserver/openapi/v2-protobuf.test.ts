import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeOpenApiV2 } from './v2-protobuf.ts'

/** Schemas of custom resources, and the messages that a Kubernetes API server made of them. */
const recorded: readonly [what: string, schema: object, hex: string][] = [
  [
    'bounds of numbers',
    {
      type: 'number',
      maximum: 99.25,
      exclusiveMaximum: true,
      minimum: 0.5,
      exclusiveMinimum: true,
      multipleOf: 0.25,
    },
    '31000000000000d03f390000000000d05840400149000000000000e03f5001b201080a066e756d626572',
  ],
  [
    'a format and whole bounds',
    { type: 'integer', format: 'int64', maximum: 9007199254740991, minimum: -3 },
    '1205696e74363439ffffffffffff3f434900000000000008c0b201090a07696e7465676572',
  ],
  [
    'values of a map',
    { type: 'object', additionalProperties: { type: 'boolean' } },
    'aa010e0a0cb201090a07626f6f6c65616eb201080a066f626a656374',
  ],
  [
    'documents elsewhere',
    { externalDocs: { url: 'https://x.io/docs', description: 'more' } },
    'ea01190a046d6f7265121168747470733a2f2f782e696f2f646f6373',
  ],
]
for (const [what, schema, hex] of recorded)
  test(`encodeOpenApiV2 writes ${what} as Kubernetes does`, () => {
    const bytes = encodeOpenApiV2({ definitions: { X: schema } })
    assert.equal(bytes.subarray(-hex.length / 2).toString('hex'), hex)
  })
