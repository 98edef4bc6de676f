import type { Encoded } from '../../../api/machinery/encoded.ts'
import type { KubeObject } from '../../../api/machinery/object.ts'
import type { KindReader } from '../../registry/registry.ts'
import { type MatchDeps, type Matches, type MatchResources, matchResources } from './match-resources.ts'
import type { ParamKind, ParamRef } from './params.ts'

/** What policies of both kinds have in common. */
export interface PolicySpec {
  readonly paramKind?: ParamKind
  readonly matchConstraints?: MatchResources
  readonly failurePolicy?: string
}

interface BindingSpec {
  readonly policyName?: string
  readonly paramRef?: ParamRef
  readonly matchResources?: MatchResources
  readonly validationActions?: readonly string[]
}

/** A binding, ready to be matched. */
export interface PolicyBinding {
  readonly name: string
  readonly matches: Matches
  readonly paramRef: ParamRef | undefined
  readonly actions: readonly string[]
}

/** A policy that is bound, ready to be matched and evaluated. */
export interface BoundPolicy<P> {
  readonly name: string
  readonly matches: Matches
  readonly paramKind: ParamKind | undefined
  readonly ignoresFailure: boolean
  readonly bindings: readonly PolicyBinding[]
  /** The expressions, compiled when a request first matches the policy. */
  program(): P
}

/** What is kept of one revision of a policy. */
type Policy<P> = Omit<BoundPolicy<P>, 'bindings'>

/** What live policies are made from. */
export interface PolicySource<P> extends MatchDeps {
  readonly policies: KindReader
  readonly bindings: KindReader
  compile(spec: never): P
}

/**
 * Gives the policies that have a binding, by name. A revision of a policy or binding is compiled once; nothing is
 * looked at again before one of them changes.
 */
export function livePolicies<P>(source: PolicySource<P>): () => readonly BoundPolicy<P>[] {
  const policies = new WeakMap<Encoded, Policy<P>>()
  const bindings = new WeakMap<Encoded, PolicyBinding>()
  let current: readonly BoundPolicy<P>[] | undefined
  const forget = () => {
    current = undefined
  }
  source.policies.onChange(forget)
  source.bindings.onChange(forget)
  return () => {
    current ??= boundPolicies(source, policies, bindings)
    return current
  }
}

function boundPolicies<P>(
  source: PolicySource<P>,
  policies: WeakMap<Encoded, Policy<P>>,
  bindings: WeakMap<Encoded, PolicyBinding>,
): readonly BoundPolicy<P>[] {
  const byPolicy = new Map<string, PolicyBinding[]>()
  for (const stored of source.bindings.list()) {
    const { spec = {} } = stored.value as KubeObject & { spec?: BindingSpec }
    const binding = bindings.get(stored) ?? readBinding(stored, source)
    bindings.set(stored, binding)
    byPolicy.set(spec.policyName ?? '', [...(byPolicy.get(spec.policyName ?? '') ?? []), binding])
  }
  return source.policies.list().flatMap(stored => {
    const bound = byPolicy.get(stored.value.metadata?.name ?? '')
    if (bound === undefined) return []
    const policy = policies.get(stored) ?? readPolicy(stored, source)
    policies.set(stored, policy)
    return [{ ...policy, bindings: bound }]
  })
}

function readBinding(stored: Encoded, deps: MatchDeps): PolicyBinding {
  const { metadata, spec = {} } = stored.value as KubeObject & { spec?: BindingSpec }
  return {
    name: metadata?.name ?? '',
    matches: matchResources(spec.matchResources, deps),
    paramRef: spec.paramRef,
    actions: spec.validationActions ?? [],
  }
}

function readPolicy<P>(stored: Encoded, source: PolicySource<P>): Policy<P> {
  const { metadata, spec = {} } = stored.value as KubeObject & { spec?: PolicySpec }
  let program: { readonly made: P } | undefined
  return {
    name: metadata?.name ?? '',
    matches: matchResources(spec.matchConstraints ?? {}, source),
    paramKind: spec.paramKind,
    ignoresFailure: spec.failurePolicy === 'Ignore',
    program: () => {
      program ??= { made: source.compile(spec as never) }
      return program.made
    },
  }
}
