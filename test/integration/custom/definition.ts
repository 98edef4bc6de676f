/** CustomResourceDefinitions for tests, and a server that they are brought to. */
import type { Loose, TestApi } from '../api/start.ts'

export const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

export interface DefinitionParts {
  readonly group?: string
  readonly kind?: string
  readonly plural?: string
  readonly scope?: 'Namespaced' | 'Cluster'
  readonly names?: object
  /** Schema of `spec` in the one version `v1`; `versions` instead of it for more. */
  readonly spec?: object
  readonly version?: object
  readonly versions?: readonly object[]
  readonly conversion?: object
}

/** A definition; by default of Widgets in example.com. */
export function definition(parts: DefinitionParts = {}): Loose {
  const { group = 'example.com', kind = 'Widget', plural = `${kind.toLowerCase()}s`, scope = 'Namespaced' } = parts
  const openAPIV3Schema = {
    type: 'object',
    properties: {
      spec: { type: 'object', ...parts.spec },
      status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    },
  }
  const version = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema }, ...parts.version }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope,
      names: { plural, kind, ...parts.names },
      versions: parts.versions ?? [version],
      ...(parts.conversion && { conversion: parts.conversion }),
    },
  }
}

const isEstablished = (object: Loose) =>
  object.status?.conditions?.some((each: Loose) => each.type === 'Established' && each.status === 'True')

/** Resolves when `check` is true of the definition (undefined: it is gone). */
export async function untilDefinition(api: TestApi, name: string, check: (object: Loose) => boolean): Promise<Loose> {
  for (let turn = 0; turn < 1000; turn++) {
    const { status, object } = await api.get(`${DEFINITIONS}/${name}`)
    const current = status === 404 ? undefined : object
    if (check(current)) return current
    await new Promise<void>(resolve => void setImmediate(resolve))
  }
  throw new Error(`definition ${name} did not come to be as it should`)
}

/** Creates a definition and waits until it is established. */
export async function establish(api: TestApi, wanted: Loose): Promise<Loose> {
  const { status, object } = await api.send('POST', DEFINITIONS, wanted)
  if (status !== 201) throw new Error(object.message)
  return untilDefinition(api, wanted.metadata.name, isEstablished)
}

/** The path of Widgets in the default namespace. */
export const WIDGETS = '/apis/example.com/v1/namespaces/default/widgets'

/** A Widget as clients send it. */
export const widget = (name: string, spec: object = {}, more: object = {}): Loose => ({
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: { name, ...more },
  spec,
})
