/**
 * Makes CustomResourceDefinitions kinds that are served: follows them, settles their names, brings their kinds into the
 * registry and takes them out again, and sees their deletion through.
 *
 * Invariants:
 * - A definition that says Established is served: its kinds are in the registry before the condition is written.
 * - Definitions are worked on one after the other, so that no two get the same name.
 * - A built-in kind is never replaced, and its objects are never touched.
 */

import type { AskConverter } from '../../api/custom/conversion.ts'
import { customKinds, hasCondition, storedKind } from '../../api/custom/custom-kind.ts'
import { CustomResourceDefinition } from '../../api/kinds/apiextensions/custom-resource-definition.ts'
import type { Encoded } from '../../api/machinery/encoded.ts'
import type { Kind } from '../../api/machinery/kind.ts'
import { StatusError } from '../../api/machinery/status-error.ts'
import type { Logger } from '../../lib/log.ts'
import type { ServerRegistry } from '../registry/create-registry.ts'
import { CLEANUP, removeInstances } from './cleanup.ts'
import { OWN_WRITE } from './own-write.ts'
import { statusOf } from './status.ts'

export interface DefinitionsDeps {
  readonly registry: ServerRegistry
  readonly logger: Logger
  /** Wall clock, ms since the epoch. */
  readonly now: () => number
  /** The converter of a definition that has a webhook for it. */
  converter?(definition: CustomResourceDefinition): AskConverter | undefined
}

export interface Definitions {
  /** Serves all stored definitions; resolves when their kinds are in the registry. Then follows every change. */
  start(): Promise<void>
  close(): void
}

/** The kinds that are served for a definition, and of which form of it they were made. */
interface Serving {
  readonly form: string
  readonly kinds: readonly Kind[]
}

const formOf = ({ metadata, spec, status }: CustomResourceDefinition) =>
  JSON.stringify([metadata?.uid, metadata?.generation ?? spec, status?.acceptedNames, hasTerminating(status)])
const hasTerminating = (status: CustomResourceDefinition['status']) =>
  status?.conditions?.some(each => each.type === 'Terminating' && each.status === 'True')

export function createDefinitions(deps: DefinitionsDeps): Definitions {
  const { registry, logger, now } = deps
  const of = CustomResourceDefinition as unknown as Kind
  const serving = new Map<string, Serving>()
  const dirty = new Set<string>()
  let isWorking = false
  let isClosed = false
  let end = () => {}

  const isBuiltIn = ({ group, plural }: Pick<Kind, 'group' | 'plural'>) =>
    registry.kinds().some(each => !each.custom && each.group === group && each.plural === plural)
  const find = (name: string) => registry.reader(of).get('', name) as Encoded<CustomResourceDefinition> | undefined
  const groupOf = (name: string) => name.slice(name.indexOf('.') + 1)
  const others = (name: string) =>
    (registry.reader(of).list() as readonly Encoded<CustomResourceDefinition>[])
      .filter(each => each.value.metadata?.name !== name && groupOf(each.value.metadata?.name ?? '') === groupOf(name))
      .map(each => each.value)

  /** Brings the kinds of a definition into the registry, in place of those it had. */
  async function serve(definition: CustomResourceDefinition, revision: number | undefined): Promise<void> {
    const name = definition.metadata?.name ?? ''
    const known = serving.get(name)
    const form = formOf(definition)
    if (known?.form === form) return
    const { group, names } = definition.spec
    if (isBuiltIn({ group, plural: names.plural })) return
    const ask = deps.converter?.(definition)
    const make = () => customKinds(definition, { since: revision ?? registry.revision(), ...(ask && { ask }) })
    // The objects, which all versions share, are loaded first; then all versions change at once.
    const opened = make()
    if (opened[0]) await registry.openKind(opened[0])
    // Meanwhile objects may have been written in the old form, but not before the start.
    const kinds = revision === undefined ? make() : opened
    for (const kind of kinds) registry.setKind(kind)
    for (const old of known?.kinds ?? []) {
      if (!kinds.some(each => each.key === old.key)) registry.removeKind(old.key)
    }
    if (known?.kinds[0]) registry.endWatches(known.kinds[0])
    serving.set(name, { form, kinds })
  }

  function withdraw(name: string): void {
    const known = serving.get(name)
    serving.delete(name)
    for (const kind of known?.kinds ?? []) registry.removeKind(kind.key)
  }

  /** The kind that its objects are deleted by: none where they are a built-in kind's. */
  function storedOf(definition: CustomResourceDefinition): Kind | undefined {
    const { group, names, versions } = definition.spec
    if (isBuiltIn({ group, plural: names.plural })) return undefined
    const stored = versions.find(each => each.storage)?.name
    const served = serving.get(definition.metadata?.name ?? '')?.kinds.find(each => each.version === stored)
    return served ?? storedKind(definition, { since: 0 })
  }

  const isServable = (definition: CustomResourceDefinition) =>
    hasCondition(definition, 'NamesAccepted') || hasCondition(definition, 'Established')

  async function attend(name: string): Promise<void> {
    const found = find(name)
    if (!found) {
      withdraw(name)
      // Its names are free for others.
      for (const each of others(name)) mark(each.metadata?.name ?? '')
      return
    }
    const definition = found.value
    const status = statusOf(definition, others(name), now())
    const next = { ...definition, status }
    if (isServable(next)) await serve(next, undefined)
    if (definition.metadata?.deletionTimestamp) {
      if (definition.metadata.finalizers?.includes(CLEANUP)) {
        await removeInstances({ registry, now, kind: storedOf(definition), wake: () => mark(name) }, found)
      }
      return
    }
    if (status === definition.status) return
    await registry.update(
      of,
      { namespace: '', name },
      object => {
        ;(object as CustomResourceDefinition).status = status
        // Decided by this form of it: another one comes up again.
        object.metadata = { ...object.metadata, resourceVersion: definition.metadata?.resourceVersion ?? '' }
      },
      OWN_WRITE,
    )
    if (status.acceptedNames !== definition.status?.acceptedNames) {
      for (const each of others(name)) if (!hasCondition(each, 'NamesAccepted')) mark(each.metadata?.name ?? '')
    }
  }

  function mark(name: string): void {
    dirty.add(name)
    if (!isWorking && !isClosed) void work()
  }
  async function work(): Promise<void> {
    isWorking = true
    for (const name of dirty) {
      dirty.delete(name)
      if (isClosed) break
      try {
        await attend(name)
      } catch (error) {
        // Someone changed it meanwhile: that change brings it up again.
        const isQuiet = error instanceof StatusError && (error.code === 409 || error.code === 404)
        logger[isQuiet ? 'debug' : 'error']({ err: error, definition: name }, 'a definition could not be followed')
      }
    }
    isWorking = false
  }

  return {
    async start() {
      for (const { value, revision } of registry.reader(of).list() as readonly Encoded<CustomResourceDefinition>[]) {
        if (isServable(value)) await serve(value, revision)
        if (!hasCondition(value, 'Established') || value.metadata?.deletionTimestamp) mark(value.metadata?.name ?? '')
      }
      end = registry.reader(of).onChange((previous, current) => {
        mark((current ?? previous)?.value.metadata?.name ?? '')
      })
    },
    close() {
      isClosed = true
      end()
    },
  }
}
