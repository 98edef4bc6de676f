/**
 * What users and their programs get wrong, and machines do: each gets the answer that Kubernetes gives where it has one,
 * is seen in status and events, and takes nothing else down. A canary Deployment and `/readyz` are looked at after each.
 */
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { toolsMissing } from '../tools.ts'
import { type E2eCluster, startE2eCluster } from './cluster.ts'
import { until } from './load.ts'
import { processesWith } from './processes.ts'
import { rawApi } from './raw.ts'

const server = join(import.meta.dirname, 'fixtures/server.mjs')
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'
const PODS = '/api/v1/namespaces/default/pods'
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments'
const JSON_BODY = 'application/json'
const YAML_BODY = 'application/yaml'

const map = (metadata: object, rest: object = {}) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata, ...rest })
const pod = (name: string, container: object, spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    runtimeClassName: 'process',
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'main', image: 'host', ...container }],
    ...spec,
  },
})
const canary = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'canary' },
  spec: {
    selector: { matchLabels: { app: 'canary' } },
    template: {
      metadata: { labels: { app: 'canary' } },
      spec: pod('', {
        command: [process.execPath, server],
        ports: [{ containerPort: 8080 }],
        // The machine may be slow; it is Tutti that must not stand still.
        readinessProbe: { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 1, timeoutSeconds: 10 },
        livenessProbe: { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 2, timeoutSeconds: 10 },
      }).spec,
    },
  },
}

interface ContainerState {
  waiting?: { reason: string; message?: string }
  running?: object
  terminated?: { reason: string; message?: string; exitCode: number }
}
interface PodStatus {
  phase: string
  conditions?: { type: string; status: string }[]
  containerStatuses?: { ready: boolean; restartCount: number; state: ContainerState; lastState: ContainerState }[]
}
interface EventItem {
  reason: string
  type: string
  message: string
  count: number
}

/** Starts a canary, and gives the check that nothing has happened to it. */
async function watchCanary(cluster: E2eCluster): Promise<() => Promise<void>> {
  await cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify(canary) })
  await cluster.kubectl(['rollout', 'status', 'deployment/canary', '--timeout=120s'])
  const uid = await cluster.kubectl(['get', 'pods', '-l', 'app=canary', '-o', 'jsonpath={.items[*].metadata.uid}'])
  const pid = cluster.pid()
  return async () => {
    assert.equal(await cluster.kubectl(['get', '--raw', '/readyz']), 'ok')
    const { items } = JSON.parse(await cluster.kubectl(['get', 'pods', '-l', 'app=canary', '-o', 'json']))
    assert.deepEqual(
      items.map(({ metadata, status }: { metadata: { uid: string }; status: PodStatus }) => [
        metadata.uid,
        status.containerStatuses?.[0]?.ready,
        status.containerStatuses?.[0]?.restartCount,
      ]),
      [[uid, true, 0]],
    )
    assert.equal(cluster.pid(), pid, 'the program was restarted')
  }
}

const status = async (cluster: E2eCluster, name: string): Promise<PodStatus> =>
  JSON.parse(await cluster.kubectl(['get', 'pod', name, '-o', 'json'])).status
const events = async (cluster: E2eCluster, name: string): Promise<EventItem[]> =>
  JSON.parse(await cluster.kubectl(['get', 'events', '--field-selector', `involvedObject.name=${name}`, '-o', 'json']))
    .items
/** Waits for an event of a pod: they are written beside its status, a moment before it or after. */
const told = (cluster: E2eCluster, name: string, fits: (event: EventItem) => boolean) =>
  until(`an event of ${name} says ${fits}`, async () => (await events(cluster, name)).find(fits))

const options = { skip: toolsMissing ?? false }

test('bad input', options, async t => {
  const cluster = await startE2eCluster()
  t.after(() => cluster.delete())
  const api = rawApi(cluster.kubeconfig)
  const unharmed = await watchCanary(cluster)
  const apply = (object: object) => cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify(object) })
  const step = (name: string, run: () => Promise<void>) =>
    t.test(name, async () => {
      await run()
      await unharmed()
    })

  const json = (object: unknown) => JSON.stringify(object)
  const bodies: [string, string, string, string, number, RegExp][] = [
    ['JSON that ends early', CONFIG_MAPS, JSON_BODY, '{"apiVersion":"v1",', 400, /unexpected end of JSON input/],
    ['text', CONFIG_MAPS, JSON_BODY, 'not json', 400, /invalid character 'o' looking for beginning of value/],
    ['bytes', CONFIG_MAPS, JSON_BODY, '\x00\x01\x02', 400, /json parse error: invalid character/],
    ['YAML that does not end', CONFIG_MAPS, YAML_BODY, 'a: [1, 2\nb: }', 400, /error converting YAML to JSON: yaml: /],
    ['YAML nested on one line', CONFIG_MAPS, YAML_BODY, 'a: b: c', 400, /error converting YAML to JSON: yaml: /],
    ['YAML that unfolds to gigabytes', CONFIG_MAPS, YAML_BODY, bomb(), 400, /error converting YAML to JSON: yaml: /],
    ['a million brackets', CONFIG_MAPS, JSON_BODY, '['.repeat(1_000_000), 400, /exceeded max depth/],
    ['no body', CONFIG_MAPS, JSON_BODY, '', 400, /unexpected end of JSON input/],
    ['null', CONFIG_MAPS, JSON_BODY, 'null', 422, /name or generateName is required/],
    ['a list of nothing', CONFIG_MAPS, JSON_BODY, '[]', 400, /cannot unmarshal array/],
    ['another type of body', CONFIG_MAPS, 'text/plain', 'x', 415, /unknown format - accepted media types include/],
    [
      'another kind',
      CONFIG_MAPS,
      JSON_BODY,
      json({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' } }),
      400,
      /cannot be handled as a ConfigMap: converting \(v1.Pod\) to \(core.ConfigMap\): unknown conversion/,
    ],
    [
      'a number for a text',
      CONFIG_MAPS,
      JSON_BODY,
      json(map({ name: 'x' }, { data: { a: 1 } })),
      400,
      /cannot unmarshal number into Go struct field ConfigMap\.data of type string/,
    ],
    [
      'a text for a number',
      DEPLOYMENTS,
      JSON_BODY,
      json({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'x' }, spec: { replicas: 'three' } }),
      400,
      /cannot unmarshal string into Go struct field DeploymentSpec\.spec\.replicas of type int32/,
    ],
    [
      'a name in capitals',
      CONFIG_MAPS,
      JSON_BODY,
      json(map({ name: 'UPPER_case' })),
      422,
      /a lowercase RFC 1123 subdo/,
    ],
    [
      'a label with spaces',
      CONFIG_MAPS,
      JSON_BODY,
      json(map({ name: 'x', labels: { a: 'b c' } })),
      422,
      /metadata\.labels: Invalid value: "b c": a valid label must be an empty string or consist of alphanumeric/,
    ],
    ['a name that JavaScript knows', CONFIG_MAPS, JSON_BODY, json(map({ name: '__proto__' })), 422, /RFC 1123/],
    [
      'another namespace',
      CONFIG_MAPS,
      JSON_BODY,
      json(map({ name: 'x', namespace: 'y' })),
      400,
      /does not match the na/,
    ],
    [
      'a container without a name',
      PODS,
      JSON_BODY,
      json({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' }, spec: { containers: [{ image: 'host' }] } }),
      422,
      /spec\.containers\[0\]\.name: Required value/,
    ],
    [
      '4 MB',
      CONFIG_MAPS,
      JSON_BODY,
      json(map({ name: 'x' }, { data: { a: 'x'.repeat(4 << 20) } })),
      413,
      /Request entity too large: limit is 3145728/,
    ],
    [
      '2 MB in one object',
      CONFIG_MAPS,
      JSON_BODY,
      json(map({ name: 'x' }, { data: { a: 'x'.repeat(2 << 20) } })),
      422,
      /Too long: may not be more than 1048576 bytes/,
    ],
  ]
  for (const [name, path, type, body, code, message] of bodies)
    await step(`a body is refused: ${name}`, async () => {
      const answer = await api.send('POST', path, body, { 'content-type': type })
      const { kind, status, message: said } = JSON.parse(answer.text)
      assert.deepEqual([answer.status, kind, status], [code, 'Status', 'Failure'], answer.text.slice(0, 500))
      assert.match(said, message)
    })

  const queries: [string, RegExp][] = [
    ['labelSelector=a%20in%20(', /unable to parse requirement/],
    ['fieldSelector=spec.nope%3Dx', /field label not supported: spec\.nope/],
    ['limit=abc', /strconv\.ParseInt: parsing "abc": invalid syntax/],
    ['continue=rubbish', /continue key is not valid/],
    ['resourceVersion=rubbish', /resourceVersion: Invalid value: "rubbish"/],
  ]
  await step('queries that make no sense are refused', async () => {
    for (const [query, message] of queries) {
      const answer = await api.send('GET', `${PODS}?${query}`)
      assert.ok(answer.status === 400 || answer.status === 422, `${query}: ${answer.status}`)
      assert.match(JSON.parse(answer.text).message, message)
    }
    assert.equal((await api.send('GET', '/api/v1/%zz')).status, 400)
    assert.equal((await api.send('BREW', PODS)).status, 400)
  })

  await step('10,000 objects in one apply', async () => {
    await cluster.kubectl(['create', 'namespace', 'many'])
    const items = Array.from({ length: 10_000 }, (_, i) =>
      map({ name: `m-${i}`, namespace: 'many' }, { data: { i: `${i}` } }),
    )
    const began = Date.now()
    const { code, stdout, stderr } = await cluster.tutti(['apply', '-f', '-'], {
      input: json({ apiVersion: 'v1', kind: 'List', items }),
    })
    assert.equal(code, 0, stderr)
    t.diagnostic(`10,000 objects were applied in ${Date.now() - began} ms`)
    assert.equal(stdout.split('\n').filter(line => line.endsWith(' created')).length, 10_000)
    assert.equal((await cluster.kubectl(['get', 'configmaps', '-n', 'many', '-o', 'name'])).split('\n').length, 10_002)
    await cluster.kubectl(['delete', 'namespace', 'many'])
  })

  await step('a port that is taken is said by tutti up, and by the pod that wanted it', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    t.after(() => other.close())
    await new Promise(resolve => other.once('listening', resolve))
    const { port } = other.address() as { port: number }
    const args = ['up', '--port', String(port), '--network', 'portable', '--data-dir', `${cluster.dataDir}-2`]
    const { code, stderr } = await cluster.tutti([...args, '--kubeconfig', `${cluster.kubeconfig}-2`])
    assert.notEqual(code, 0)
    assert.match(stderr, new RegExp(`127\\.0\\.0\\.1:${port}.*in use`))
    const listen = `require('net').createServer().listen(8080)`
    const two = [1, 2].map(i => ({ name: `c${i}`, image: 'host', command: [process.execPath, '-e', listen] }))
    await apply(pod('port-taken', {}, { restartPolicy: 'Never', containers: two }))
    const failed = await until('one of the two has ended', async () =>
      (await status(cluster, 'port-taken')).containerStatuses?.find(({ state }) => state.terminated),
    )
    assert.deepEqual([failed.state.terminated?.reason, failed.state.terminated?.exitCode], ['Error', 1])
    const log = await cluster.kubectl(['logs', 'port-taken', '--all-containers'])
    assert.match(log, /EADDRINUSE/)
    await cluster.kubectl(['delete', 'pod', 'port-taken'])
  })

  const commands: [string, string[], number, string, RegExp | undefined][] = [
    ['path', ['/does/not/exist'], 128, 'StartError', /exec: "\/does\/not\/exist": stat .*: no such file or directory/],
    ['name', ['doesnotexist'], 128, 'StartError', /exec: "doesnotexist": executable file not found in \$PATH/],
    ['no-program', ['/etc/passwd'], 128, 'StartError', /exec: "\/etc\/passwd": permission denied/],
    ['in-a-shell', ['sh', '-c', 'doesnotexist'], 127, 'Error', undefined],
  ]
  await step('a command that does not exist', async () => {
    for (const [name, command] of commands) {
      await apply(pod(`never-${name}`, { command }, { restartPolicy: 'Never' }))
      await apply(pod(`always-${name}`, { command }))
    }
    for (const [name, , exitCode, reason, message] of commands) {
      const ended = await until('it has failed', async () => {
        const found = await status(cluster, `never-${name}`)
        return found.phase === 'Failed' && found.containerStatuses?.[0]?.state.terminated
      })
      assert.deepEqual([ended.exitCode, ended.reason], [exitCode, reason])
      if (message) assert.match(ended.message ?? '', message)
      const waits = await until('it backs off', async () => {
        const found = (await status(cluster, `always-${name}`)).containerStatuses?.[0]
        return found?.state.waiting?.reason === 'CrashLoopBackOff' && found
      })
      assert.match(waits.state.waiting?.message ?? '', /^back-off \d+s restarting failed container=main pod=always-/)
      assert.equal(waits.lastState.terminated?.exitCode, exitCode)
      await told(cluster, `always-${name}`, ({ reason, type }) => reason === 'BackOff' && type === 'Warning')
      if (message)
        await told(cluster, `always-${name}`, event => event.reason === 'Failed' && message.test(event.message))
    }
    const names = commands.flatMap(([name]) => [`never-${name}`, `always-${name}`])
    await cluster.kubectl(['delete', 'pod', ...names])
  })

  await step('a probe that never gets an answer', async () => {
    const hang = `require('net').createServer(socket => socket.on('error', () => {})).listen(8080)`
    const readinessProbe = { tcpSocket: { port: 8080 } }
    const hanging = { httpGet: { path: '/', port: 8080 }, periodSeconds: 1, timeoutSeconds: 1 }
    const command = [process.execPath, '-e', hang]
    await apply(pod('unready', { command, ports: [{ containerPort: 8080 }], readinessProbe: hanging }))
    const livenessProbe = { ...hanging, failureThreshold: 2 }
    await apply(pod('unlive', { command, ports: [{ containerPort: 8080 }], readinessProbe, livenessProbe }))
    const unhealthy = await told(cluster, 'unready', ({ reason, count }) => reason === 'Unhealthy' && count >= 2)
    assert.match(
      unhealthy.message,
      /^Readiness probe failed: Get "http:\/\/[\d.]+:8080\/": context deadline exceeded \(Client.Timeout exceeded/,
    )
    assert.deepEqual(
      (({ containerStatuses: [found] = [] }: PodStatus) => [found?.ready, found?.restartCount])(
        await status(cluster, 'unready'),
      ),
      [false, 0],
    )
    await until(
      'the other one is restarted',
      async () => ((await status(cluster, 'unlive')).containerStatuses?.[0]?.restartCount ?? 0) > 0,
    )
    await told(
      cluster,
      'unlive',
      ({ reason, message }) =>
        reason === 'Killing' && message === 'Container main failed liveness probe, will be restarted',
    )
    await cluster.kubectl(['delete', 'pod', 'unready', 'unlive'])
  })

  await step('a ConfigMap that is missing, until it is there', async () => {
    const command = ['sleep', '3600']
    const key = { name: 'A', valueFrom: { configMapKeyRef: { name: 'late', key: 'a' } } }
    const volume = {
      volumes: [{ name: 'v', configMap: { name: 'late' } }],
      containers: [{ name: 'main', image: 'host', command, volumeMounts: [{ name: 'v', mountPath: '/tmp/late' }] }],
    }
    await apply(pod('late-key', { command, env: [key] }))
    await apply(pod('late-all', { command, envFrom: [{ configMapRef: { name: 'late' } }] }))
    await apply(pod('late-volume', {}, volume))
    for (const name of ['late-key', 'late-all']) {
      const { waiting } = await until('its status says so', async () => {
        const state = (await status(cluster, name)).containerStatuses?.[0]?.state
        return state?.waiting?.reason === 'CreateContainerConfigError' && state
      })
      assert.equal(waiting?.message, 'configmap "late" not found')
      const failure = 'Error: configmap "late" not found'
      await told(cluster, name, ({ reason, message }) => reason === 'Failed' && message === failure)
    }
    const failure = 'MountVolume.SetUp failed for volume "v" : configmap "late" not found'
    await told(cluster, 'late-volume', ({ reason, message }) => reason === 'FailedMount' && message === failure)
    const names = ['late-key', 'late-all', 'late-volume']
    await cluster.kubectl(['create', 'configmap', 'late', '--from-literal=a=1'])
    await cluster.kubectl(['wait', '--for=condition=Ready', '--timeout=120s', ...names.map(name => `pod/${name}`)])
    assert.equal(await cluster.kubectl(['exec', 'late-key', '--', 'sh', '-c', 'echo $A']), '1\n')
    await cluster.kubectl(['delete', 'pod', ...names])
  })

  await step('a process that forks and ignores SIGTERM is gone after its grace', async () => {
    const stubborn = `trap '' TERM; (setsid sh -c "trap '' TERM; while :; do sleep 1; done" &) ; (while :; do sleep 1; done) & while :; do sleep 1; done`
    await apply(pod('stubborn', { command: ['sh', '-c', stubborn] }, { terminationGracePeriodSeconds: 2 }))
    await cluster.kubectl(['wait', '--for=condition=Ready', 'pod/stubborn', '--timeout=120s'])
    await until('it has forked', async () => processesWith('HOSTNAME', 'stubborn').length >= 5)
    const began = Date.now()
    await cluster.kubectl(['delete', 'pod', 'stubborn', '--timeout=120s'])
    const took = Date.now() - began
    // Without its own, it would have a grace of 30 s.
    assert.ok(took > 1500 && took < 28_000, `the pod took ${took} ms to go`)
    assert.deepEqual(processesWith('HOSTNAME', 'stubborn'), [])
  })

  await step('rubbish on the TLS port, before and after the handshake', async () => {
    for (const rubbish of ['GET / HTTP/1.1\r\n\r\n', '\x16\x03\x01\xff\xff', '\0'.repeat(100_000), 'SSH-2.0-x\r\n'])
      await sendAndEnd(await plain(api.host, api.port), rubbish)
    for (const rubbish of ['\0\0\0', 'GET\r\n\r\n', `GET / HTTP/1.1\r\n${'x: y\r\n'.repeat(20_000)}\r\n`])
      await sendAndEnd(await api.connect(), rubbish)
  })

  await step('rubbish in a WebSocket', async () => {
    for (const rubbish of [Buffer.alloc(64, 0xff), Buffer.from([0x82, 0xff, 255, 255, 255, 255, 255, 255, 255, 255])]) {
      const socket = await api.connect()
      const name = (await cluster.kubectl(['get', 'pods', '-l', 'app=canary', '-o', 'name'])).trim().split('/')[1]
      socket.write(
        `GET ${PODS}/${name}/exec?command=cat&stdin=true&stdout=true HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n`,
      )
      const head = await new Promise<Buffer>(resolve => socket.once('data', resolve))
      assert.match(head.toString('latin1'), /^HTTP\/1\.1 101 /)
      await sendAndEnd(socket, rubbish)
    }
  })

  await step('200 connections that never finish their request', async () => {
    const sockets: TLSSocket[] = []
    t.after(() => {
      for (const socket of sockets) socket.destroy()
    })
    for (let i = 0; i < 200; i++) {
      const socket = await api.connect()
      socket.on('error', () => {})
      socket.write(`POST ${CONFIG_MAPS} HTTP/1.1\r\nHost: x\r\nContent-Le`)
      sockets.push(socket)
    }
    const began = Date.now()
    await cluster.kubectl(['get', 'pods'])
    assert.ok(Date.now() - began < 15_000, `kubectl took ${Date.now() - began} ms beside them`)
    await unharmed()
    for (const socket of sockets) socket.destroy()
  })
})

/** YAML whose aliases unfold to 9^9 texts. */
function bomb(): string {
  const nine = (item: string) => `[${Array(9).fill(item).join(',')}]`
  const lines = ['a0: &a0 x']
  for (let i = 1; i <= 9; i++) lines.push(`a${i}: &a${i} ${nine(`*a${i - 1}`)}`)
  return lines.join('\n')
}

async function plain(host: string, port: number) {
  const { connect } = await import('node:net')
  const socket = connect(port, host)
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  return socket
}

/** Sends rubbish and waits until the other side ends the connection, which it must within seconds. */
async function sendAndEnd(socket: NodeJS.ReadWriteStream & { destroy(): unknown }, rubbish: string | Buffer) {
  const ended = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`still open after ${rubbish.slice(0, 20)}`)), 10_000)
    socket.on('error', () => {})
    socket.once('close', () => {
      clearTimeout(timer)
      resolve()
    })
  })
  socket.resume()
  socket.write(rubbish)
  await ended.finally(() => socket.destroy())
}
