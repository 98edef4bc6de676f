/**
 * The order of API versions: general availability before beta before alpha, newer before older; other names last
 * (https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/#version-priority).
 */

const STAGES = ['alpha', 'beta', '']

/** Stage, major and minor of `v1`, `v2beta3`, …; undefined for other names. */
function parse(version: string): readonly [number, number, number] | undefined {
  const match = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/.exec(version)
  if (!match) return undefined
  return [STAGES.indexOf(match[2] ?? ''), Number(match[1]), Number(match[3] ?? 0)]
}

/** Negative where `a` is to be preferred. */
export function compareVersions(a: string, b: string): number {
  const left = parse(a)
  const right = parse(b)
  if (!left || !right) return left ? -1 : right ? 1 : a < b ? -1 : a > b ? 1 : 0
  for (let i = 0; i < 3; i++) if (left[i] !== right[i]) return right[i]! - left[i]!
  return 0
}
