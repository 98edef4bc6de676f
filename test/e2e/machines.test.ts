/** Three machines: they join, share the work, are drained, cut off, and one dies; a shop answers all along. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { BUSYBOX, busyboxArchive, busyboxProblem } from '../../src/agent/runtimes/containerd/busybox.fixture.ts'
import { findPrograms } from '../../src/agent/runtimes/containerd/find.ts'
import { shimsOf } from '../../src/agent/runtimes/containerd/run-folder.ts'
import { findShims } from '../../src/agent/runtimes/containerd/shims.ts'
import type { Node, Pod } from '../../src/api/generated/types/core-v1.ts'
import type { Ingress } from '../../src/api/generated/types/networking-v1.ts'
import { isReady } from '../../src/api/kinds/core/ready.ts'
import { toolsMissing } from '../tools.ts'
import { until } from './load.ts'
import {
  type Customers,
  type Machine,
  type Machines,
  machinesMissing,
  startCustomers,
  startMachines,
} from './machines.ts'
import { processesWith } from './processes.ts'
import { webManifest } from './web.ts'

const PORT = 18_480
/** A machine that others use too may take long for anything. */
const LONG = 240_000
const UNREACHABLE = 'node.kubernetes.io/unreachable'
/** How long pods put up with a node that is lost, in seconds. */
const tolerations = [UNREACHABLE, 'node.kubernetes.io/not-ready'].map(key => ({
  key,
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds: 3,
}))

const found = await findPrograms(process.env.PATH ?? '')
/** Why no machine can run containers; undefined when it can. */
const containersMissing = ('missing' in found ? found.missing : undefined) ?? busyboxProblem()

describe('three machines', { skip: toolsMissing ?? machinesMissing ?? false }, () => {
  let machines: Machines
  let a: Machine
  let b: Machine
  let c: Machine
  /** It never gets in. */
  let stranger: Machine
  let command: string[]
  let customers: Customers

  const list = async <T>(...args: string[]): Promise<T[]> =>
    JSON.parse(await machines.kubectl(['get', ...args, '-o', 'json'])).items
  const nodes = () => list<Node>('nodes')
  const pods = (app: string) => list<Pod>('pods', '-l', `app=${app}`)
  const nodeOf = async ({ nodeName }: Machine) => (await nodes()).find(each => each.metadata?.name === nodeName)
  /** Waits for `count` pods that are ready, none of them on these machines. */
  const ready = (app: string, count: number, ...not: Machine[]) =>
    until(
      `${count} pods of ${app} are ready`,
      async () => {
        const good = (await pods(app)).filter(
          each =>
            isReady(each) &&
            !each.metadata?.deletionTimestamp &&
            !not.some(({ nodeName }) => nodeName === each.spec?.nodeName),
        )
        return good.length === count && good
      },
      LONG,
    )
  const must = async (machine: Machine, ...args: string[]) => {
    const { code, stdout, stderr } = await machine.tutti(...args)
    assert.equal(code, 0, `tutti ${args.join(' ')}: ${stdout}${stderr}`)
    return stdout
  }
  const token = async () => {
    const { token: text, server, caCertHash } = JSON.parse(await must(a, 'token', 'create', '--json'))
    return { text, server, caCertHash } as { text: string; server: string; caCertHash: string }
  }

  before(async () => {
    machines = await startMachines(4)
    ;[a, b, c, stranger] = machines.all as [Machine, Machine, Machine, Machine]
    const { address, nodeName } = a
    const own = ['--runtime', 'process', '--node-name', nodeName, '--kubeconfig', machines.kubeconfig]
    await must(a, 'up', '--advertise-address', address, ...own)
  })
  after(() => machines?.close())

  test('join makes a machine a node, by the command that token create prints', async () => {
    const printed = (await must(a, 'token', 'create')).trim()
    assert.match(printed, /^tutti join 192\.168\.77\.1:6443 --token \S{6}\.\S{16} --ca-cert-hash sha256:[0-9a-f]{64}$/)
    command = printed.split(' ').slice(1)
    const runtimeOf = (machine: Machine) => (machine === b && !containersMissing ? 'containerd' : 'process')
    await Promise.all(
      [b, c].map(each => must(each, ...command, '--node-name', each.nodeName, '--runtime', runtimeOf(each))),
    )
    const found = await nodes()
    assert.deepEqual(
      found.filter(isReady).map(each => each.metadata?.name),
      [a, b, c].map(each => each.nodeName),
    )
    assert.equal(new Set(found.map(each => each.spec?.podCIDR)).size, 3)
    const status = await must(b, 'status')
    assert.match(status, /a node of https:\/\/192\.168\.77\.1:6443/)
    assert.match(status, /Ready/)
    assert.match(await must(b, 'up'), /this machine is a node of/)
  })

  test('join says what is wrong, and what to do', async () => {
    const { text, server, caCertHash } = await token()
    const refused = async (expected: RegExp, ...args: string[]) => {
      // In folders of their own: they all try at once.
      const folder = join(machines.folder, `refused-${args.join('').length}-${expected.source.length}`)
      const { code, stderr } = await stranger.tutti('join', ...args, '--data-dir', folder)
      assert.equal(code, 1, stderr)
      assert.match(stderr, expected)
      assert.match(stderr, /tutti token create|--node-name|tutti status/)
    }
    const pinned = ['--ca-cert-hash', caCertHash]
    const [id = '', secret = ''] = text.split('.')
    const otherSecret = `${secret.startsWith('a') ? 'b' : 'a'}${secret.slice(1)}`
    await Promise.all([
      refused(
        /is another one than the cluster's .*its second part is wrong/,
        server,
        '--token',
        `${id}.${otherSecret}`,
        ...pinned,
      ),
      refused(/does not know the token zzzzzz/, server, '--token', `zzzzzz.${secret}`, ...pinned),
      refused(
        /is not the one that was pinned: it is sha256:/,
        server,
        '--token',
        text,
        '--ca-cert-hash',
        `sha256:${'0'.repeat(64)}`,
      ),
      refused(/nothing that speaks TLS answers at 192\.168\.77\.1:9/, `${a.address}:9`, '--token', text, ...pinned),
      refused(
        /has a node named "\S+-c" already, and it is Ready/,
        server,
        '--token',
        text,
        ...pinned,
        '--node-name',
        c.nodeName,
      ),
      refused(/is not pinned/, server, '--token', text),
      refused(/is no token/, server, '--token', 'abc', ...pinned),
    ])
  })

  test('the work is spread, and every machine reaches it', async () => {
    const manifest = JSON.parse(webManifest({ port: PORT, replicas: 6, graceSeconds: 60 }))
    const { spec } = manifest.items[1].spec.template
    Object.assign(spec, {
      tolerations,
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: 'kubernetes.io/hostname',
          whenUnsatisfiable: 'ScheduleAnyway',
          labelSelector: { matchLabels: { app: 'web' } },
        },
      ],
    })
    // Endpoints are taken out everywhere before a pod that ends stops answering.
    spec.containers[0].lifecycle = { preStop: { sleep: { seconds: 8 } } }
    await machines.kubectl(['apply', '-f', '-'], JSON.stringify(manifest))
    const found = await ready('web', 6)
    assert.equal(new Set(found.map(each => each.spec?.nodeName)).size, 3)
    const [service] = await list<{ spec: { clusterIP: string } }>('services', '-l', '!component')
    const url = `http://${service!.spec.clusterIP}:${PORT}/`
    for (const machine of [a, b, c]) {
      const hosts = new Set<string>()
      await until(
        `machine ${machine.nodeName} reaches all six`,
        async () => {
          const { stdout } = await machine.run('curl', ['-s', '-m', '10', url])
          if (stdout) hosts.add(JSON.parse(stdout).host)
          return hosts.size === 6
        },
        LONG,
      )
    }
    customers = startCustomers(a, `http://127.0.0.1:${PORT}/`)
  })

  test('every machine answers for an Ingress, and its status names them all', async () => {
    const backend = { service: { name: 'web', port: { number: PORT } } }
    const ingress = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'web' },
      spec: { rules: [{ host: 'web.example', http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }] },
    }
    await machines.kubectl(['apply', '-f', '-'], JSON.stringify(ingress))
    const addresses = [a, b, c].map(({ address }) => ({ ip: address }))
    await until(
      'the status names all machines',
      async () => {
        const [{ status } = {}] = await list<Ingress>('ingress')
        return isDeepStrictEqual(status?.loadBalancer?.ingress, addresses)
      },
      LONG,
    )
    for (const { address } of [a, b, c]) {
      const { stdout } = await b.run('curl', ['-s', '-m', '10', '-H', 'Host: web.example', `http://${address}/`])
      assert.match(stdout, /"version":"v1"/, address)
    }
    const counted = await machines.kubectl(['get', '--raw', `/api/v1/nodes/${b.nodeName}/proxy/metrics`])
    assert.match(counted, /^tutti_ingress_requests_total\{.*ingress="web".*code="200".*\} 1$/m)
    await machines.kubectl(['delete', 'ingress', 'web'])
  })

  test('logs, exec and names work on another machine', async () => {
    const there = (await pods('web')).find(each => each.spec?.nodeName === b.nodeName)
    const name = there?.metadata?.name ?? ''
    assert.match(await machines.kubectl(['logs', name]), /listening/)
    const ask = `curl -s -m 10 http://web.default.svc.cluster.local:${PORT}/`
    assert.match(await machines.kubectl(['exec', name, '--', 'sh', '-c', ask]), /"version":"v1"/)
  })

  test('containers run on a machine that joined, and outlive its program', {
    skip: containersMissing ?? false,
  }, async () => {
    const archive = join(machines.folder, 'busybox.tar')
    writeFileSync(archive, busyboxArchive())
    await must(a, 'image', 'import', archive)
    const script = 'echo hello >/tmp/index.html; exec httpd -f -p 8080 -h /tmp'
    const box = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'box', labels: { app: 'box' } },
      spec: {
        nodeSelector: { 'kubernetes.io/hostname': b.nodeName },
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: 'main',
            image: BUSYBOX,
            command: ['sh', '-c', script],
            readinessProbe: { httpGet: { port: 8080, path: '/index.html' }, periodSeconds: 1, timeoutSeconds: 10 },
          },
        ],
      },
    }
    await machines.kubectl(['apply', '-f', '-'], JSON.stringify(box))
    const [before] = await ready('box', 1)
    const [status] = before!.status?.containerStatuses ?? []
    assert.match(status?.containerID ?? '', /^containerd:/)
    const ask = async () =>
      (await a.run('curl', ['-s', '-m', '10', `http://${before!.status?.podIP}:8080/index.html`])).stdout
    assert.equal(await ask(), 'hello\n')
    process.kill(b.pid()!, 'SIGKILL')
    assert.equal(await ask(), 'hello\n')
    await must(b, 'up')
    const [after] = await ready('box', 1)
    const [again] = after!.status?.containerStatuses ?? []
    assert.deepEqual([again?.containerID, again?.restartCount], [status?.containerID, 0])
    assert.match(await machines.kubectl(['exec', 'box', '--', 'cat', '/tmp/index.html']), /hello/)
    await machines.kubectl(['delete', 'pod', 'box'])
  })

  test('drain moves the pods of a node, and no request fails', async () => {
    const { stderr, code } = await a.tutti('drain', b.nodeName)
    assert.equal(code, 0, stderr)
    assert.deepEqual(
      (await pods('web')).filter(each => each.spec?.nodeName === b.nodeName),
      [],
    )
    await ready('web', 6, b)
    assert.equal((await nodeOf(b))?.spec?.unschedulable, true)
    await must(a, 'uncordon', b.nodeName)
    const { lost, broken, late, answered } = await customers.stop()
    assert.deepEqual([lost, broken], [[], 0])
    assert.ok(answered > 10 * late, `${answered} requests were answered, ${late} tries were not in time`)
    customers = startCustomers(a, `http://127.0.0.1:${PORT}/`)
  })

  test('a node that is cut off for moments goes on as if nothing had been', async () => {
    const view = async () =>
      (await pods('web')).map(({ metadata, status }) => [metadata?.uid, status?.containerStatuses?.[0]?.restartCount])
    const before = await view()
    for (let times = 0; times < 5; times++) {
      await c.plug(false)
      await new Promise(resolve => setTimeout(resolve, 1500))
      await c.plug(true)
      await new Promise(resolve => setTimeout(resolve, 500))
    }
    assert.deepEqual(await view(), before)
    const there = (await pods('web')).find(each => each.spec?.nodeName === c.nodeName)
    await until(
      'its logs are read again',
      () => machines.kubectl(['logs', there?.metadata?.name ?? '']).catch(() => undefined),
      LONG,
    )
  })

  test('a machine that dies is tainted, its pods are replaced, and none runs twice', async () => {
    const folder = join(machines.folder, 'running')
    mkdirSync(folder)
    const log = join(folder, 'log')
    writeFileSync(log, '')
    // Two at a time could not both make the folder.
    const script = `mkdir ${folder}/$HOSTNAME || { echo double $HOSTNAME >> ${log}; exit 1; }; echo up $HOSTNAME >> ${log}; trap 'rmdir ${folder}/$HOSTNAME; exit 0' TERM; while true; do sleep 0.1; done`
    const set = {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'one' },
      spec: {
        serviceName: 'one',
        selector: { matchLabels: { app: 'one' } },
        template: {
          metadata: { labels: { app: 'one' } },
          spec: {
            runtimeClassName: 'process',
            terminationGracePeriodSeconds: 60,
            nodeSelector: { 'kubernetes.io/hostname': c.nodeName },
            tolerations,
            containers: [{ name: 'main', image: 'host', command: ['sh', '-c', script] }],
          },
        },
      },
    }
    await machines.kubectl(['apply', '-f', '-'], JSON.stringify(set))
    const [first] = await ready('one', 1)
    await c.plug(false)
    process.kill(c.pid()!, 'SIGKILL')

    await until(
      'the node is tainted',
      async () => {
        const taints = (await nodeOf(c))?.spec?.taints ?? []
        return taints.some(each => each.key === UNREACHABLE && each.effect === 'NoExecute')
      },
      LONG,
    )
    const condition = (await nodeOf(c))?.status?.conditions?.find(each => each.type === 'Ready')
    assert.deepEqual([condition?.status, condition?.reason], ['Unknown', 'NodeStatusUnknown'])
    await ready('web', 6, c)
    // Nobody knows whether it still runs: it is marked, and there is no other.
    const [waiting, ...others] = await until(
      'the pod of the set is marked',
      async () => {
        const found = await pods('one')
        return found[0]?.metadata?.deletionTimestamp !== undefined && found
      },
      LONG,
    )
    assert.deepEqual([waiting!.metadata?.uid, others], [first!.metadata?.uid, []])

    await c.plug(true)
    await must(c, 'up')
    const [second] = await until(
      'the pod of the set runs anew',
      async () => {
        const found = await ready('one', 1)
        return found[0]!.metadata?.uid !== first!.metadata?.uid && found
      },
      LONG,
    )
    assert.equal(second!.metadata?.name, first!.metadata?.name)
    assert.deepEqual(readFileSync(log, 'utf8').trim().split('\n'), ['up one-0', 'up one-0'])
    await until(
      'the node is well again',
      async () => {
        const node = await nodeOf(c)
        return node && isReady(node) && !node.spec?.taints?.length
      },
      LONG,
    )
    await until('what was replaced is gone', async () => (await pods('web')).length === 6, LONG)
    const { lost, answered } = await customers.stop()
    assert.deepEqual(lost, [])
    assert.ok(answered > 0)
  })

  test('a Node object that was deleted comes back, with its range', async () => {
    const before = await nodeOf(b)
    await machines.kubectl(['delete', 'node', b.nodeName])
    const again = await until(
      'the node is there again',
      async () => {
        const node = await nodeOf(b)
        return node && isReady(node) && node
      },
      LONG,
    )
    assert.notEqual(again.metadata?.uid, before?.metadata?.uid)
    assert.equal(again.spec?.podCIDR, before?.spec?.podCIDR)
  })

  test('a node whose server is gone is taken off its machine, with all that runs', async () => {
    const there = (await pods('web')).filter(each => each.spec?.nodeName === b.nodeName)
    assert.ok(there.length > 0, (await pods('web')).map(each => each.spec?.nodeName).join())
    for (const each of [a, b]) process.kill(each.pid()!, 'SIGKILL')
    assert.match(
      await must(b, 'delete', '--yes'),
      new RegExp(`is no node any more.* kubectl delete node ${b.nodeName}\n`),
    )
    for (const { metadata } of there) assert.deepEqual(processesWith('HOSTNAME', metadata?.name ?? ''), [])
    assert.deepEqual(findShims(shimsOf(join(b.dataDir, 'containerd')), false), [])
    const links = (await b.run('ip', ['-o', 'link'])).stdout.trim().split('\n')
    assert.deepEqual(
      links.map(line => /^\d+: ([^:@]+)/.exec(line)?.[1]),
      ['lo', 'eth0'],
    )
    assert.equal((await b.run('nft', ['list', 'tables'])).stdout, '')
    // The server comes back, for what follows.
    await must(a, 'up', '--runtime', 'process', '--kubeconfig', machines.kubeconfig)
  })
})
