/**
 * The rule of every controller (STYLE 5): run on its own output it writes nothing. Tests call this when a cluster has
 * come to rest.
 */
import type { KubeObject } from '../api/machinery/object.ts'
import { createClient } from '../client/client.ts'
import type { Informer } from '../client/informer-types.ts'
import { createInformers } from '../client/informers.ts'
import type { Resource } from '../client/resource.ts'
import type { Transport } from '../client/transport.ts'
import type { Clock } from '../lib/clock.ts'
import { equalJson } from '../lib/json.ts'
import { silent } from '../lib/log.ts'
import type { Controller, View } from './controller.ts'
import type { Plan } from './plan.ts'

/** Sentences about everything that the controllers would still write; none when the cluster is at rest. */
export async function unrest(
  controllers: readonly Controller[],
  deps: { readonly transport: Transport; readonly clock: Clock },
): Promise<string[]> {
  const scope = new AbortController()
  const informers = createInformers(createClient(deps.transport), { clock: deps.clock, logger: silent }, scope.signal)
  const of = <T extends KubeObject>(resource: Resource<T>): Informer<T> => informers.of(resource)
  for (const controller of controllers) {
    const { owns = [], watches = [], reads = [] } = controller
    for (const resource of [controller.for, ...owns, ...watches.map(each => each.resource)]) of(resource)
    for (const read of reads) informers.of(read.resource, read)
  }
  await informers.synced()
  const view = (): View => ({ of, memory: new Map() })
  const found = controllers.flatMap(controller =>
    of(controller.for)
      .list()
      .flatMap(object => {
        const what = `${controller.name} on ${object.metadata?.namespace ?? ''}/${object.metadata?.name}`
        return writesOf(controller.reconcile(object, view(), deps.clock.now()), object).map(each => `${what}: ${each}`)
      }),
  )
  scope.abort()
  return found
}

function writesOf(plan: Plan, object: KubeObject): string[] {
  const result: string[] = []
  for (const write of plan.writes ?? []) {
    if (write.type === 'create') result.push(`creates ${write.resource.plural}`)
    else if (write.type === 'delete') result.push(`deletes ${write.resource.plural} ${write.object.metadata?.name}`)
    else if (write.type === 'patch') result.push(`patches ${write.resource.plural}: ${JSON.stringify(write.patch)}`)
    else if (!equalJson(write.current, write.next)) {
      result.push(`${write.type}s ${write.resource.plural}: ${JSON.stringify(write.next)}`)
    }
  }
  const { status } = plan
  if (status && !equalJson(status, object)) {
    const of = (each: KubeObject) => JSON.stringify((each as { status?: unknown }).status)
    result.push(`writes its status: ${of(object)} becomes ${of(status)}`)
  }
  return result
}
