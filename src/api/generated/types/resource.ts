// Made by scripts/generate-api.ts from the Kubernetes OpenAPI document. Do not edit.

export type Quantity = string
