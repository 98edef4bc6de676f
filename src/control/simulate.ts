/**
 * Reconcilers without an API server, for table tests: a view over plain objects, and a loop that carries plans out on
 * them until nothing is left to do. Names and uids are counted, so results can be compared.
 */
import type { KubeObject } from '../api/machinery/object.ts'
import { keyOf } from '../client/informer-types.ts'
import { createObjectCache, type ObjectCache } from '../client/object-cache.ts'
import type { Resource } from '../client/resource.ts'
import { cloneJson, equalJson } from '../lib/json.ts'
import type { Controller, View } from './controller.ts'
import type { Note, Plan, Write } from './plan.ts'

export interface World {
  readonly view: View
  /** Puts an object as it is; gives it a uid and a namespace where it has none. */
  put<T extends KubeObject>(resource: Resource<T>, object: T): T
  remove(resource: Resource, key: string): void
  list<T extends KubeObject>(resource: Resource<T>): readonly T[]
  /** Everything that was told so far. */
  readonly notes: readonly Note[]
  /** One pass for the object with this key; returns its plan after carrying it out. */
  pass(controller: Controller, key: string, now: number): Plan
  /** Passes until a plan writes nothing. Throws after 50: the reconciler does not come to rest. */
  settle(controller: Controller, key: string, now: number): Plan
}

const PASSES = 50

/** Makes an empty world. */
export function createWorld(): World {
  const caches = new Map<string, ObjectCache<KubeObject>>()
  const notes: Note[] = []
  let serial = 0
  let revision = 0

  function cacheOf(resource: Resource): ObjectCache<KubeObject> {
    let cache = caches.get(resource.key)
    if (!cache) caches.set(resource.key, (cache = createObjectCache<KubeObject>()))
    return cache
  }
  function store(resource: Resource, object: KubeObject): KubeObject {
    const meta = object.metadata ?? {}
    const name = meta.name ?? `${meta.generateName ?? ''}${++serial}`
    const next = {
      ...cloneJson(object),
      apiVersion: resource.apiVersion,
      kind: resource.kind,
      metadata: {
        uid: `uid-${++serial}`,
        ...(resource.namespaced && { namespace: 'default' }),
        ...cloneJson(meta),
        name,
        resourceVersion: String(++revision),
      },
    }
    cacheOf(resource).set(keyOf(next), next)
    return next
  }
  function write(each: Write): boolean {
    const cache = cacheOf(each.resource)
    let answer: KubeObject
    if (each.type === 'create') answer = store(each.resource, each.object)
    else if (each.type === 'delete') {
      answer = each.object
      cache.set(keyOf(each.object), undefined)
    } else if (each.type === 'patch') {
      answer = store(each.resource, merge(cache.get(keyOf(each.object)), each.patch) as KubeObject)
    } else {
      if (equalJson(each.current, each.next)) return false
      const old = cache.get(keyOf(each.current)) as Record<string, unknown> | undefined
      const status = (each.type === 'status' ? (each.next as Record<string, unknown>) : old)?.status
      answer = store(each.resource, { ...each.next, ...(status !== undefined && { status }) } as KubeObject)
    }
    const note = each.done?.(answer)
    if (note) notes.push(note)
    return true
  }
  /** Carries a plan out; true when it wrote anything. */
  function carryOut(controller: Controller, key: string, plan: Plan): boolean {
    let wrote = false
    for (const each of plan.writes ?? []) wrote = write(each) || wrote
    const current = cacheOf(controller.for).get(key)
    if (!wrote && plan.status && current) {
      wrote = write({ type: 'status', resource: controller.for, current, next: plan.status })
    }
    notes.push(...(plan.notes ?? []))
    return wrote
  }
  const view: View = {
    memory: new Map(),
    of: resource => ({ ...cacheOf(resource), revision: () => revision }) as never,
  }

  function planFor(controller: Controller, key: string, now: number): Plan {
    for (const { resource, indexes } of controller.reads ?? []) {
      for (const [name, index] of Object.entries(indexes ?? {})) cacheOf(resource).addIndex(name, index)
    }
    const object = cacheOf(controller.for).get(key)
    if (object) return controller.reconcile(object, view, now)
    return controller.absent?.(key, view, now) ?? {}
  }
  function pass(controller: Controller, key: string, now: number): Plan {
    const plan = planFor(controller, key, now)
    carryOut(controller, key, plan)
    return plan
  }
  return {
    view,
    notes,
    put: (resource, object) => store(resource, object) as typeof object,
    remove: (resource, key) => void cacheOf(resource).set(key, undefined),
    list: resource => cacheOf(resource).list() as never,
    pass,
    settle(controller, key, now) {
      for (let passes = 0; passes < PASSES; passes++) {
        const plan = planFor(controller, key, now)
        if (!carryOut(controller, key, plan)) return plan
      }
      throw new Error(`controller ${controller.name} still writes after ${PASSES} passes over ${key}`)
    },
  }
}

/** RFC 7386. */
function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const result: Record<string, unknown> = typeof target === 'object' && target !== null ? { ...target } : {}
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name]
    else result[name] = merge(result[name], value)
  }
  return result
}
