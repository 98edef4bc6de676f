import { Buffer } from 'node:buffer'
import type { Secret as Type } from '../../generated/types/core-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { secretRules } from './data.validate.ts'
import { secretWarnings } from './secret.warnings.ts'

/** core/v1 Secret. */
export type Secret = Type

/** stringData is write-only: it ends up in data, over what stands there. */
function mergeStringData(secret: Secret): void {
  if (!secret.stringData) return
  const data = { ...secret.data }
  for (const [key, value] of Object.entries(secret.stringData)) data[key] = Buffer.from(value).toString('base64')
  secret.data = data
  delete secret.stringData
}

export const Secret = defineKind<Secret>({
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  singular: 'secret',
  namespaced: true,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.core.v1.Secret',
  defaults(secret) {
    secret.type ||= 'Opaque'
    mergeStringData(secret)
  },
  selectable: { type: ({ type }) => type ?? '' },
  rules: secretRules,
  warnings: secretWarnings,
  columns: [
    nameColumn,
    text('Type', ({ type }) => type ?? ''),
    text('Data', ({ data }) => Object.keys(data ?? {}).length),
    ageColumn,
  ],
})
