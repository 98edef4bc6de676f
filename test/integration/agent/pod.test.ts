import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { startScripted } from './scripted.ts'

type Node = Awaited<ReturnType<typeof startScripted>>

const container = (name: string, more: object = {}) => ({ name, image: 'image', command: ['run'], ...more })

describe('createPodWorker', () => {
  let node: Node
  before(async () => {
    node = await startScripted()
  })
  beforeEach(() => {
    node.scripts.clear()
    node.log.length = 0
  })
  after(() => node.close())

  const remove = async (name: string, options: { gracePeriodSeconds?: number } = {}) => {
    await node.client.delete({ namespace: 'default', name }, options)
    // What was deleted by force has a second to end.
    await node.advance(options.gracePeriodSeconds === 0 ? 1500 : 0)
  }

  it('restarts at once, then after 10, 20 and 40 seconds, and forgives after ten minutes', async () => {
    node.scripts.set('main', { ends: { afterMs: 1000, code: 1 } })
    await node.create('crash', { containers: [container('main')] })
    const waits: number[] = []
    for (const expected of [1, 2, 3, 4]) {
      const began = node.clock.now()
      while ((await node.container('crash')).restartCount < expected) await node.advance(500)
      waits.push(Math.round((node.clock.now() - began) / 1000))
    }
    assert.deepEqual(waits, [1, 11, 21, 41])
    await node.advance(1000)
    const status = await node.container('crash')
    assert.equal(status.state?.waiting?.reason, 'CrashLoopBackOff')
    assert.match(
      status.state?.waiting?.message ?? '',
      /^back-off 1m20s restarting failed container=main pod=crash_default\(/,
    )
    assert.equal(status.lastState?.terminated?.exitCode, 1)
    assert.ok(
      (await node.events('crash')).some(each =>
        each.startsWith('BackOff: Back-off restarting failed container main in pod crash_default('),
      ),
    )
    node.scripts.set('main', { ends: { afterMs: 700_000, code: 1 } })
    await node.advance(80_000)
    assert.ok((await node.container('crash')).state?.running)
    await node.advance(700_000)
    assert.equal((await node.container('crash')).restartCount, 6)
    assert.ok((await node.container('crash')).state?.running)
    await remove('crash', { gracePeriodSeconds: 0 })
  })

  it('tries for a sandbox again every ten seconds at the latest, however often it failed', async () => {
    const other = await startScripted()
    other.stopAgent()
    const tries: number[] = []
    let works = false
    await other.runAgent({
      driver: driver => ({
        ...driver,
        async runSandbox(config) {
          tries.push(other.clock.now())
          if (!works) throw new Error('no address is left')
          return driver.runSandbox(config)
        },
      }),
    })
    await other.create('unlucky', { containers: [container('main')] })
    await other.advance(300_000)
    const waits = tries.slice(1).map((at, i) => at - tries[i]!)
    assert.deepEqual(waits.slice(0, 6), [500, 1000, 2000, 4000, 8000, 10_000])
    assert.equal(Math.max(...waits), 10_000)
    assert.deepEqual(await other.events('unlucky'), [
      'FailedCreatePodSandBox: Failed to create pod sandbox: no address is left',
    ])
    works = true
    await other.advance(10_000)
    assert.equal((await other.get('unlucky'))?.status?.phase, 'Running')
    await other.close()
  })

  it('takes a pod to Succeeded or Failed by its policy', async () => {
    for (const [policy, code, phase] of [
      ['Never', 0, 'Succeeded'],
      ['Never', 3, 'Failed'],
      ['OnFailure', 0, 'Succeeded'],
      ['OnFailure', 3, 'Running'],
    ] as const) {
      const name = `end-${policy.toLowerCase()}-${code}`
      node.scripts.set('main', { ends: { afterMs: 100, code } })
      await node.create(name, { restartPolicy: policy, containers: [container('main')] })
      await node.advance(200)
      assert.equal((await node.get(name))?.status?.phase, phase, name)
      await remove(name, { gracePeriodSeconds: 0 })
    }
  })

  it('runs init containers one after the other and waits for a sidecar to have started', async () => {
    for (const name of ['a', 'b']) node.scripts.set(name, { ends: { afterMs: 1000, code: 0 } })
    node.scripts.set('side', { exec: { httpGet: 1 }, obeysAfterMs: 0 })
    node.scripts.set('main', { obeysAfterMs: 0 })
    const startupProbe = { httpGet: { port: 1 }, periodSeconds: 1, failureThreshold: 100 }
    await node.create('order', {
      initContainers: [container('a'), container('side', { restartPolicy: 'Always', startupProbe }), container('b')],
      containers: [container('main')],
    })
    assert.deepEqual(node.log, ['start a'])
    const initial = await node.get('order')
    assert.equal(initial?.status?.phase, 'Pending')
    assert.equal(initial?.status?.containerStatuses?.[0]?.state?.waiting?.reason, 'PodInitializing')
    const condition = initial?.status?.conditions?.find(each => each.type === 'Initialized')
    assert.deepEqual(
      [condition?.reason, condition?.message],
      ['ContainersNotInitialized', 'containers with incomplete status: [a side b]'],
    )
    await node.advance(5000)
    assert.deepEqual(node.log, ['start a', 'end a 0', 'start side'])
    node.scripts.set('side', { obeysAfterMs: 0 })
    await node.advance(3000)
    assert.deepEqual(node.log.slice(3), ['start b', 'end b 0', 'start main'])
    assert.equal((await node.get('order'))?.status?.phase, 'Running')
    await remove('order')
    await node.advance(100)
    assert.deepEqual(
      node.log.slice(6).filter(each => each.startsWith('end')),
      ['end main 143', 'end side 143'],
    )
    assert.equal(await node.get('order'), undefined)
  })

  it('kills what fails its liveness probe and starts it anew', async () => {
    node.scripts.set('main', { obeysAfterMs: 0 })
    await node.create('live', {
      containers: [
        container('main', { livenessProbe: { exec: { command: ['check'] }, periodSeconds: 2, failureThreshold: 2 } }),
      ],
    })
    await node.advance(10_000)
    assert.equal((await node.container('live')).restartCount, 0)
    node.scripts.set('main', { obeysAfterMs: 0, exec: { check: 1 } })
    await node.advance(4500)
    assert.equal((await node.container('live')).restartCount, 1)
    const events = await node.events('live')
    assert.ok(events.includes('Killing: Container main failed liveness probe, will be restarted'), events.join('\n'))
    assert.ok(events.some(each => each.startsWith('Unhealthy: Liveness probe failed')))
    await remove('live', { gracePeriodSeconds: 0 })
  })

  it('is ready when the readiness probe says so, soon after the start, and unready after three failures', async () => {
    node.scripts.set('main', { exec: { check: 1 } })
    await node.create('ready', {
      containers: [container('main', { readinessProbe: { exec: { command: ['check'] }, periodSeconds: 10 } })],
    })
    await node.advance(300)
    assert.equal((await node.container('ready')).ready, false)
    node.scripts.set('main', {})
    await node.advance(600)
    assert.equal((await node.container('ready')).ready, true)
    node.scripts.set('main', { exec: { check: 1 } })
    await node.advance(21_000)
    assert.equal((await node.container('ready')).ready, true)
    await node.advance(10_000)
    assert.equal((await node.container('ready')).ready, false)
    assert.equal((await node.container('ready')).restartCount, 0)
    await remove('ready', { gracePeriodSeconds: 0 })
  })

  it('fails a pod that is past its deadline', async () => {
    node.scripts.set('main', { obeysAfterMs: 0 })
    await node.create('late', { activeDeadlineSeconds: 30, containers: [container('main')] })
    await node.advance(29_000)
    assert.equal((await node.get('late'))?.status?.phase, 'Running')
    await node.advance(2000)
    const { status } = (await node.get('late'))!
    assert.deepEqual([status?.phase, status?.reason], ['Failed', 'DeadlineExceeded'])
    assert.equal(status?.containerStatuses?.[0]?.state?.terminated?.exitCode, 143)
    await remove('late')
  })

  it('runs the preStop hook before the signal, and both within the grace', async () => {
    const lifecycle = { preStop: { sleep: { seconds: 5 } } }
    await node.create('grace', { terminationGracePeriodSeconds: 20, containers: [container('main', { lifecycle })] })
    await remove('grace')
    await node.advance(4000)
    assert.ok(!node.log.some(each => each.startsWith('stop')))
    await node.advance(2000)
    assert.ok(node.log.includes('stop main 15000'), node.log.join())
    await node.advance(13_000)
    assert.ok(await node.get('grace'))
    await node.advance(2000)
    assert.equal(await node.get('grace'), undefined)
    assert.ok(node.log.includes('end main 137'))
  })

  it('heeds a grace that is shortened later', async () => {
    await node.create('hurry', { terminationGracePeriodSeconds: 600, containers: [container('main')] })
    await remove('hurry')
    await node.advance(5000)
    await remove('hurry', { gracePeriodSeconds: 1 })
    await node.advance(2000)
    assert.equal(await node.get('hurry'), undefined)
  })

  it('replaces a container whose image changed and leaves the others', async () => {
    node.scripts.set('main', { obeysAfterMs: 0 })
    await node.create('image', { containers: [container('main'), container('other')] })
    await node.client.patch(
      { namespace: 'default', name: 'image' },
      { spec: { containers: [{ name: 'main', image: 'image:2' }] } },
      { type: 'strategic' },
    )
    await node.advance(10)
    const main = await node.container('image')
    assert.deepEqual([main.restartCount, main.image, main.state?.running !== undefined], [1, 'image:2', true])
    assert.equal((await node.container('image', 'other')).restartCount, 0)
    assert.ok((await node.events('image')).includes('Killing: Container main definition changed, will be restarted'))
    await remove('image', { gracePeriodSeconds: 0 })
  })

  it('tells why an image cannot be had and tries again', async () => {
    await node.create('pull', { containers: [container('main', { image: 'bad' })] })
    const { state } = await node.container('pull')
    assert.deepEqual(state?.waiting, { reason: 'ErrImagePull', message: 'no such image' })
    assert.equal((await node.get('pull'))?.status?.phase, 'Pending')
    await remove('pull')
    await node.advance(100)
    assert.equal(await node.get('pull'), undefined)
  })

  it('stops what it runs when the object is gone by force', async () => {
    await node.create('force', { containers: [container('main')] })
    await remove('force', { gracePeriodSeconds: 0 })
    await node.advance(1500)
    assert.ok(node.log.includes('end main 137'))
    assert.deepEqual(await node.driver.listSandboxes().then(all => all.filter(each => each.name === 'force')), [])
  })

  it('says why an image cannot be had, then that it waits for the next try, then tries again', async () => {
    const imagePullSecrets = [{ name: 'one' }, { name: 'other' }]
    await node.create('imageless', { imagePullSecrets, containers: [container('main', { image: 'bad' })] })
    const waiting = async () => (await node.container('imageless')).state?.waiting
    const refused = (why: string) =>
      assert.rejects(node.logs('imageless'), {
        code: 400,
        message: `container "main" in pod "imageless" is waiting to start: ${why}`,
      })
    assert.deepEqual(await waiting(), { reason: 'ErrImagePull', message: 'no such image' })
    await refused("image can't be pulled")
    await node.advance(1500)
    await refused('trying and failing to pull image')
    assert.deepEqual(await waiting(), {
      reason: 'ImagePullBackOff',
      message: 'Back-off pulling image "bad": ErrImagePull: no such image',
    })
    const events = await node.events('imageless')
    for (const each of [
      'FailedToRetrieveImagePullSecret: Unable to retrieve some image pull secrets (one, other); attempting to pull the image may not succeed.',
      'Failed: Failed to pull image "bad": no such image',
      'Failed: Error: ErrImagePull',
      'BackOff: Back-off pulling image "bad"',
      'Failed: Error: ImagePullBackOff',
    ]) {
      assert.ok(events.includes(each), each)
    }
    await node.advance(9000)
    assert.equal((await waiting())?.reason, 'ErrImagePull')
    await node.advance(2000)
    assert.equal((await waiting())?.reason, 'ImagePullBackOff')
    await node.advance(15_000)
    assert.equal((await waiting())?.reason, 'ImagePullBackOff')
    await remove('imageless', { gracePeriodSeconds: 0 })
  })

  it('refuses a pod with kernel parameters that the node does not let it set', async () => {
    await node.create('unsafe', {
      securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] },
      containers: [container('main')],
    })
    const { status } = (await node.get('unsafe'))!
    assert.deepEqual([status?.phase, status?.reason], ['Failed', 'SysctlForbidden'])
    await remove('unsafe', { gracePeriodSeconds: 0 })
  })

  it('a pod that wants users of its own says that the runtime has none', async () => {
    await node.create('users', { hostUsers: false, containers: [container('main')] })
    const said = 'RuntimeClass handler "" does not support user namespaces'
    assert.match((await node.container('users')).state?.waiting?.message ?? '', new RegExp(said))
    const metrics = await node.ask('/metrics')
    assert.match(metrics, /^kubelet_started_user_namespaced_pods_total [1-9]\d*$/m)
    assert.match(metrics, /^kubelet_started_user_namespaced_pods_errors_total [1-9]\d*$/m)
    assert.match(metrics, /^kubelet_started_pods_errors_total [1-9]/m)
    await remove('users', { gracePeriodSeconds: 0 })
  })

  it('shows what every container uses that runs, a sidecar too', async () => {
    await node.create('beside', {
      initContainers: [container('side', { restartPolicy: 'Always' })],
      containers: [container('main')],
    })
    const { pods } = JSON.parse(await node.ask('/stats/summary'))
    const found = pods.find((each: { podRef: { name: string } }) => each.podRef.name === 'beside')
    assert.deepEqual(found.containers.map((each: { name: string }) => each.name).sort(), ['main', 'side'])
    assert.equal(found.process_stats.process_count, 2)
    await remove('beside', { gracePeriodSeconds: 0 })
  })

  it('counts the deadline by elapsed time, whatever is done to the clock', async () => {
    node.scripts.set('main', { obeysAfterMs: 0 })
    await node.create('steady', { activeDeadlineSeconds: 30, containers: [container('main')] })
    node.jump(3_600_000)
    await node.advance(29_000)
    assert.equal((await node.get('steady'))?.status?.phase, 'Running')
    await node.advance(2000)
    assert.equal((await node.get('steady'))?.status?.reason, 'DeadlineExceeded')
    node.jump(-3_600_000)
    await remove('steady', { gracePeriodSeconds: 0 })
  })

  it('says what a container asks of its mounts that the runtime cannot give', async () => {
    const volumeMounts = [{ name: 'v', mountPath: '/v', readOnly: true, recursiveReadOnly: 'Enabled' }]
    await node.create('recursive', {
      volumes: [{ name: 'v', emptyDir: {} }],
      containers: [container('main', { volumeMounts })],
    })
    const { reason, message } = (await node.container('recursive')).state?.waiting ?? {}
    assert.equal(reason, 'CreateContainerConfigError')
    assert.match(message ?? '', /^failed to resolve recursive read-only mode: volume "v" requested/)
    await remove('recursive', { gracePeriodSeconds: 0 })
  })
})
