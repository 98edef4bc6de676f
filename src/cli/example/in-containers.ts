/** The same example with some of its services in containers: only where they run differs. */
import type { PodSpec } from '../../api/generated/types/core-v1.ts'
import type { Manifest } from '../apply/manifests.ts'

export interface ImageOfExample {
  readonly image: string
  /** The example's folder on this machine, and in the image. */
  readonly folder: string
  readonly imageFolder: string
}

/** Deployments of these names run the image; all others stay as they are. */
export function inContainers(objects: readonly Manifest[], names: readonly string[], made: ImageOfExample): Manifest[] {
  return objects.map(object => {
    if (object.kind !== 'Deployment' || !names.includes(object.metadata.name ?? '')) return object
    const { spec } = object as Manifest & { spec: { template: { spec: PodSpec } } }
    const { runtimeClassName: _, ...pod } = spec.template.spec
    const containers = pod.containers.map(each => ({
      ...each,
      image: made.image,
      imagePullPolicy: 'IfNotPresent',
      ...(each.workingDir ? { workingDir: each.workingDir.replace(made.folder, made.imageFolder) } : {}),
    }))
    const template = { ...spec.template, spec: { ...pod, containers } }
    return { ...object, spec: { ...spec, template } } as Manifest
  })
}
