/** The parts of a pod that admission reads and fills (API doc: core/v1 PodSpec). */
import type { KubeObject } from '../../api/machinery/object.ts'

export interface Toleration {
  key?: string
  operator?: string
  value?: string
  effect?: string
  tolerationSeconds?: number
}

export interface Volume {
  name: string
  projected?: { sources?: { serviceAccountToken?: unknown }[] }
  [source: string]: unknown
}

export interface Container {
  name: string
  volumeMounts?: { name: string; mountPath: string; readOnly?: boolean }[]
  resources?: { requests?: Record<string, string> }
}

export interface PodSpec {
  serviceAccountName?: string
  serviceAccount?: string
  automountServiceAccountToken?: boolean
  imagePullSecrets?: { name?: string }[]
  volumes?: Volume[]
  containers?: Container[]
  initContainers?: Container[]
  tolerations?: Toleration[]
  nodeName?: string
  nodeSelector?: Record<string, string>
  priorityClassName?: string
  priority?: number
  preemptionPolicy?: string
  runtimeClassName?: string
  overhead?: Record<string, string>
}

export interface Pod extends KubeObject {
  spec: PodSpec
}

/** On pods that a node runs from its own files. */
export const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror'

export const isMirror = (pod: KubeObject) => pod.metadata?.annotations?.[MIRROR_ANNOTATION] !== undefined
