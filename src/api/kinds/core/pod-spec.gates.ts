/**
 * What a server with Kubernetes' default feature gates does not keep of a pod's spec, in a pod as in a template
 * (k8s.io/kubernetes `pkg/api/pod`: DropDisabledPodFields).
 */
import type { Container, PodSpec } from '../../generated/types/core-v1.ts'

/** ContainerStopSignals. */
function dropStopSignals(containers: readonly Container[] | undefined): void {
  for (const container of containers ?? []) {
    const { lifecycle } = container
    if (lifecycle?.stopSignal === undefined) continue
    delete lifecycle.stopSignal
    if (!lifecycle.preStop && !lifecycle.postStart) delete container.lifecycle
  }
}

/** Takes them out, in place. */
export function dropGatedFields(spec: PodSpec | undefined): void {
  if (!spec) return
  dropStopSignals(spec.containers)
  dropStopSignals(spec.initContainers)
  // GenericWorkload.
  delete spec.schedulingGroup
  for (const { projected } of spec.volumes ?? []) {
    for (const source of projected?.sources ?? []) {
      // ClusterTrustBundleProjection, PodCertificateRequest.
      delete source.clusterTrustBundle
      delete source.podCertificate
    }
  }
}
