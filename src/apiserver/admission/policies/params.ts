import type { Kind } from '../../../api/machinery/kind.ts'
import { selectorFromLabelSelector } from '../../../api/machinery/label-selector.ts'
import type { KubeObject } from '../../../api/machinery/object.ts'
import type { KindReader } from '../../registry/registry.ts'

/** The kind of a policy's parameters. */
export interface ParamKind {
  readonly apiVersion?: string
  readonly kind?: string
}

/** Which objects a binding gives to the policy. */
export interface ParamRef {
  readonly name?: string
  readonly namespace?: string
  readonly selector?: object
  readonly parameterNotFoundAction?: string
}

/** What finding parameters needs of the server. */
export interface ParamDeps {
  kindOf(apiVersion: string, kind: string): Kind | undefined
  reader(kind: Kind): KindReader
}

/** A policy or binding that cannot be used as it is. */
export class Misconfigured extends Error {}

/** The kind of the parameters. Throws Misconfigured when nothing of that kind is served. */
export function paramKindOf(paramKind: ParamKind, deps: ParamDeps): Kind {
  const { apiVersion = '', kind = '' } = paramKind
  const found = deps.kindOf(apiVersion, kind)
  if (found !== undefined) return found
  throw new Misconfigured(`failed to find resource referenced by paramKind: '${apiVersion}, Kind=${kind}'`)
}

/**
 * The parameters that a binding gives to its policy for a request in a namespace: one evaluation for each. `[null]`
 * when the policy has none.
 *
 * @throws Misconfigured
 */
export function collectParams(
  paramKind: ParamKind | undefined,
  ref: ParamRef | undefined,
  namespace: string,
  deps: ParamDeps,
): readonly (KubeObject | null)[] {
  if (paramKind === undefined || ref === undefined) return [null]
  const kind = paramKindOf(paramKind, deps)
  const where = paramNamespace(kind, ref, namespace)
  const found = findParams(kind, ref, where, deps)
  if (found.length === 0 && ref.parameterNotFoundAction === 'Deny')
    throw new Misconfigured('no params found for policy binding with `Deny` parameterNotFoundAction')
  return found
}

function paramNamespace(kind: Kind, ref: ParamRef, namespace: string): string {
  if (kind.namespaced) {
    const where = ref.namespace || namespace
    if (where !== '') return where
    throw new Misconfigured('cannot use namespaced paramRef in policy binding that matches cluster-scoped resources')
  }
  if (ref.namespace) throw new Misconfigured('paramRef.namespace must not be provided for a cluster-scoped `paramKind`')
  return ''
}

function findParams(kind: Kind, ref: ParamRef, namespace: string, deps: ParamDeps): KubeObject[] {
  const reader = deps.reader(kind)
  if (ref.name) {
    if (ref.selector) throw new Misconfigured('paramRef.name and paramRef.selector are mutually exclusive')
    const found = reader.get(namespace, ref.name)
    return found === undefined ? [] : [found.value]
  }
  if (!ref.selector) throw new Misconfigured('one of name or selector must be provided')
  const selector = selectorFromLabelSelector(ref.selector)
  const objects = reader.list(namespace).map(({ value }) => value)
  return objects.filter(({ metadata }) => selector.matches(metadata?.labels))
}
