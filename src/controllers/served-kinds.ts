/** Every kind whose objects live in the store: the built-in ones, and custom ones as their definitions come and go. */
import { CustomResourceDefinition } from '../api/kinds/apiextensions/custom-resource-definition.ts'
import { type Kind, kindKey } from '../api/machinery/kind.ts'
import { keyOf } from '../client/informer-types.ts'
import type { Informers } from '../client/informers.ts'
import type { Resource } from '../client/resource.ts'

export interface ServedKinds {
  /** Each kind once, whatever versions and groups show it. */
  list(): readonly Resource[]
  /** By apiVersion (any served version) and kind name. */
  find(apiVersion: string, kind: string): Resource | undefined
  /**
   * Calls `handler` for every kind that is to be followed and every further one, or further version by which one is
   * followed. Custom kinds are once they have an object: most definitions of a large cluster have none.
   */
  onAdd(handler: (resource: Resource) => void): () => void
}

/**
 * Calls `then` once there is an object of the custom kind with this key, at once where there is one; returns what makes
 * it forget that.
 */
export type WhenUsed = (key: string, then: () => void) => () => void

const isStored = (kind: Kind) =>
  !kind.virtual &&
  !kind.storage &&
  ['list', 'watch', 'delete'].every(verb => (kind.verbs as readonly string[]).includes(verb))

/** The versions of the kind that a definition makes, first the one by which its objects are followed. */
function customKinds(definition: CustomResourceDefinition): Resource[] {
  const { group, names, scope, versions } = definition.spec
  return versions
    .filter(each => each.served)
    .sort((a, b) => Number(b.storage) - Number(a.storage))
    .map(({ name: version }) => ({
      group,
      version,
      kind: names.kind,
      plural: names.plural,
      namespaced: scope === 'Namespaced',
      apiVersion: `${group}/${version}`,
      key: kindKey(group, version, names.plural),
    }))
}

const isEstablished = (definition: CustomResourceDefinition) =>
  definition.status?.conditions?.some(each => each.type === 'Established' && each.status === 'True') ?? false

const atOnce: WhenUsed = (_, then) => {
  then()
  return () => {}
}

/** Follows the definitions of custom resources; `kinds` are the built-in ones. */
export function createServedKinds(
  informers: Informers,
  kinds: readonly Kind[],
  whenUsed: WhenUsed = atOnce,
): ServedKinds {
  const builtIn = kinds.filter(isStored) as readonly Resource[]
  const custom = new Map<string, readonly Resource[]>()
  /** Those that have objects, by their definition's name, and what ends the waiting for them. */
  const used = new Map<string, Resource>()
  const waiting = new Map<string, () => void>()
  const handlers = new Set<(resource: Resource) => void>()

  function begin(name: string, resource: Resource) {
    let isOver = false
    const forget = whenUsed(resource.key, () => {
      // Not within the write that made the object.
      queueMicrotask(() => {
        if (isOver) return
        waiting.delete(name)
        used.set(name, resource)
        for (const handler of handlers) handler(resource)
      })
    })
    waiting.set(name, () => {
      isOver = true
      forget()
    })
  }
  function end(name: string, resource: Resource, gone: boolean) {
    waiting.get(name)?.()
    waiting.delete(name)
    used.delete(name)
    informers.drop(resource, gone)
  }

  informers.of<CustomResourceDefinition>(CustomResourceDefinition).onChange(({ previous, current }) => {
    const name = keyOf((current ?? previous)!)
    const [before] = custom.get(name) ?? []
    const versions = current && isEstablished(current) ? customKinds(current) : []
    const [after] = versions
    if (after) custom.set(name, versions)
    else custom.delete(name)
    if (before?.key === after?.key) return
    if (before) end(name, before, !current)
    if (after) begin(name, after)
  })
  const list = () => [...builtIn, ...[...custom.values()].flatMap(each => each.slice(0, 1))]
  return {
    list,
    find(apiVersion, kind) {
      const found = builtIn.find(each => each.apiVersion === apiVersion && each.kind === kind)
      if (found) return found
      for (const versions of custom.values()) {
        if (versions.some(each => each.apiVersion === apiVersion && each.kind === kind)) return versions[0]
      }
      // Kept under another group or version: the same objects.
      const alias = kinds.find(each => each.apiVersion === apiVersion && each.kind === kind)
      return alias?.storage ? builtIn.find(each => each.key === alias.storage!.kind) : undefined
    },
    onAdd(handler) {
      handlers.add(handler)
      for (const resource of [...builtIn, ...used.values()]) handler(resource)
      return () => void handlers.delete(handler)
    },
  }
}
