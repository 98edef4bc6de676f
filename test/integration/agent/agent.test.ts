import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { configMaps, nodes } from '../../../src/agent/resources.ts'
import { eventually, PATIENCE } from '../../../src/lib/eventually.fixture.ts'
import { isReady, type Node, startNode } from './node.ts'

const host = (name: string, script: string, more: object = {}) => ({
  name,
  image: 'host',
  command: ['/bin/sh', '-c', script],
  ...more,
})

describe('startAgent', () => {
  let node: Node
  before(async () => {
    node = await startNode()
    await node.createAccount()
    await node.admin.kind(configMaps).create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'kube-root-ca.crt', namespace: 'default' },
      data: { 'ca.crt': 'certificate' },
    })
  })
  after(() => node.close())

  it('registers a Ready node with what it can run', async () => {
    const { status, metadata } = await node.admin.kind(nodes).get({ name: 'n1' })
    assert.equal(status?.conditions?.find(each => each.type === 'Ready')?.status, 'True')
    assert.ok(Number(status?.allocatable?.cpu) >= 1)
    assert.deepEqual(
      status?.runtimeHandlers?.map(each => each.name),
      ['', 'process'],
    )
    assert.equal(metadata?.labels?.['kubernetes.io/hostname'], 'n1')
  })

  it('runs a pod, tells its status and lets it go', async () => {
    await node.create('runs', { containers: [host('main', 'echo hello; exec sleep 1000')] })
    const pod = await node.until('runs', isReady)
    assert.equal(pod.status?.phase, 'Running')
    assert.equal(pod.status?.podIP, '127.0.0.1')
    assert.equal(pod.status?.observedGeneration, 1)
    const [status] = pod.status?.containerStatuses ?? []
    assert.ok(status?.ready && status.started && status.restartCount === 0)
    assert.match(status.containerID ?? '', /^process:\/\/[0-9a-f]{64}$/)
    await eventually(async () => (await node.log(pod, 'main')) === 'hello\n')
    await node.pods.delete({ namespace: 'default', name: 'runs' })
    await node.until('runs', found => found === undefined)
  })

  it('restarts what was killed at once, and waits when it fails again', async () => {
    await node.create('crash', {
      volumes: [{ name: 'v', emptyDir: {} }],
      containers: [
        host('main', 'echo time $(cat /mnt/n 2>/dev/null | wc -l); echo x >>/mnt/n; exit 3', {
          volumeMounts: [{ name: 'v', mountPath: '/mnt' }],
        }),
      ],
    })
    const pod = await node.until(
      'crash',
      found => found?.status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CrashLoopBackOff',
    )
    const [status] = pod.status?.containerStatuses ?? []
    assert.equal(status?.restartCount, 1)
    assert.equal(status?.lastState?.terminated?.exitCode, 3)
    assert.equal(status?.lastState?.terminated?.reason, 'Error')
    assert.equal(
      status?.state?.waiting?.message,
      `back-off 10s restarting failed container=main pod=crash_default(${pod.metadata?.uid})`,
    )
    assert.equal(pod.status?.phase, 'Running')
    assert.equal(await node.log(pod, 'main', { previous: true }), 'time 1\n')
    await node.pods.delete({ namespace: 'default', name: 'crash' })
    await node.until('crash', found => found === undefined)
  })

  it('runs init containers in order, a sidecar beside them, and completes', async () => {
    await node.create('order', {
      restartPolicy: 'Never',
      volumes: [{ name: 'shared', emptyDir: {} }],
      initContainers: [
        host('first', 'echo first >>/mnt/order', { volumeMounts: [{ name: 'shared', mountPath: '/mnt' }] }),
        host('side', 'echo side >>/mnt/order; exec sleep 1000', {
          restartPolicy: 'Always',
          volumeMounts: [{ name: 'shared', mountPath: '/mnt' }],
        }),
        host('second', 'echo second >>/mnt/order', { volumeMounts: [{ name: 'shared', mountPath: '/mnt' }] }),
      ],
      containers: [host('main', 'cat /mnt/order', { volumeMounts: [{ name: 'shared', mountPath: '/mnt' }] })],
    })
    const pod = await node.until('order', found => found?.status?.phase === 'Succeeded')
    assert.match(await node.log(pod, 'main'), /^first\n(side\nsecond|second\nside)\n$/)
    assert.equal(pod.status?.conditions?.find(each => each.type === 'Ready')?.reason, 'PodCompleted')
    assert.ok(pod.status?.initContainerStatuses?.every(each => each.state?.terminated))
  })

  it('gives variables, files and a token, and follows the ConfigMap', async () => {
    const config = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'conf', namespace: 'default' },
      data: { key: 'one' },
    }
    await node.create('late', {
      automountServiceAccountToken: true,
      volumes: [{ name: 'conf', configMap: { name: 'conf', optional: true } }],
      containers: [
        host(
          'main',
          'echo $KEY $WHO $KUBERNETES_SERVICE_HOST; ls /var/run/secrets/kubernetes.io/serviceaccount 2>&1; exec sleep 1000',
          {
            env: [
              { name: 'KEY', valueFrom: { configMapKeyRef: { name: 'conf', key: 'key' } } },
              { name: 'WHO', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
            ],
            volumeMounts: [{ name: 'conf', mountPath: '/etc/conf' }],
          },
        ),
      ],
    })
    const waiting = await node.until(
      'late',
      found => found?.status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CreateContainerConfigError',
    )
    assert.equal(waiting.status?.containerStatuses?.[0]?.state?.waiting?.message, 'configmap "conf" not found')
    const client = node.admin.kind(configMaps)
    await client.create(config)
    const pod = await node.until('late', isReady)
    await eventually(async () => (await node.log(pod, 'main')).includes('token'))
    assert.match(await node.log(pod, 'main'), /^one late 10\.96\.0\.1\n/)
    await client.update({ ...config, data: { key: 'two' } })
    const ref = { namespace: 'default', name: 'late', uid: pod.metadata?.uid ?? '' }
    await eventually(async () => {
      let text = ''
      await node.api().exec(
        ref,
        { container: 'main', command: ['cat', '/etc/conf/key'], tty: false },
        {
          signal: AbortSignal.timeout(PATIENCE),
          stdout: async chunk => {
            text += Buffer.from(chunk)
          },
        },
      )
      return text === 'two'
    })
  })

  it('says why a pod does not run, and what to do', async () => {
    await node.create('image', { containers: [{ name: 'main', image: 'nginx:1.27' }] })
    const pod = await node.until(
      'image',
      found => found?.status?.containerStatuses?.[0]?.state?.waiting?.reason === 'ImageNotSupported',
    )
    assert.equal(pod.status?.phase, 'Pending')
    assert.match(pod.status?.containerStatuses?.[0]?.state?.waiting?.message ?? '', /set "image: host"/)
    await node.create('big', { containers: [host('main', ':', { resources: { requests: { cpu: '1000' } } })] })
    const big = await node.until('big', found => found?.status?.phase === 'Failed')
    assert.equal(big.status?.reason, 'OutOfcpu')
    const ports = [{ containerPort: 8080, hostPort: 28_080 }]
    await node.create('holder', { containers: [host('main', 'exec sleep 1000', { ports })] })
    await node.until('holder', isReady)
    await node.create('second', { containers: [host('main', ':', { ports })] })
    const second = await node.until('second', found => found?.status?.phase === 'Failed')
    assert.equal(second.status?.reason, 'NodePorts')
    assert.match(second.status?.message ?? '', /^Pod was rejected: Predicate NodePorts failed: /)
    // Clients show the reason where nothing is said of containers.
    assert.equal(second.status?.containerStatuses, undefined)
    await node.create('missing', {
      restartPolicy: 'Never',
      containers: [{ name: 'main', image: 'host', command: ['no-such-thing'] }],
    })
    const missing = await node.until('missing', found => found?.status?.phase === 'Failed')
    assert.equal(missing.status?.containerStatuses?.[0]?.state?.terminated?.reason, 'StartError')
  })

  it('takes up a running pod after a crash without a restart, and knows what ended meanwhile', async () => {
    await node.create('lives', {
      containers: [host('main', 'exec sleep 1000', { readinessProbe: { exec: { command: ['true'] } } })],
    })
    const before = await node.until('lives', isReady)
    const file = join(node.directory, 'end-now')
    const wait = `until [ -e ${file} ]; do sleep 0.02; done; exit 7`
    await node.create('ends', { restartPolicy: 'Never', containers: [host('main', wait)] })
    const { metadata } = await node.until('ends', isReady)
    const [{ pid = 0 } = {}] = await node.driver().listContainers(metadata?.uid)
    let unready = false
    await node.restart(async () => {
      writeFileSync(file, '')
      await eventually(async () => !existsSync(`/proc/${pid}`))
    })
    const end = Date.now() + 500
    while (Date.now() < end) unready ||= !isReady(await node.pods.get({ namespace: 'default', name: 'lives' }))
    const now = await node.until('lives', isReady)
    assert.equal(unready, false)
    assert.equal(now.status?.containerStatuses?.[0]?.containerID, before.status?.containerStatuses?.[0]?.containerID)
    assert.equal(now.status?.containerStatuses?.[0]?.restartCount, 0)
    const ends = await node.until('ends', found => found?.status?.phase === 'Failed')
    assert.equal(ends.status?.containerStatuses?.[0]?.state?.terminated?.exitCode, 7)
  })

  it('adds a container to a running pod that sees the processes of another', async t => {
    if (!node.driver().capabilities.mounts) return t.skip('namespaces may not be made here')
    await node.create('debugged', { containers: [host('main', 'exec sleep 4713')] })
    const pod = await node.until('debugged', isReady)
    const script = 'until grep -q ^sleep /proc/2/cmdline; do sleep 0.02; done; tr "\\0" " " </proc/2/cmdline; exit 4'
    const debug = { ...host('debugger', script), targetContainerName: 'main' }
    await node.pods.patch(
      { namespace: 'default', name: 'debugged' },
      { spec: { ephemeralContainers: [debug] } },
      { type: 'strategic', subresource: 'ephemeralcontainers' },
    )
    const ended = await node.until('debugged', found =>
      Boolean(found?.status?.ephemeralContainerStatuses?.[0]?.state?.terminated),
    )
    assert.equal(ended.status?.ephemeralContainerStatuses?.[0]?.state?.terminated?.exitCode, 4)
    assert.equal(await node.log(pod, 'debugger'), 'sleep 4713 ')
    assert.ok(isReady(ended))
  })

  it('gives a pod its grace, and the kill after it', async () => {
    await node.create('stubborn', {
      terminationGracePeriodSeconds: 1,
      containers: [host('main', 'trap "" TERM; echo deaf; while :; do sleep 0.1; done')],
    })
    const pod = await node.until('stubborn', isReady)
    await eventually(async () => (await node.log(pod, 'main')) === 'deaf\n')
    const began = Date.now()
    await node.pods.delete({ namespace: 'default', name: 'stubborn' })
    await node.until('stubborn', found => found === undefined)
    const took = Date.now() - began
    assert.ok(took >= 900, `${took} ms`)
  })

  it('replaces a killed process without waiting for its back-off', async () => {
    await node.create('heal', { containers: [host('main', 'exec sleep 1000')] })
    await node.until('heal', isReady)
    const [running] = await node
      .driver()
      .listContainers((await node.pods.get({ namespace: 'default', name: 'heal' })).metadata?.uid)
    const began = performance.now()
    process.kill(running!.pid!, 'SIGKILL')
    await node.until('heal', found => isReady(found) && found?.status?.containerStatuses?.[0]?.restartCount === 1)
    assert.ok(performance.now() - began < 9000)
  })
})
