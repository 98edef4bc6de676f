/** Which questions a webhook is asked, by expressions (KEP-3221). Loaded only where a configuration has some. */
import { compile, extend, isProgram } from '../../api/machinery/cel/environment.ts'
import { jsonValue } from '../../api/machinery/cel/json-value.ts'
import { KUBERNETES } from '../../api/machinery/cel/kubernetes.ts'
import { BOOL, type CelType, listOf, mapOf, objectType, STRING } from '../../api/machinery/cel/types.ts'
import type { ReviewSpec } from './review.ts'

const named = (name: string, fields: Readonly<Record<string, CelType>>) => objectType(name, field => fields[field])

const REQUIREMENT = named('kubernetes.SelectorRequirement', { key: STRING, operator: STRING, values: listOf(STRING) })
const SELECTOR = named('kubernetes.SelectorAttributes', {
  rawSelector: STRING,
  requirements: listOf(REQUIREMENT),
})
const RESOURCE = named('kubernetes.ResourceAttributes', {
  namespace: STRING,
  verb: STRING,
  group: STRING,
  version: STRING,
  resource: STRING,
  subresource: STRING,
  name: STRING,
  fieldSelector: SELECTOR,
  labelSelector: SELECTOR,
})
const NON_RESOURCE = named('kubernetes.NonResourceAttributes', { path: STRING, verb: STRING })
const REQUEST = named('kubernetes.SubjectAccessReviewSpec', {
  resourceAttributes: RESOURCE,
  nonResourceAttributes: NON_RESOURCE,
  user: STRING,
  groups: listOf(STRING),
  extra: mapOf(STRING, listOf(STRING)),
  uid: STRING,
})

const ENVIRONMENT = extend(KUBERNETES, { request: REQUEST })

/** Whether a question matches. Throws an Error where no condition is false and one cannot be evaluated. */
export type MatchConditions = (spec: ReviewSpec) => boolean

/** With every field that an expression may ask for. */
const whole = ({
  user = '',
  uid = '',
  groups = [],
  extra = {},
  resourceAttributes,
  nonResourceAttributes,
}: ReviewSpec) => ({
  user,
  uid,
  groups,
  extra,
  ...(resourceAttributes && {
    resourceAttributes: {
      namespace: '',
      verb: '',
      group: '',
      version: '',
      resource: '',
      subresource: '',
      name: '',
      ...resourceAttributes,
    },
  }),
  ...(nonResourceAttributes && { nonResourceAttributes: { path: '', verb: '', ...nonResourceAttributes } }),
})

/** Compiles conditions; strings say what is wrong with each that is, by its index. */
export function compileMatchConditions(expressions: readonly string[]): {
  readonly match: MatchConditions
  readonly errors: ReadonlyMap<number, string>
} {
  const errors = new Map<number, string>()
  const programs = expressions.flatMap((expression, i) => {
    const program = compile(expression, ENVIRONMENT, [BOOL])
    if (isProgram(program)) return [program]
    errors.set(i, program.message)
    return []
  })
  const match: MatchConditions = spec => {
    const request = jsonValue(whole(spec))
    const faults: string[] = []
    for (const program of programs) {
      const outcome = program.run({ request })
      if ('error' in outcome)
        faults.push(`cel evaluation error: expression '${program.source}' resulted in error: ${outcome.error}`)
      else if (outcome.value === false) return false
    }
    if (faults.length) throw new Error(faults.length > 1 ? `[${faults.join(', ')}]` : faults[0])
    return true
  }
  return { match, errors }
}
