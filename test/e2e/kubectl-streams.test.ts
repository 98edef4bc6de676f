/** What kubectl does over streams: terminals, logs, copies, forwarded ports, watches that outlive a crash. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { kubectlPath, toolsMissing } from '../tools.ts'
import { startE2eCluster } from './cluster.ts'
import { until } from './load.ts'
import { openTerminal, terminalsMissing } from './terminal.ts'

const spec = (...containers: object[]) => ({
  runtimeClassName: 'process',
  terminationGracePeriodSeconds: 1,
  containers: containers.map((container, at) => ({
    name: at === 0 ? 'main' : `other-${at}`,
    image: 'host',
    ...container,
  })),
})
const pod = (name: string, ...containers: object[]) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: name } },
  spec: spec(...containers),
})

const MEGABYTES = 20
/** Answers a GET with random bytes and their checksum, and a POST with the length and checksum of its body. */
const SERVER = `
const { createHash, randomBytes } = require('node:crypto')
require('node:http').createServer((request, response) => {
  const hash = createHash('sha256')
  if (request.method === 'GET') {
    const bytes = randomBytes(${MEGABYTES} << 20)
    return response.setHeader('x-sum', hash.update(bytes).digest('hex')).end(bytes)
  }
  request.on('data', chunk => hash.update(chunk)).on('end', () => response.end(hash.digest('hex')))
}).listen(Number(process.env.PORT ?? 8080))
`
const sum = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/** One request, the body in and out. */
const send = (port: number, body?: Buffer) =>
  new Promise<{ sum: string | undefined; body: Buffer }>((resolve, reject) => {
    const options = { port, host: '127.0.0.1', agent: false, method: body ? 'POST' : 'GET', timeout: 20_000 }
    const request = http.request(options, response => {
      const chunks: Buffer[] = []
      response.on('data', chunk => chunks.push(chunk))
      response.on('end', () => resolve({ sum: response.headers['x-sum'] as string, body: Buffer.concat(chunks) }))
      response.on('error', reject)
    })
    request.on('error', reject)
    request.on('timeout', () => request.destroy(new Error('nothing moved for 20 s')))
    request.end(body)
  })

test('kubectl over streams', { skip: toolsMissing ?? false }, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-streams-'))
  const cluster = await startE2eCluster()
  t.after(async () => {
    rmSync(folder, { recursive: true, force: true })
    await cluster.delete()
  })
  const kubectl = (line: string, input?: unknown) =>
    cluster.kubectl(line.split(' '), input === undefined ? {} : { input: JSON.stringify(input) })
  const terminal = (words: string[]) =>
    openTerminal([kubectlPath(), ...words], { ...process.env, KUBECONFIG: cluster.kubeconfig })
  /** kubectl in the background and what it has printed. */
  const follow = (line: string) => {
    const child = cluster.spawnKubectl(line.split(' '))
    const ended = new Promise<number | null>(resolve => child.on('exit', resolve))
    const printed = { text: '', ended, stop: () => child.kill() }
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', chunk => {
        printed.text += chunk
      })
    return printed
  }

  const noTerminal = { skip: terminalsMissing ?? false }
  const shell = { command: ['sh'], stdin: true, tty: true, env: [{ name: 'PS1', value: '% ' }] }
  await kubectl('apply -f -', pod('shell', shell, { command: ['sh', '-c', 'echo beside; exec sleep 3600'] }))
  await kubectl('wait --for=condition=Ready pod/shell --timeout=120s')

  await t.test('exec -it has a prompt, the size of the window, Ctrl-C and the exit code', noTerminal, async () => {
    const screen = await terminal(['exec', '-it', 'shell', '-c', 'main', '--', 'sh'])
    await screen.shows(/% $/)
    screen.type('stty size\r')
    await screen.shows(/24 80[\s\S]*% $/)
    await screen.resize(50, 132)
    await until('the shell has the new size', async () => {
      screen.type('stty size\r')
      return /50 132/.test(await screen.shows(/\d+ \d+\r\n[\s\S]*% $/))
    })
    screen.type('echo ready; sleep 1000\r')
    await screen.shows(/\nready\r\n/)
    screen.type('\x03')
    await screen.shows(/% $/)
    screen.type('echo code=$?\r')
    await screen.shows(/code=130/)
    screen.type('exit 5\r')
    assert.equal(await screen.ended, 5)
  })

  await t.test('attach -it talks with the main process', noTerminal, async () => {
    const screen = await terminal(['attach', '-it', 'shell', '-c', 'main'])
    await screen.shows(/try pressing enter/)
    screen.type('\r')
    await screen.shows(/% /)
    screen.type('echo $((6*7))\r')
    await screen.shows(/42/)
    screen.type('exit 3\r')
    await screen.ended
    await until('it was started again', async () =>
      /^1$/.test(
        await kubectl('get pod shell -o jsonpath={.status.containerStatuses[?(@.name=="main")].restartCount}'),
      ),
    )
    assert.match(await kubectl('logs shell -c main --previous'), /42/)
  })

  await t.test('run --rm -it is a shell that goes away', noTerminal, async () => {
    const overrides = '{"spec":{"runtimeClassName":"process"}}'
    const words = ['run', 'once', '--rm', '-it', '--image=host', '--restart=Never', `--overrides=${overrides}`]
    const screen = await terminal([...words, '--env=PS1=% ', '--command', '--', 'sh'])
    await screen.shows(/% $/)
    screen.type('echo $((6*7))\r')
    await screen.shows(/42/)
    screen.type('exit 4\r')
    await screen.shows(/pod "once" deleted/)
    assert.equal(await screen.ended, 4)
  })

  await t.test('logs of all containers, of a selector, since, with prefix, and followed to the end', async () => {
    assert.match(await kubectl('logs shell --all-containers'), /beside/)
    assert.match(await kubectl('logs -l app=shell --all-containers --prefix'), /\[pod\/shell\/other-1\] beside/)
    assert.equal(await kubectl('logs shell -c other-1 --since-time=2100-01-01T00:00:00Z'), '')
    assert.equal(await kubectl('logs shell -c other-1 --since=1h'), 'beside\n')
    const go = join(folder, 'go')
    const counting = `until [ -e ${go} ]; do sleep 0.02; done; i=0; while [ $i -lt 20 ]; do i=$((i+1)); echo line $i; sleep 0.05; done`
    await kubectl('apply -f -', {
      ...pod('counter'),
      spec: { ...spec({ command: ['sh', '-c', counting] }), restartPolicy: 'Never' },
    })
    await kubectl('wait --for=jsonpath={.status.phase}=Running pod/counter --timeout=120s')
    const followed = kubectl('logs -f counter')
    writeFileSync(go, '')
    assert.equal(await followed, Array.from({ length: 20 }, (_, at) => `line ${at + 1}\n`).join(''))
  })

  await t.test('cp carries folders and binary files in both directions', async () => {
    const bytes = randomBytes(3 << 20)
    const tree = join(folder, 'tree')
    mkdirSync(join(tree, 'deep/er'), { recursive: true })
    writeFileSync(join(tree, 'deep/er/bytes'), bytes)
    writeFileSync(join(tree, 'empty'), '')
    cpSync(tree, join(folder, 'kept'), { recursive: true })
    await cluster.kubectl(['cp', '-c', 'other-1', tree, `shell:${join(folder, 'remote')}`])
    assert.deepEqual(readFileSync(join(folder, 'remote/deep/er/bytes')), bytes)
    await cluster.kubectl(['cp', '-c', 'other-1', `shell:${join(folder, 'remote')}`, join(folder, 'back')])
    assert.deepEqual(readFileSync(join(folder, 'back/deep/er/bytes')), bytes)
    assert.equal(readFileSync(join(folder, 'back/empty'), 'utf8'), '')
  })

  await t.test(`port-forward carries ${MEGABYTES} MB both ways, to a pod, a deployment and a service`, async () => {
    const server = { command: [process.execPath, '-e', SERVER] }
    const ready = {
      readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1, timeoutSeconds: 10 },
      ports: [{ containerPort: 8080 }],
    }
    await kubectl('apply -f -', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'server' },
      spec: {
        selector: { matchLabels: { app: 'server' } },
        template: { metadata: { labels: { app: 'server' } }, spec: spec({ ...server, ...ready }) },
      },
    })
    await kubectl('expose deployment server --port=80 --target-port=8080')
    await kubectl('rollout status deployment/server --timeout=120s')
    const body = randomBytes(MEGABYTES << 20)
    const [name = ''] = (await kubectl('get pods -l app=server -o name')).split('\n')
    for (const target of [`${name} :8080`, 'deployment/server :8080', 'service/server :80']) {
      const forwarding = follow(`port-forward ${target}`)
      try {
        const port = await until(
          `${target} is forwarded`,
          async () => /Forwarding from 127\.0\.0\.1:(\d+)/.exec(forwarding.text)?.[1],
        )
        const down = await send(Number(port))
        assert.equal(down.body.length, MEGABYTES << 20, target)
        assert.equal(sum(down.body), down.sum, target)
        assert.equal((await send(Number(port), body)).body.toString(), sum(body), target)
      } finally {
        forwarding.stop()
      }
    }
  })

  await t.test('get --watch shows what happens; after a crash of the program a new one goes on', async () => {
    const events = follow('get events --watch')
    const pods = follow('get pods --watch --output-watch-events')
    await until('the pods are listed', async () => /ADDED\s+shell/.test(pods.text))
    await kubectl('apply -f -', pod('before', { command: ['sleep', '3600'] }))
    await until('the pod runs', async () => /MODIFIED\s+before\s+1\/1\s+Running/.test(pods.text))
    await until('its events', async () => /Started\s+pod\/before/.test(events.text))
    process.kill(cluster.pid(), 'SIGKILL')
    // kubectl does not connect again: as with a real server that dies, its watches end.
    assert.deepEqual(await Promise.all([pods.ended, events.ended]), [0, 0])
    await cluster.up()
    const after = follow('get pods --watch-only')
    await kubectl('apply -f -', pod('after', { command: ['sleep', '3600'] }))
    await until('a new watch sees the pod run', async () => {
      // The watch may begin when it runs already, and shows nothing but changes.
      await kubectl(`label pod after seen=${Date.now()} --overwrite`)
      return /after\s+1\/1\s+Running/.test(after.text)
    })
    assert.equal(await kubectl('get pod before -o jsonpath={.status.containerStatuses[0].restartCount}'), '0')
    after.stop()
  })
})
