import type { DeviceClaim, DeviceToleration } from '../../generated/types/resource-v1.ts'

interface Request {
  allocationMode?: string
  count?: number
  tolerations?: DeviceToleration[]
}

function defaultRequest(request: Request): void {
  request.allocationMode ||= 'ExactCount'
  if (request.allocationMode === 'ExactCount') request.count ||= 1
  for (const toleration of request.tolerations ?? []) toleration.operator ||= 'Equal'
}

/** One device, exactly, where nothing is said (k8s.io/kubernetes `pkg/apis/resource/v1/defaults.go`). */
export function defaultDeviceClaim(claim: DeviceClaim | undefined): void {
  for (const { exactly, firstAvailable } of claim?.requests ?? []) {
    for (const request of [...(exactly ? [exactly] : []), ...(firstAvailable ?? [])]) defaultRequest(request)
  }
}
