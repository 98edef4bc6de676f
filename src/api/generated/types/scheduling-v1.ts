// Made by scripts/generate-api.ts from the Kubernetes OpenAPI document. Do not edit.
import type { ListMeta, ObjectMeta } from './meta-v1.ts'

export interface PriorityClass {
  apiVersion?: string
  description?: string
  globalDefault?: boolean
  kind?: string
  metadata?: ObjectMeta
  preemptionPolicy?: 'Never' | 'PreemptLowerPriority'
  value?: number
}

export interface PriorityClassList {
  apiVersion?: string
  items: PriorityClass[]
  kind?: string
  metadata?: ListMeta
}
