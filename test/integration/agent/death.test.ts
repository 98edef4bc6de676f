/**
 * The agent dies at each step of a pod's life: before or after each call to its runtime and each write to the API
 * server. A new one takes over from the same world, and everything must come out as if nothing had happened.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { RuntimeDriver } from '../../../src/agent/runtimes/runtime.ts'
import type { Transport } from '../../../src/client/transport.ts'
import { startScripted, type Through } from './scripted.ts'

/** Calls that change the world. */
const CALLS = [
  'findImage',
  'pullImage',
  'runSandbox',
  'stopSandbox',
  'removeSandbox',
  'createContainer',
  'startContainer',
  'stopContainer',
  'removeContainer',
  'updateContainer',
  'updateSandbox',
  'exec',
] as const

const forever = new Promise<never>(() => {})

/** Counts steps, and dies at one of them: `when` the step has been done, or has not been. */
function mortal(at: number, when: 'before' | 'after', die: () => void) {
  let steps = 0
  let dead = false
  let last = ''
  async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
    if (dead) return forever
    const mine = ++steps === at
    if (mine) last = name
    const kill = () => {
      dead = true
      die()
      return forever
    }
    if (mine && when === 'before') return kill()
    const result = await work()
    if (mine) return kill()
    return dead ? forever : result
  }
  const through: Through = {
    driver(driver) {
      const wrapped: Record<string, unknown> = { ...driver }
      for (const name of CALLS) {
        const call = driver[name] as (...args: unknown[]) => Promise<unknown>
        wrapped[name] = (...args: unknown[]) => step(name, () => call.apply(driver, args))
      }
      wrapped.onEvent = (handler: Parameters<RuntimeDriver['onEvent']>[0]) =>
        driver.onEvent(event => {
          if (!dead) handler(event)
        })
      return wrapped as unknown as RuntimeDriver
    },
    transport: (transport): Transport =>
      (async request => {
        const reads = request.method === 'GET'
        if (reads || !request.path.includes('/pods/')) return dead ? forever : transport(request)
        return step(`${request.method} ${request.path.split('/').slice(-2).join('/')}`, () => transport(request))
      }) as Transport,
  }
  return { through, steps: () => steps, last: () => last, isDead: () => dead }
}

const container = (name: string, more: object = {}) => ({ name, image: 'image', command: ['run'], ...more })
const resources = (cpu: string) => ({ requests: { cpu }, limits: { cpu } })
const POD = {
  terminationGracePeriodSeconds: 10,
  initContainers: [container('init'), container('side', { restartPolicy: 'Always' })],
  containers: [
    container('main', {
      resources: resources('100m'),
      lifecycle: { postStart: { exec: { command: ['begin'] } }, preStop: { exec: { command: ['end'] } } },
    }),
    container('crashes'),
  ],
}

type Node = Awaited<ReturnType<typeof startScripted>>
/** What is done to the pod, up to its deletion, and what its status said before that. */
type Story = (node: Node, rest: (ms?: number) => Promise<void>) => Promise<unknown>

/** It begins, a container crashes, it is resized, it is deleted. */
async function fullLife(node: Node, rest: (ms?: number) => Promise<void>) {
  const ready = async () => {
    for (let turn = 0; turn < 40; turn++) {
      await rest(1000)
      const conditions = (await node.get('pod'))?.status?.conditions
      if (conditions?.some(each => each.type === 'Ready' && each.status === 'True')) return
    }
    assert.fail(`the pod does not become ready: ${JSON.stringify((await node.get('pod'))?.status)}`)
  }
  for (const name of ['side', 'main', 'crashes']) node.scripts.set(name, { obeysAfterMs: 100 })
  node.scripts.set('init', { ends: { afterMs: 500, code: 0 } })
  await node.create('pod', POD)
  await ready()
  node.end('crashes', 1)
  await rest(1000)
  await ready()
  await node.client.patch(
    { namespace: 'default', name: 'pod' },
    { spec: { containers: [{ name: 'main', resources: resources('200m') }] } },
    { type: 'strategic', subresource: 'resize' },
  )
  await rest(1000)
  await rest(1000)
  const told = (await node.get('pod'))?.status?.containerStatuses
  await node.client.delete({ namespace: 'default', name: 'pod' })
  return [told?.map(each => `${each.name} ${each.restartCount}`), told?.find(each => each.name === 'main')?.resources]
}

/** It runs once, succeeds, and is deleted. */
async function runOnce(node: Node, rest: (ms?: number) => Promise<void>) {
  node.scripts.set('main', { ends: { afterMs: 3000, code: 0 } })
  await node.create('pod', { restartPolicy: 'Never', containers: [container('main')] })
  const over = async () => (await node.get('pod'))?.status?.phase === 'Succeeded'
  for (let turn = 0; turn < 40 && !(await over()); turn++) await rest(1000)
  const { phase, containerStatuses } = (await node.get('pod'))?.status ?? {}
  await node.client.delete({ namespace: 'default', name: 'pod' })
  return [phase, containerStatuses?.[0]?.restartCount, containerStatuses?.[0]?.state?.terminated?.exitCode]
}

/** A container ends in a way that starts all of them anew. */
async function startAnew(node: Node, rest: (ms?: number) => Promise<void>) {
  node.scripts.set('init', { ends: { afterMs: 500, code: 0 } })
  const rule = { action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [42] } }
  await node.create('pod', {
    initContainers: [container('init')],
    containers: [container('main'), container('cause', { restartPolicy: 'Never', restartPolicyRules: [rule] })],
  })
  const running = async () => (await node.get('pod'))?.status?.phase === 'Running'
  for (let turn = 0; turn < 40 && !(await running()); turn++) await rest(1000)
  await rest(1000)
  node.end('cause', 42)
  for (let turn = 0; turn < 5; turn++) await rest(1000)
  const { initContainerStatuses = [], containerStatuses = [] } = (await node.get('pod'))?.status ?? {}
  await node.client.delete({ namespace: 'default', name: 'pod' }, { gracePeriodSeconds: 1 })
  return [...initContainerStatuses, ...containerStatuses].map(each => `${each.name} ${each.restartCount}`)
}

/** One life of a pod, with a death at the step. What happened, and whether the step was reached. */
async function live(story: Story, at: number, when: 'before' | 'after') {
  const node = await startScripted()
  node.stopAgent()
  await node.rest()
  const life = mortal(at, when, () => node.stopAgent())
  await node.runAgent(life.through)
  /** Lets things happen; whoever died is replaced. */
  let replaced = false
  const rest = async (ms = 0) => {
    await node.advance(ms)
    if (life.isDead() && !replaced) {
      replaced = true
      await node.runAgent()
      await node.advance(0)
    }
    await watch()
  }
  const violations: string[] = []
  const watch = async () => {
    const running = (await node.driver.listContainers()).filter(each => each.state === 'running')
    const names = running.map(each => each.name)
    if (new Set(names).size < names.length) violations.push(`runs twice: ${names.sort().join(', ')}`)
    const ready = (await node.driver.listSandboxes()).filter(each => each.state === 'ready')
    if (ready.length > 1) violations.push('two sandboxes')
  }
  const told = await story(node, rest)
  for (let turn = 0; turn < 40 && (await node.get('pod')); turn++) await rest(1000)
  await rest(3000)
  const left = [await node.get('pod'), ...(await node.driver.listSandboxes()), ...(await node.driver.listContainers())]
  const happened = node.log.filter(each => /^(start|end) /.test(each))
  await node.close()
  return {
    reached: life.isDead(),
    step: life.last(),
    steps: life.steps(),
    violations,
    happened,
    left: left.filter(each => each !== undefined).length,
    told,
  }
}

/** What it comes to without a death. */
const stories: [what: string, story: Story, told: unknown][] = [
  ['lives on', fullLife, [['crashes 1', 'main 0'], resources('200m')]],
  ['runs once, and no more', runOnce, ['Succeeded', 0, 0]],
  ['starts anew as its rule has it', startAnew, ['init 1', 'cause 1', 'main 1']],
]

describe('a pod whose agent dies at any step', () => {
  for (const [what, story, told] of stories) {
    for (const when of ['before', 'after'] as const) {
      it(`${what}: ${when} each step`, async () => {
        const plain = await live(story, 0, when)
        assert.deepEqual([plain.left, plain.told], [0, told])
        assert.ok(plain.steps > 8, `${plain.steps} steps`)
        for (let at = 1; at <= plain.steps; at++) {
          const found = await live(story, at, when)
          const title = `${when} step ${at}, ${found.step}`
          assert.ok(found.reached, title)
          assert.deepEqual(found.violations, [], title)
          assert.deepEqual(found.happened.toSorted(), plain.happened.toSorted(), title)
          assert.equal(found.left, 0, `${title}: something is left`)
          assert.deepEqual(found.told, told, title)
        }
      })
    }
  }
})
