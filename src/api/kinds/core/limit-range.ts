import type { LimitRange as Type } from '../../generated/types/core-v1.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { createdAtColumns } from '../columns.ts'
import { limitRangeRules } from './limit-range.validate.ts'
import { canonicalResources } from './resources.ts'

/** core/v1 LimitRange. */
export type LimitRange = Type

export const LimitRange = defineKind<LimitRange>({
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  plural: 'limitranges',
  singular: 'limitrange',
  shortNames: ['limits'],
  namespaced: true,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.core.v1.LimitRange',
  defaults({ spec }) {
    for (const item of spec?.limits ?? []) {
      for (const list of [item.max, item.min, item.default, item.defaultRequest, item.maxLimitRequestRatio]) {
        canonicalResources(list)
      }
      if (item.type !== 'Container') continue
      const limits = { ...item.max, ...item.default }
      const requests = { ...item.min, ...limits, ...item.defaultRequest }
      if (Object.keys(limits).length) item.default = limits
      if (Object.keys(requests).length) item.defaultRequest = requests
    }
  },
  rules: limitRangeRules,
  columns: createdAtColumns,
})
