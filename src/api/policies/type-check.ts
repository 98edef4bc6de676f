import { compile, type Environment, extend } from '../machinery/cel/environment.ts'
import { AUTHORIZER } from '../machinery/cel/library/authorizer.ts'
import { type ResolveRef, schemaType } from '../machinery/cel/schema-type.ts'
import { type CelType, DYN, objectType } from '../machinery/cel/types.ts'
import type { Schema } from '../machinery/schema.ts'
import { policyEnvironment } from './environment.ts'

/** A kind, and the schema of its objects. */
export interface CheckedKind {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly schema: Schema
}

/** Finds kinds by what rules and params name. */
export interface KindCatalog {
  byResource(group: string, version: string, resource: string): CheckedKind | undefined
  byKind(apiVersion: string, kind: string): CheckedKind | undefined
  readonly resolve: ResolveRef
}

/** The part of a ValidatingAdmissionPolicy's spec that is looked at. */
export interface CheckedSpec {
  readonly paramKind?: { readonly apiVersion?: string; readonly kind?: string }
  readonly matchConstraints?: {
    readonly resourceRules?: readonly {
      readonly apiGroups?: readonly string[]
      readonly apiVersions?: readonly string[]
      readonly resources?: readonly string[]
    }[]
  }
  readonly variables?: readonly { readonly name: string; readonly expression: string }[]
  readonly validations?: readonly { readonly expression: string; readonly messageExpression?: string }[]
}

/** admissionregistration/v1 ExpressionWarning. */
export interface ExpressionWarning {
  readonly fieldRef: string
  readonly warning: string
}

/** Kinds that are looked at, at most, for each rule. */
const MAX_KINDS = 10

/**
 * Checks the expressions of a policy against the schemas of the kinds that it names without wildcards. What it finds
 * does not keep the policy from working; it is told in the policy's status.
 */
export function expressionWarnings(spec: CheckedSpec, catalog: KindCatalog): ExpressionWarning[] {
  const kinds = kindsToCheck(spec, catalog)
  const environments = kinds.map(kind => ({ kind, env: environmentFor(kind, spec, catalog) }))
  const warnings: ExpressionWarning[] = []
  const check = (fieldRef: string, expression: string) => {
    const found = environments.flatMap(({ kind, env }) => {
      const result = compile(expression, env)
      return 'run' in result ? [] : [`${shownKind(kind)}: ${result.message.replace(/^compilation failed: /, '')}\n`]
    })
    if (found.length > 0) warnings.push({ fieldRef, warning: found.join('\n') })
  }
  for (const [index, { expression, messageExpression }] of (spec.validations ?? []).entries()) {
    check(`spec.validations[${index}].expression`, expression)
    if (messageExpression) check(`spec.validations[${index}].messageExpression`, messageExpression)
  }
  return warnings
}

const shownKind = ({ group, version, kind }: CheckedKind) => `${group}/${version}, Kind=${kind}`

const fixed = (names: readonly string[] | undefined) => {
  const all = names ?? []
  return all.some(name => name.includes('*')) ? [] : [...all].sort()
}

function kindsToCheck(spec: CheckedSpec, catalog: KindCatalog): CheckedKind[] {
  const found = new Map<string, CheckedKind>()
  for (const rule of spec.matchConstraints?.resourceRules ?? []) {
    const resources = (rule.resources ?? []).filter(name => !/[*/]/.test(name)).sort()
    let count = 0
    for (const group of fixed(rule.apiGroups))
      for (const version of fixed(rule.apiVersions))
        for (const resource of resources) {
          const kind = catalog.byResource(group, version, resource)
          if (kind === undefined || count === MAX_KINDS) continue
          found.set(shownKind(kind), kind)
          count++
        }
  }
  const order = ({ group, version, kind }: CheckedKind) => `${group}\0${version}\0${kind}`
  return [...found.values()].sort((a, b) => (order(a) < order(b) ? -1 : 1))
}

function typeOf(kind: CheckedKind | undefined, { resolve }: KindCatalog): CelType {
  if (kind === undefined) return DYN
  return schemaType(kind.schema, kind.kind, true, resolve)?.type ?? DYN
}

function environmentFor(kind: CheckedKind, spec: CheckedSpec, catalog: KindCatalog): Environment {
  const { apiVersion = '', kind: paramKind = '' } = spec.paramKind ?? {}
  const base = policyEnvironment({
    object: typeOf(kind, catalog),
    ...(spec.paramKind && { params: true, paramsType: typeOf(catalog.byKind(apiVersion, paramKind), catalog) }),
  })
  const types = new Map<string, CelType>()
  const env = extend(base, {
    authorizer: AUTHORIZER,
    variables: objectType('kubernetes.variables', name => types.get(name)),
  })
  for (const { name, expression } of spec.variables ?? []) {
    const result = compile(expression, env)
    types.set(name, 'run' in result ? result.type : DYN)
  }
  return env
}
