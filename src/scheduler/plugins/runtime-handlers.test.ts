import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Node } from '../../api/kinds/core/node.ts'
import type { View } from '../plugin.ts'
import type { PodInfo } from '../pod-info.ts'
import { runtimeHandlers } from './runtime-handlers.ts'

const nodeWith = (names: readonly string[]) => ({ status: { runtimeHandlers: names.map(name => ({ name })) } }) as Node

/** A cluster of these nodes, as they are when it is looked at, with a class of this handler. */
function viewOf(nodes: readonly Node[], handler: string): View {
  const snapshot = {
    get slots() {
      return nodes.length
    },
    node: (slot: number) => nodes[slot],
  }
  return { snapshot, runtimeHandler: () => handler } as unknown as View
}

/** The plugin's answers for a pod of a class with this handler. */
function prepareFor(handler: string, nodes: readonly Node[]) {
  const pod = { pod: { spec: { runtimeClassName: 'class' } } } as unknown as PodInfo
  return runtimeHandlers.prepare(pod, viewOf(nodes, handler))!
}

/** What the plugin says of each node for a pod of a class with this handler. */
function verdicts(handler: string, ...nodes: (readonly string[])[]) {
  const prepared = prepareFor(handler, nodes.map(nodeWith))
  return nodes.map((_, slot) => prepared.filter!(slot))
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

  it('looks at all nodes again when the first comes that names the handler, or the last goes', () => {
    const nodes = [nodeWith([''])]
    const prepared = prepareFor('gvisor', nodes)
    assert.equal(prepared.filter!(0), undefined)
    nodes.push(nodeWith(['gvisor']))
    assert.equal(prepared.affected!(), 'all')
    assert.match(String(prepared.filter!(0)), /no runtime handler/)
    nodes.push(nodeWith(['gvisor']))
    assert.deepEqual(prepared.affected!(), new Set())
    nodes.splice(1)
    assert.equal(prepared.affected!(), 'all')
    assert.equal(prepared.filter!(0), undefined)
  })

  it('is woken by a node that has the handler, and when no node names it any more', () => {
    const nodes = [nodeWith(['']), nodeWith(['gvisor'])]
    const pod = { pod: { spec: { runtimeClassName: 'class' } } } as unknown as PodInfo
    const helps = (event: Parameters<typeof runtimeHandlers.mayHelp>[0], handler = 'gvisor') =>
      runtimeHandlers.mayHelp(event, pod, viewOf(nodes, handler))
    const changed = (current: Node) => helps({ type: 'node', previous: undefined, current })
    assert.deepEqual([changed(nodes[1]!), changed(nodes[0]!), helps({ type: 'node-gone' })], [true, false, false])
    nodes.pop()
    assert.deepEqual([changed(nodes[0]!), helps({ type: 'node-gone' })], [true, true])
    assert.equal(helps({ type: 'node-gone' }, 'containers'), false)
    assert.ok(runtimeHandlers.wokenBy.includes('node-gone'))
  })

  it('keeps pods in containers from nodes without a container runtime', () =>
    assert.match(String(verdicts('containers', ['process'])[0]), /no container runtime/))
})
