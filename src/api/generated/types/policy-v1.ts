// Made by scripts/generate-api.ts from the Kubernetes OpenAPI document. Do not edit.
import type { Condition, DeleteOptions, LabelSelector, ListMeta, ObjectMeta } from './meta-v1.ts'

export interface Eviction {
  apiVersion?: string
  deleteOptions?: DeleteOptions
  kind?: string
  metadata?: ObjectMeta
}

export interface PodDisruptionBudget {
  apiVersion?: string
  kind?: string
  metadata?: ObjectMeta
  spec?: PodDisruptionBudgetSpec
  status?: PodDisruptionBudgetStatus
}

export interface PodDisruptionBudgetList {
  apiVersion?: string
  items: PodDisruptionBudget[]
  kind?: string
  metadata?: ListMeta
}

export interface PodDisruptionBudgetSpec {
  maxUnavailable?: string | number
  minAvailable?: string | number
  selector?: LabelSelector
  unhealthyPodEvictionPolicy?: 'AlwaysAllow' | 'IfHealthyBudget'
}

export interface PodDisruptionBudgetStatus {
  conditions?: Condition[]
  currentHealthy?: number
  desiredHealthy?: number
  disruptedPods?: Record<string, string>
  disruptionsAllowed?: number
  expectedPods?: number
  observedGeneration?: number
}
