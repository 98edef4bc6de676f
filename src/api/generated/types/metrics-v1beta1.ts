// Made by scripts/generate-api.ts from the Kubernetes OpenAPI document. Do not edit.
import type { Duration, ListMeta, ObjectMeta } from './meta-v1.ts'

export interface ContainerMetrics {
  name: string
  usage: Record<string, string>
}

export interface NodeMetrics {
  apiVersion?: string
  kind?: string
  metadata?: ObjectMeta
  timestamp: string
  usage: Record<string, string>
  window: Duration
}

export interface NodeMetricsList {
  apiVersion?: string
  items: NodeMetrics[]
  kind?: string
  metadata?: ListMeta
}

export interface PodMetrics {
  apiVersion?: string
  containers: ContainerMetrics[]
  kind?: string
  metadata?: ObjectMeta
  timestamp: string
  window: Duration
}

export interface PodMetricsList {
  apiVersion?: string
  items: PodMetrics[]
  kind?: string
  metadata?: ListMeta
}
