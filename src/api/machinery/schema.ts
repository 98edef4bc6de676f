/**
 * A structural schema: the part of OpenAPI v3 that says what an object may hold. Built-in kinds name one of
 * `api/generated/schemas`; a CustomResourceDefinition brings its own. Structural validation, pruning, strategic
 * merge, server-side apply and the OpenAPI documents all read this one form.
 */
export interface Schema {
  /** Name of another schema in `api/generated/schemas`; beside it stand only `default`, `mapType` and `patchStrategy`. */
  readonly ref?: string
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean'
  /** `int32`, `int64`, `byte`, `date-time`, `int-or-string`, `quantity`, … */
  readonly format?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  /** Values of a map; true allows anything. */
  readonly additionalProperties?: Schema | boolean
  readonly enum?: readonly unknown[]
  readonly default?: unknown
  readonly nullable?: boolean
  /** x-kubernetes-list-type. */
  readonly listType?: 'atomic' | 'set' | 'map'
  /** x-kubernetes-list-map-keys. */
  readonly listMapKeys?: readonly string[]
  /** x-kubernetes-map-type. */
  readonly mapType?: 'atomic' | 'granular'
  /** x-kubernetes-patch-strategy of strategic merge patch: `merge`, `replace`, `retainKeys`, `merge,retainKeys`. */
  readonly patchStrategy?: string
  /** x-kubernetes-patch-merge-key. */
  readonly patchMergeKey?: string
  /** x-kubernetes-int-or-string. */
  readonly intOrString?: boolean
  /** x-kubernetes-preserve-unknown-fields: unknown fields are kept. */
  readonly preserveUnknown?: boolean
  /** x-kubernetes-embedded-resource. */
  readonly embeddedResource?: boolean
  /** x-kubernetes-group-version-kind of a top-level definition. */
  readonly gvk?: readonly { readonly group: string; readonly version: string; readonly kind: string }[]
}
