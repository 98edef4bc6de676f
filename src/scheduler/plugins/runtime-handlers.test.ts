import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Node } from '../../api/kinds/core/node.ts'
import type { View } from '../plugin.ts'
import type { PodInfo } from '../pod-info.ts'
import { runtimeHandlers } from './runtime-handlers.ts'

/** What the plugin says of each node for a pod of a class with this handler. */
function verdicts(handler: string, ...nodes: (readonly string[])[]) {
  const all = nodes.map(names => ({ status: { runtimeHandlers: names.map(name => ({ name })) } }) as Node)
  const snapshot = { slots: all.length, node: (slot: number) => all[slot] }
  const view = { snapshot, runtimeHandler: () => handler } as unknown as View
  const pod = { pod: { spec: { runtimeClassName: 'class' } } } as unknown as PodInfo
  const prepared = runtimeHandlers.prepare(pod, view)!
  return all.map((_, slot) => prepared.filter!(slot))
}

describe('runtimeHandlers', () => {
  it('keeps a pod to the nodes that have its handler', () =>
    assert.deepEqual(verdicts('process', ['', 'process'], ['']), [
      undefined,
      'node(s) have no runtime handler "process"',
    ]))

  it('lets a pod onto nodes that do not say what they have', () =>
    assert.deepEqual(verdicts('process', []), [undefined]))

  it('leaves a handler that no node names to the node', () =>
    assert.deepEqual(verdicts('gvisor', [''], ['', 'process']), [undefined, undefined]))

  it('keeps pods in containers from nodes without a container runtime', () =>
    assert.match(String(verdicts('containers', ['process'])[0]), /no container runtime/))
})
