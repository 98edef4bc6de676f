import type { Container, PodSpec } from '../../generated/types/core-v1.ts'

/** A container of any sort, with its path. */
export type PlacedContainer = readonly [container: Container, path: string]

/** Containers of a pod with their paths, in the order in which upstream looks at them. `path` is that of the spec. */
export function containersOf(spec: PodSpec, path: string): PlacedContainer[] {
  const fields = ['initContainers', 'containers', 'ephemeralContainers'] as const
  return fields.flatMap(field =>
    (spec[field] ?? []).map((each, index): PlacedContainer => [each as Container, `${path}.${field}[${index}]`]),
  )
}
