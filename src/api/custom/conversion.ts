/**
 * Stored objects as one version of their kind shows them, and back
 * (https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/).
 *
 * Bytes that were written under the definition as it now stands, in the version that is asked for, are shown as they
 * are and not even parsed. All others are brought into shape once per revision: pruned and defaulted by the schema of the version
 * in which they were stored, then converted.
 */
import { cloneJson } from '../../lib/json.ts'
import type { CustomResourceDefinition } from '../generated/types/apiextensions-v1.ts'
import { Encoded } from '../machinery/encoded.ts'
import type { VersionConversion } from '../machinery/kind.ts'
import type { KubeObject } from '../machinery/object.ts'
import { applyDefaults } from './defaulting.ts'
import { coerceEmbedded, coerceMetadata } from './object-meta.ts'
import { pruneNulls, pruneUnknown } from './prune.ts'
import type { VersionSchema } from './version-schema.ts'

type Json = Record<string, unknown>

/** Has objects converted to a version, in their order. Throws with the sentence that the client is told. */
export type AskConverter = (objects: readonly KubeObject[], apiVersion: string) => Promise<readonly KubeObject[]>

export interface ConversionOptions {
  readonly definition: CustomResourceDefinition
  /** The version to show. */
  readonly version: string
  readonly schemas: ReadonlyMap<string, VersionSchema>
  readonly since: number
  readonly ask?: AskConverter
}

const versionOf = (apiVersion = '') => apiVersion.slice(apiVersion.indexOf('/') + 1)

/** Prunes by a version's schema, in place; tolerates what an earlier one let in. */
function prune(object: KubeObject, schema: VersionSchema | undefined): void {
  coerceMetadata(object as Json, '', true)
  if (!schema) return
  pruneUnknown(object, schema.root, true)
  pruneNulls(object, schema.root)
  coerceEmbedded(object, schema.root, true)
}

export function createConversion({ definition, version, schemas, since, ask }: ConversionOptions): VersionConversion {
  const { group, versions } = definition.spec
  const apiVersion = `${group}/${version}`
  const stored = versions.find(each => each.storage)?.name ?? version
  const shown = new WeakMap<Encoded, Encoded>()

  /** The object as its own version now has it. */
  function repaired(bytes: Buffer): KubeObject {
    const object = JSON.parse(bytes.toString()) as KubeObject
    const schema = schemas.get(versionOf(object.apiVersion))
    prune(object, schema)
    if (schema) applyDefaults(object, schema.root)
    if (object.metadata && !object.metadata.generation) object.metadata.generation = 1
    return object
  }
  function retyped(object: KubeObject, to: string): KubeObject {
    const result = { ...object, apiVersion: `${group}/${to}` }
    prune(result, schemas.get(to))
    return result
  }
  function remember(from: Encoded, object: KubeObject): Encoded {
    const text = JSON.stringify(object)
    const bytes = Buffer.from(text)
    const result = bytes.equals(from.bytes) ? from : new Encoded(bytes, from.revision)
    shown.set(from, result)
    return result
  }
  /** Whether the stored bytes already are what the storage version shows. */
  const isInShape = (from: Encoded) =>
    from.value.apiVersion === `${group}/${stored}` && JSON.stringify(repaired(from.bytes)) === from.bytes.toString()
  const isFresh = (from: Encoded) => from.revision > since

  return {
    show(from) {
      if (version === stored && isFresh(from)) return from
      const known = shown.get(from)
      if (known) return known
      const object = repaired(from.bytes)
      if (object.apiVersion === apiVersion) return remember(from, object)
      const made = retyped(object, version)
      // What a webhook was not asked about is a stand-in, good for metadata only.
      return ask ? new Encoded(Buffer.from(JSON.stringify(made)), from.revision) : remember(from, made)
    },
    store(object) {
      if (version === stored) return object
      if (!ask) return retyped(cloneJson(object), stored)
      return ask([object], `${group}/${stored}`).then(([converted]) => {
        prune(converted!, schemas.get(stored))
        return converted!
      })
    },
    isCurrent: from => isFresh(from) || isInShape(from),
    ...(ask && {
      async convert(all: readonly Encoded[]) {
        const waiting = all.filter(from => !(version === stored && isFresh(from)) && !shown.has(from))
        const objects = waiting.map(from => repaired(from.bytes))
        const strange = objects.flatMap((object, at) => (object.apiVersion === apiVersion ? [] : [at]))
        const converted = strange.length
          ? await ask(
              strange.map(at => objects[at]!),
              apiVersion,
            )
          : []
        strange.forEach((at, index) => {
          prune(converted[index]!, schemas.get(version))
          objects[at] = converted[index]!
        })
        waiting.forEach((from, at) => {
          remember(from, objects[at]!)
        })
      },
    }),
  }
}
