/** The end of a definition: first its instances go, then it. */

import { hasCondition } from '../../api/custom/custom-kind.ts'
import type { CustomResourceDefinition } from '../../api/generated/types/apiextensions-v1.ts'
import { CustomResourceDefinition as KIND } from '../../api/kinds/apiextensions/custom-resource-definition.ts'
import type { Encoded } from '../../api/machinery/encoded.ts'
import type { Kind } from '../../api/machinery/kind.ts'
import { StatusError } from '../../api/machinery/status-error.ts'
import type { ServerRegistry } from '../registry/create-registry.ts'
import { OWN_WRITE } from './own-write.ts'
import { withCondition } from './status.ts'

/** Keeps a definition until its instances are gone. */
export const CLEANUP = 'customresourcecleanup.apiextensions.k8s.io'

export interface CleanupDeps {
  readonly registry: ServerRegistry
  readonly now: () => number
  /** The kind of the definition, as its objects are stored: their deletion asks no webhook. */
  readonly kind: Kind | undefined
  /** Called when there may be nothing left. */
  wake(): void
}

interface Ending {
  readonly status: 'True' | 'False'
  readonly reason: string
  readonly message: string
}

const IN_PROGRESS: Ending = {
  status: 'True',
  reason: 'InstanceDeletionInProgress',
  message: 'CustomResource deletion is in progress',
}
const COMPLETED: Ending = { status: 'False', reason: 'InstanceDeletionCompleted', message: 'removed all instances' }
const NEVER_ESTABLISHED: Ending = {
  status: 'False',
  reason: 'NeverEstablished',
  message: 'resource was never established',
}
const OVERLAPPING: Ending = {
  status: 'False',
  reason: 'OverlappingBuiltInResource',
  message: 'instances overlap with built-in resources in storage',
}

/** Writes the condition; a false one lets the definition go. */
async function write({ registry, now }: CleanupDeps, { value }: Encoded<CustomResourceDefinition>, ending: Ending) {
  const kind = KIND as unknown as Kind
  await registry.update(
    kind,
    { namespace: '', name: value.metadata?.name ?? '' },
    object => {
      const definition = object as CustomResourceDefinition
      const { conditions = [] } = definition.status ?? {}
      const next = withCondition(conditions, { type: 'Terminating', ...ending }, now())
      definition.status = { ...definition.status, conditions: next }
      if (ending.status === 'True') return
      definition.metadata!.finalizers = definition.metadata?.finalizers?.filter(each => each !== CLEANUP) ?? []
    },
    OWN_WRITE,
  )
}

const WORKERS = 16

/** Deletes what there is of a kind. Returns why something could not be deleted. */
async function deleteAll(registry: ServerRegistry, kind: Kind): Promise<string[]> {
  const left = registry
    .reader(kind)
    .list()
    .filter(each => !each.value.metadata?.deletionTimestamp)
  const problems: string[] = []
  async function work() {
    for (let object = left.pop(); object; object = left.pop()) {
      const { namespace = '', name = '' } = object.value.metadata ?? {}
      try {
        await registry.delete(kind, { namespace, name }, {}, { user: OWN_WRITE.user })
      } catch (error) {
        if (!(error instanceof StatusError && error.code === 404)) problems.push((error as Error).message)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(WORKERS, left.length) }, work))
  return problems
}

/** One step: deletes the instances, waits for those that have finalizers, or lets the definition go. */
export async function removeInstances(deps: CleanupDeps, definition: Encoded<CustomResourceDefinition>): Promise<void> {
  const { kind } = deps
  if (!hasCondition(definition.value, 'Established')) return write(deps, definition, NEVER_ESTABLISHED)
  if (!kind) return write(deps, definition, OVERLAPPING)
  const begun = definition.value.status?.conditions?.find(each => each.type === 'Terminating')?.reason
  if (begun === 'InstanceDeletionPending') return write(deps, definition, IN_PROGRESS)
  await deps.registry.openKind(kind)
  const problems = await deleteAll(deps.registry, kind)
  if (problems.length) {
    const all = problems.length > 1 ? `[${problems.join(', ')}]` : problems[0]
    const message = `could not issue all deletes: ${all}`
    await write(deps, definition, { status: 'True', reason: 'InstanceDeletionFailed', message })
  }
  const reader = deps.registry.reader(kind)
  if (reader.list().length === 0) return write(deps, definition, COMPLETED)
  const end = reader.onChange((_, current) => {
    if (current || reader.list().length > 0) return
    end()
    deps.wake()
  })
}
