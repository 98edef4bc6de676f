import type { RuntimeClass as Type } from '../../generated/types/node-v1.ts'
import { duplicate, required } from '../../machinery/field-error.ts'
import { ALL_VERBS, defineKind } from '../../machinery/kind.ts'
import { isDns1123Label, validateLabels } from '../../machinery/names.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { checkRequirements } from '../core/resources.validate.ts'
import { checkTolerations } from '../core/scheduling.validate.ts'
import { check, checkFormat, immutable, sameValue } from '../rules.ts'

/** node/v1 RuntimeClass. */
export type RuntimeClass = Type

export const RuntimeClass = defineKind<RuntimeClass>({
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  plural: 'runtimeclasses',
  singular: 'runtimeclass',
  namespaced: false,
  verbs: ALL_VERBS,
  schema: 'io.k8s.api.node.v1.RuntimeClass',
  rules: [
    check(({ handler, overhead, scheduling }, errors) => {
      if (!handler) errors.push(required('handler'))
      else checkFormat(isDns1123Label(handler), handler, 'handler', errors)
      if (overhead?.podFixed) checkRequirements({ limits: overhead.podFixed }, new Set(), 'overhead', errors)
      if (scheduling?.nodeSelector) errors.push(...validateLabels(scheduling.nodeSelector, 'scheduling.nodeSelector'))
      checkTolerations(scheduling?.tolerations, 'scheduling.tolerations', errors)
      const seen: unknown[] = []
      for (const [index, toleration] of (scheduling?.tolerations ?? []).entries()) {
        if (seen.some(other => sameValue(other, toleration))) {
          errors.push(duplicate(`scheduling.tolerations[${index}]`, toleration))
        }
        seen.push(toleration)
      }
    }),
    immutable('handler'),
  ],
  columns: [nameColumn, text('Handler', ({ handler }) => handler ?? ''), ageColumn],
})
