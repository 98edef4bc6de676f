/** Containers on the machine's containerd and runc, through the real program and kubectl; images are made here. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { BUSYBOX, busyboxArchive, busyboxProblem } from '../../src/agent/runtimes/containerd/busybox.fixture.ts'
import { findPrograms } from '../../src/agent/runtimes/containerd/find.ts'
import { toolsMissing } from '../tools.ts'
import { startE2eCluster } from './cluster.ts'
import { get, until } from './load.ts'
import { processesOf } from './processes.ts'

const found = await findPrograms(process.env.PATH ?? '')
const problem =
  toolsMissing ??
  (process.getuid?.() === 0 ? undefined : 'needs root') ??
  ('missing' in found ? found.missing : undefined) ??
  busyboxProblem()

const pod = (name: string, spec: object, ...containers: object[]) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: name } },
  spec: {
    terminationGracePeriodSeconds: 1,
    ...spec,
    containers: containers.map((each, at) => ({ name: `c${at}`, image: BUSYBOX, ...each })),
  },
})

test('pods run in containers', { skip: problem ?? false }, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-containers-'))
  const archive = join(folder, 'busybox.tar')
  writeFileSync(archive, busyboxArchive())
  const cluster = await startE2eCluster(['--runtime', 'containerd'])
  t.after(async () => {
    await cluster.delete()
    rmSync(folder, { recursive: true, force: true })
  })
  const { kubectl, tutti } = cluster
  const apply = (...objects: object[]) =>
    kubectl(['apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }) })
  const ready = (name: string) => kubectl(['wait', '--for=condition=Ready', `pod/${name}`, '--timeout=120s'])
  const field = (name: string, path: string) => kubectl(['get', 'pod', name, '-o', `jsonpath={${path}}`])

  await t.test('tutti image imports an archive, lists it and says what is wrong with another', async () => {
    assert.match((await tutti(['image', 'import', archive])).stdout, /docker\.io\/local\/busybox:1/)
    assert.match((await tutti(['image', 'list'])).stdout, /docker\.io\/local\/busybox:1\s+[0-9a-f]{12}/)
    writeFileSync(join(folder, 'junk.tar'), 'junk')
    const junk = await tutti(['image', 'import', join(folder, 'junk.tar')])
    assert.equal(junk.code, 1)
    assert.match(junk.stderr, /could not be imported/)
  })

  await apply(
    pod(
      'web',
      {},
      {
        command: ['sh', '-c', 'echo one; echo two >&2; echo hello > /tmp/index.html; exec httpd -f -p 8080 -h /tmp'],
        ports: [{ containerPort: 8080 }],
        readinessProbe: { httpGet: { port: 8080, path: '/index.html' }, periodSeconds: 1, timeoutSeconds: 10 },
        livenessProbe: { exec: { command: ['test', '-e', '/tmp/index.html'] }, periodSeconds: 1, timeoutSeconds: 10 },
      },
      { command: ['sleep', '100000'] },
    ),
    pod('once', { restartPolicy: 'Never' }, { command: ['sh', '-c', 'echo -n why > /dev/termination-log; exit 3'] }),
    // No class, and the image of the machine: a process beside them.
    pod('process', {}, { image: 'host', command: ['sleep', '100000'] }),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'site' },
      spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
    },
  )
  await Promise.all([ready('web'), ready('process')])

  await t.test('logs, exec with input, cp and port-forward reach into containers', async () => {
    assert.deepEqual((await kubectl(['logs', 'web', '-c', 'c0'])).trim().split('\n').sort(), ['one', 'two'])
    assert.equal(await kubectl(['exec', '-i', 'web', '-c', 'c1', '--', 'cat'], { input: 'typed' }), 'typed')
    const failed = await cluster.tryKubectl(['exec', 'web', '-c', 'c0', '--', 'sh', '-c', 'exit 7'])
    assert.equal(failed.code, 7)
    await kubectl(['cp', archive, 'web:/tmp/copy', '-c', 'c0'])
    const sum = await kubectl(['exec', 'web', '-c', 'c0', '--', 'wc', '-c', '/tmp/copy'])
    assert.equal(Number(sum.split(' ')[0]), readFileSync(archive).length)
    const forward = cluster.spawnKubectl(['port-forward', 'pod/web', ':8080'])
    t.after(() => forward.kill())
    let said = ''
    forward.stdout!.setEncoding('utf8').on('data', chunk => (said += chunk))
    await until('the port is forwarded', async () => /127\.0\.0\.1:\d+/.test(said))
    assert.equal(await get(`http://${/127\.0\.0\.1:\d+/.exec(said)![0]}/index.html`), 'hello\n')
  })

  await t.test('containers and processes share one network, with names of services', async () => {
    const ask = ['exec', 'web', '-c', 'c1', '--', 'wget', '-qO-', 'http://site/index.html']
    await until('the service has its pod', async () => (await cluster.tryKubectl(ask)).stdout === 'hello\n')
    const ip = await field('web', '.status.podIP')
    assert.match(ip, /^10\.244\./)
    assert.match(await field('web', '.status.containerStatuses[0].containerID'), /^containerd:\/\/[0-9a-f]{64}$/)
    assert.match(await field('process', '.status.containerStatuses[0].containerID'), /^process:\/\//)
  })

  await t.test('an end is told with its code, reason and message', async () => {
    await kubectl(['wait', '--for=jsonpath={.status.phase}=Failed', 'pod/once', '--timeout=120s'])
    const path = '.status.containerStatuses[0].state.terminated'
    assert.equal(await field('once', `${path}.exitCode`), '3')
    assert.equal(await field('once', `${path}.message`), 'why')
  })

  await t.test('an image that cannot be had, or says nothing to run, is refused with the reason', async () => {
    const bare = 'docker.io/local/bare:1'
    writeFileSync(join(folder, 'bare.tar'), busyboxArchive(bare, { Cmd: [] }))
    assert.equal((await tutti(['image', 'import', join(folder, 'bare.tar')])).code, 0)
    await apply(
      pod('never', {}, { image: 'nosuch:1', imagePullPolicy: 'Never' }),
      pod('refused', {}, { image: '127.0.0.1:1/nosuch:1' }),
      pod('bare', {}, { image: bare }),
    )
    for (const [name, reason] of [
      ['never', 'ErrImageNeverPull'],
      ['refused', 'ErrImagePull'],
      ['bare', 'CreateContainerError'],
    ])
      await until(`${name} waits for ${reason}`, async () => {
        const waiting = await field(name!, '.status.containerStatuses[0].state.waiting.reason')
        return waiting === reason || waiting === 'ImagePullBackOff'
      })
    assert.match(await field('bare', '.status.containerStatuses[0].state.waiting.message'), /no command specified/)
    await kubectl(['delete', 'pod', 'never', 'refused', 'bare'])
  })

  const restarts = async () => field('web', '.status.containerStatuses[*].restartCount')
  const ids = () => field('web', '.status.containerStatuses[*].containerID')
  const before = await ids()
  const pidFile = join(cluster.dataDir, 'containerd/pid')
  const pidOf = () => (JSON.parse(readFileSync(pidFile, 'utf8')) as { pid: number }).pid

  await t.test('containerd is killed: containers run on, and it is started again', async () => {
    const killed = pidOf()
    process.kill(killed, 'SIGKILL')
    await until('containerd runs again', async () => pidOf() !== killed)
    assert.equal((await kubectl(['exec', 'web', '-c', 'c1', '--', 'echo', 'back'])).trim(), 'back')
    await apply(pod('later', {}, { command: ['sleep', '100000'] }))
    await ready('later')
    assert.deepEqual([await ids(), await restarts()], [before, '0 0'])
  })

  await t.test('containerd is killed while thirty pods start: each starts, and nothing runs twice', async () => {
    const COMMAND = ['sleep', '77777']
    const { metadata, spec } = pod('many', {}, { command: COMMAND })
    await apply({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'many' },
      spec: {
        replicas: 30,
        selector: { matchLabels: { app: 'many' } },
        template: { metadata: { labels: metadata.labels }, spec },
      },
    })
    const many = (path: string) => kubectl(['get', 'pods', '-l', 'app=many', '-o', `jsonpath={.items[*]${path}}`])
    await until('the first of them run', async () => /running.*running/s.test(await many('.status.containerStatuses')))
    process.kill(pidOf(), 'SIGKILL')
    await kubectl(['rollout', 'status', 'deployment/many', '--timeout=280s'])
    // One whose start was cut off has had a start that failed.
    assert.match(await many('.status.containerStatuses[0].restartCount'), /^[01]( [01]){29}$/)
    assert.equal(processesOf(COMMAND).length, 30)
    await kubectl(['delete', 'deployment', 'many'])
    await until('they are gone', async () => processesOf(COMMAND).length === 0)
  })

  await t.test('Tutti is killed: containers run on and are found again', async () => {
    const containerd = pidOf()
    process.kill(cluster.pid(), 'SIGKILL')
    await until('Tutti has ended', async () => (await tutti(['status'])).code === 1)
    await cluster.up()
    assert.equal(pidOf(), containerd)
    await ready('web')
    assert.deepEqual([await ids(), await restarts()], [before, '0 0'])
    assert.equal(await kubectl(['exec', '-i', 'web', '-c', 'c1', '--', 'cat'], { input: 'again' }), 'again')
  })

  await t.test('what is deleted leaves no trace on the machine', async () => {
    const uid = await field('web', '.metadata.uid')
    await kubectl(['delete', 'pod', '--all', '--wait'])
    const groups = existsSync('/sys/fs/cgroup/cgroup.controllers') ? ['.'] : readdirSync('/sys/fs/cgroup')
    for (const group of groups) {
      const node = join('/sys/fs/cgroup', group, 'tutti')
      if (!existsSync(node)) continue
      await until(`no group of the pod is left in ${group}`, async () =>
        readdirSync(node, { recursive: true, encoding: 'utf8' }).every(name => !name.includes(uid)),
      )
    }
    await until('no folder of a pod is left', async () => readdirSync(join(cluster.dataDir, 'pods')).length === 0)
  })
})
