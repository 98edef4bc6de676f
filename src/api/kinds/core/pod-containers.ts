import type { Container, Pod, PodSpec } from '../../generated/types/core-v1.ts'

/** A container of any sort, with its path. */
export type PlacedContainer = readonly [container: Container, path: string]

/** Containers of a pod with their paths, in the order in which upstream looks at them. `path` is that of the spec. */
export function containersOf(spec: PodSpec, path: string): PlacedContainer[] {
  const fields = ['initContainers', 'containers', 'ephemeralContainers'] as const
  return fields.flatMap(field =>
    (spec[field] ?? []).map((each, index): PlacedContainer => [each as Container, `${path}.${field}[${index}]`]),
  )
}

/** Of an init container: it goes on running beside the others (KEP-753). */
export const isSidecar = ({ restartPolicy }: Container): boolean => restartPolicy === 'Always'

/** Containers that are to run as long as the pod does: its main ones, then the sidecars among its init containers. */
export const lastingContainers = ({ spec }: Pod): readonly Container[] => [
  ...(spec?.containers ?? []),
  ...(spec?.initContainers ?? []).filter(isSidecar),
]
