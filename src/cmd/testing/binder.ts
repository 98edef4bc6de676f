/** Binds pods to the node that has fewest: all that tests of other parts need of a scheduler. */
import { Node } from '../../api/kinds/core/node.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { type Client, hasReason } from '../../client/client.ts'
import type { Informers } from '../../client/informers.ts'
import { refOf } from '../../client/resource.ts'
import { createWorkQueue } from '../../client/work-queue.ts'
import type { Component } from '../../control/lifetime.ts'
import type { Clock } from '../../lib/clock.ts'

/** Makes the component. */
export const binder = (client: Client, informers: Informers, clock: Clock): Component => ({
  name: 'binder',
  async run(signal) {
    const queue = createWorkQueue<string>(clock, { backOff: 10, backOffMax: 1000 })
    const pods = informers.of<Pod>(Pod)
    const nodes = informers.of<Node>(Node)
    const waits = (pod: Pod) => !pod.spec?.nodeName && !pod.metadata?.deletionTimestamp
    const keyOf = (pod: Pod) => `${pod.metadata?.namespace}/${pod.metadata?.name}`
    const ends = [
      pods.onChange(({ current }) => current && waits(current) && queue.add(keyOf(current))),
      nodes.onChange(() => {
        for (const pod of pods.list()) if (waits(pod)) queue.add(keyOf(pod))
      }),
    ]
    signal.addEventListener('abort', () => queue.close(), { once: true })
    if (signal.aborted) queue.close()
    for (;;) {
      const key = await queue.take()
      if (key === undefined) break
      const pod = pods.get(key)
      const target = pod && waits(pod) ? emptiest(nodes.list(), pods.list()) : undefined
      if (pod && target) {
        const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name: pod.metadata?.name } }
        try {
          const body = { ...binding, target: { apiVersion: 'v1', kind: 'Node', name: target } }
          await client.kind<Pod>(Pod).subresource(refOf(pod), 'binding', body)
          queue.forget(key)
        } catch (error) {
          if (!hasReason(error, 'NotFound', 'Conflict')) queue.addFailed(key)
        }
      }
      queue.done(key)
    }
    for (const end of ends) end()
  },
})

const isUsable = (node: Node) =>
  node.status?.conditions?.some(each => each.type === 'Ready' && each.status === 'True') &&
  !node.spec?.unschedulable &&
  !node.spec?.taints?.some(each => each.effect !== 'PreferNoSchedule')

function emptiest(nodes: readonly Node[], pods: readonly Pod[]): string | undefined {
  const counts = new Map(nodes.filter(isUsable).map(node => [node.metadata?.name ?? '', 0]))
  for (const { spec } of pods) {
    const count = counts.get(spec?.nodeName ?? '')
    if (count !== undefined) counts.set(spec!.nodeName!, count + 1)
  }
  let best: string | undefined
  for (const [name, count] of counts) if (best === undefined || count < counts.get(best)!) best = name
  return best
}
