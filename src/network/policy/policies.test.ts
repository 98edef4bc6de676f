/** What policies allow and forbid, shown with real connections between pods in network namespaces. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Namespace, Pod } from '../../api/generated/types/core-v1.ts'
import type { NetworkPolicy, NetworkPolicySpec } from '../../api/generated/types/networking-v1.ts'
import type { Informers } from '../../client/informers.ts'
import { realClock } from '../../lib/clock.ts'
import { silent } from '../../lib/log.ts'
import { fixedInformer } from '../testing/fixed-informer.ts'
import { type Machine, makeMachine, startMachine } from '../testing/machine.ts'
import { inOwnNetwork } from '../testing/own-network.ts'
import { run } from '../tools/command.ts'
import { startNft } from '../tools/nft.ts'
import { dnsPlace } from './dns-place.ts'
import { type Policies, startPolicies } from './start.ts'

const NODE = '10.244.0.1'
const DNS_PORT = 10_053
const NAMES = ['web', 'db', 'other', 'outside', 'node'] as const
type Name = (typeof NAMES)[number]
/** web and db are in namespace alpha, other in beta; outside is no pod; node is this machine. */
const ADDRESSES: Readonly<Record<Name, string>> = {
  web: '10.244.0.5',
  db: '10.244.0.6',
  other: '10.244.0.7',
  outside: '192.168.99.2',
  node: NODE,
}

const pod = (name: Name, namespace: string, more: Partial<Pod['status']> = {}): Pod => ({
  metadata: { name, namespace, uid: `uid-${name}`, labels: { app: name } },
  spec: {
    nodeName: 'node-1',
    containers: [
      {
        name: 'main',
        ports: [
          { name: 'http', containerPort: 8080 },
          { name: 'probe', containerPort: 8080, protocol: 'UDP' },
          { name: 'admin', containerPort: 9090 },
        ],
      },
    ],
  },
  status: { podIPs: [{ ip: ADDRESSES[name] }], ...more },
})
const namespace = (name: string, labels: Record<string, string> = {}): Namespace => ({
  metadata: { name, labels: { 'kubernetes.io/metadata.name': name, ...labels } },
})
const policy = (spec: NetworkPolicySpec, name = 'p', where = 'alpha'): NetworkPolicy => ({
  metadata: { name, namespace: where },
  spec: { podSelector: {}, policyTypes: ['Ingress'], ...spec },
})
const app = (name: string) => ({ matchLabels: { app: name } })

/** `web>db:8080`: from, to, port; `u` for UDP. */
type Way = `${Name}>${Name}:${number}${'' | 'u'}`

interface Case {
  readonly title: string
  readonly policies: readonly NetworkPolicy[]
  readonly open: readonly Way[]
  readonly shut: readonly Way[]
}

const cases: readonly Case[] = [
  {
    title: 'without policies everybody reaches everybody',
    policies: [],
    open: ['web>db:8080', 'other>db:9090', 'outside>db:8080', 'db>outside:8080', 'web>db:8080u'],
    shut: [],
  },
  {
    title: 'default deny of ingress: nobody but the node and the pod itself',
    policies: [policy({})],
    open: ['node>db:8080', 'db>db:8080', 'db>other:8080', 'db>outside:8080', 'web>node:8080'],
    shut: ['web>db:8080', 'other>db:8080', 'outside>db:8080', 'web>db:8080u'],
  },
  {
    title: 'default deny of egress: not even the node and its DNS',
    policies: [policy({ policyTypes: ['Egress'] })],
    open: ['other>db:8080', 'outside>db:8080', 'node>db:8080', 'db>db:8080'],
    shut: ['db>other:8080', 'db>outside:8080', 'db>node:8080', `db>node:${DNS_PORT}u`, 'web>db:8080u'],
  },
  {
    title: 'an empty rule allows everything',
    policies: [policy({}), policy({ ingress: [{}] }, 'q')],
    open: ['web>db:8080', 'outside>db:9090'],
    shut: [],
  },
  {
    title: 'pods of the same namespace by their labels',
    policies: [policy({ podSelector: app('db'), ingress: [{ from: [{ podSelector: app('web') }] }] })],
    open: ['web>db:8080', 'web>db:9090', 'web>db:8080u', 'other>web:8080'],
    shut: ['other>db:8080', 'outside>db:8080'],
  },
  {
    title: 'a pod selector alone does not reach into another namespace',
    policies: [policy({ podSelector: app('db'), ingress: [{ from: [{ podSelector: app('other') }] }] })],
    open: [],
    shut: ['other>db:8080', 'web>db:8080'],
  },
  {
    title: 'namespaces by their labels',
    policies: [
      policy({
        ingress: [{ from: [{ namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'Exists' }] } }] }],
      }),
    ],
    open: ['other>db:8080'],
    shut: ['web>db:8080', 'outside>db:8080'],
  },
  {
    title: 'pods and namespaces together mean both, apart mean either',
    policies: [
      policy({
        podSelector: app('db'),
        ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: 'b' } }, podSelector: app('web') }] }],
      }),
      policy(
        {
          podSelector: app('web'),
          ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: 'b' } } }, { podSelector: app('db') }] }],
        },
        'q',
      ),
    ],
    open: ['other>web:8080', 'db>web:8080'],
    shut: ['other>db:8080', 'web>db:8080', 'outside>web:8080'],
  },
  {
    title: 'ranges of addresses, without some of them',
    policies: [
      policy({ podSelector: app('db'), ingress: [{ from: [{ ipBlock: { cidr: '192.168.0.0/16' } }] }] }),
      policy(
        {
          podSelector: app('web'),
          ingress: [{ from: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['192.168.99.0/24', '10.244.0.7/32'] } }] }],
        },
        'q',
      ),
    ],
    open: ['outside>db:8080', 'db>web:8080'],
    shut: ['web>db:8080', 'outside>web:8080', 'other>web:8080'],
  },
  {
    title: 'ports by number, protocol and range',
    policies: [
      policy({
        podSelector: app('db'),
        ingress: [{ ports: [{ protocol: 'TCP', port: 8080 }, { protocol: 'SCTP' }] }],
      }),
      policy({ podSelector: app('web'), ingress: [{ ports: [{ protocol: 'TCP', port: 9000, endPort: 9100 }] }] }, 'q'),
      policy({ ingress: [{ ports: [{ protocol: 'UDP' }] }] }, 'r', 'beta'),
    ],
    open: ['outside>db:8080', 'other>web:9090', 'web>other:8080u'],
    shut: ['outside>db:9090', 'web>db:8080u', 'other>web:8080', 'web>other:8080'],
  },
  {
    title: 'ports by name, at the pod that is the target',
    policies: [
      policy({ podSelector: app('db'), ingress: [{ ports: [{ protocol: 'TCP', port: 'admin' }] }] }),
      policy(
        {
          policyTypes: ['Egress'],
          egress: [{ to: [{ podSelector: {} }], ports: [{ protocol: 'TCP', port: 'http' }] }],
        },
        'q',
        'beta',
      ),
      policy({ podSelector: app('web'), ingress: [{ ports: [{ protocol: 'UDP', port: 'probe' }] }] }, 'r'),
    ],
    open: ['web>db:9090', 'outside>db:9090', 'outside>web:8080u'],
    shut: ['web>db:8080', 'outside>web:8080', 'other>web:9090'],
  },
  {
    title: 'egress to pods, ranges and ports',
    policies: [
      policy({
        podSelector: app('web'),
        policyTypes: ['Egress'],
        egress: [
          { to: [{ podSelector: app('db') }], ports: [{ protocol: 'TCP', port: 8080 }] },
          { to: [{ ipBlock: { cidr: '192.168.99.2/32' } }] },
        ],
      }),
    ],
    open: ['web>db:8080', 'web>outside:8080', 'web>outside:9090', 'db>other:8080'],
    shut: ['web>db:9090', 'web>other:8080', 'web>node:8080', `web>node:${DNS_PORT}u`],
  },
  {
    title: 'both ends must allow',
    policies: [
      policy({ podSelector: app('web'), policyTypes: ['Egress'], egress: [{ to: [{ podSelector: app('db') }] }] }),
      policy({ podSelector: app('db'), ingress: [{ ports: [{ protocol: 'TCP', port: 9090 }] }] }, 'q'),
    ],
    open: ['web>db:9090', 'other>db:9090'],
    shut: ['web>db:8080', 'web>other:8080'],
  },
  {
    title: "egress to the cluster's DNS as to the pod that it is elsewhere",
    policies: [
      policy({
        podSelector: app('web'),
        policyTypes: ['Egress'],
        egress: [
          {
            to: [
              {
                namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
                podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
              },
            ],
            ports: [{ protocol: 'UDP', port: 53 }],
          },
        ],
      }),
      policy(
        { podSelector: app('db'), policyTypes: ['Egress'], egress: [{ ports: [{ protocol: 'TCP', port: 53 }] }] },
        'q',
      ),
    ],
    open: [`web>node:${DNS_PORT}u`],
    shut: ['web>node:8080', 'web>db:8080', `db>node:${DNS_PORT}u`],
  },
  {
    title: 'a policy that names no type of egress leaves it alone',
    policies: [policy({ podSelector: app('web'), ingress: [], egress: [] })],
    open: ['web>db:8080'],
    shut: ['db>web:8080'],
  },
]

inOwnNetwork(import.meta.filename, 'startPolicies in a network of its own', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tutti-policies-'))
  const nft = startNft(directory)
  const scope = new AbortController()
  const machines = new Map<Name, Machine>()
  const pods = fixedInformer<Pod>([pod('web', 'alpha'), pod('db', 'alpha'), pod('other', 'beta')])
  const namespaces = fixedInformer<Namespace>([namespace('alpha'), namespace('beta', { team: 'b' })])
  const standing = fixedInformer<NetworkPolicy>()
  let policies: Policies

  before(async () => {
    await run('ip', ['-batch', '-'], `address add ${NODE}/32 dev lo\n`)
    writeFileSync('/proc/sys/net/ipv4/ip_forward', '1')
    for (const name of ['web', 'db', 'other'] as const)
      machines.set(
        name,
        await makeMachine(directory, {
          link: `tutti-${name}`,
          addresses: [`${ADDRESSES[name]}/32`],
          here: `route add ${ADDRESSES[name]}/32 dev tutti-${name} src ${NODE}`,
          there: `route add ${NODE}/32 dev eth0\nroute add default via ${NODE} dev eth0`,
        }),
      )
    machines.set(
      'outside',
      await makeMachine(directory, {
        link: 'outer',
        addresses: [`${ADDRESSES.outside}/24`],
        here: 'address add 192.168.99.1/24 dev outer',
        there: 'route add default via 192.168.99.1',
      }),
    )
    machines.set('node', startMachine())
    for (const [name, machine] of machines) {
      const host = ADDRESSES[name]
      await machine.serve(8080, name, { host })
      await machine.serve(9090, name, { host })
      await machine.serve(8080, name, { host, protocol: 'udp' })
    }
    await machines.get('node')!.serve(DNS_PORT, 'node', { host: NODE, protocol: 'udp' })
    const of = (kind: { plural: string }) =>
      ({ pods, namespaces, networkpolicies: standing })[kind.plural as 'pods'] as unknown
    policies = await startPolicies(
      {
        informers: { of } as unknown as Informers,
        nft,
        nodeName: 'node-1',
        family: 'IPv4',
        dns: dnsPlace(NODE, DNS_PORT, '10.96.0.10'),
        clock: realClock,
        logger: silent,
      },
      scope.signal,
    )
  })
  after(async () => {
    scope.abort()
    for (const machine of machines.values()) await machine.close()
    nft.close()
    rmSync(directory, { recursive: true, force: true })
  })

  async function goes(way: Way, expected: boolean): Promise<string | undefined> {
    const [, from, to, port, udp] = /^(\w+)>(\w+):(\d+)(u?)$/.exec(way)!
    const said = await machines
      .get(from as Name)!
      .ask(ADDRESSES[to as Name], Number(port), { protocol: udp ? 'udp' : 'tcp', silence: !expected })
    const open = said.startsWith(`${to} `)
    return open === expected ? undefined : `${way}: ${said}`
  }
  async function check({ open, shut }: Pick<Case, 'open' | 'shut'>) {
    const wrong = await Promise.all([...open.map(way => goes(way, true)), ...shut.map(way => goes(way, false))])
    assert.deepEqual(wrong.filter(Boolean), [])
  }
  async function set(wanted: readonly NetworkPolicy[]) {
    for (const { metadata } of standing.list()) standing.remove(`${metadata?.namespace}/${metadata?.name}`)
    for (const each of wanted) standing.put(each)
    await policies.idle()
  }

  for (const each of cases)
    test(`startPolicies: ${each.title}`, async () => {
      await set(each.policies)
      await check(each)
    })

  test('startPolicies follows labels of pods and namespaces, and pods that come and go', async () => {
    await set([
      policy({
        podSelector: app('db'),
        ingress: [
          { from: [{ podSelector: { matchLabels: { role: 'client' } } }] },
          { from: [{ namespaceSelector: { matchLabels: { trusted: 'yes' } } }] },
        ],
      }),
    ])
    await check({ open: [], shut: ['web>db:8080', 'other>db:8080'] })
    const web = pod('web', 'alpha')
    pods.put({ ...web, metadata: { ...web.metadata, labels: { role: 'client' } } })
    namespaces.put(namespace('beta', { trusted: 'yes' }))
    await policies.idle()
    await check({ open: ['web>db:8080', 'other>db:8080'], shut: ['outside>db:8080'] })
    pods.put(web)
    namespaces.put(namespace('beta', { team: 'b' }))
    await policies.idle()
    await check({ open: [], shut: ['web>db:8080', 'other>db:8080'] })
    // What has ended is no peer and is not isolated; its address may be another pod's.
    pods.put(pod('db', 'alpha', { phase: 'Succeeded' }))
    await policies.idle()
    await check({ open: ['web>db:8080'], shut: [] })
    pods.put(pod('db', 'alpha'))
    await policies.idle()
    await check({ open: [], shut: ['web>db:8080'] })
  })

  test('startPolicies leaves connections alone that stand when a policy comes', async () => {
    await set([])
    const question = { protocol: 'udp', from: 40_100 } as const
    const web = machines.get('web')!
    assert.match(await web.ask(ADDRESSES.db, 8080, question), /^db/)
    await set([policy({ podSelector: app('db') })])
    assert.match(await web.ask(ADDRESSES.db, 8080, question), /^db/)
    assert.equal(await web.ask(ADDRESSES.db, 8080, { ...question, from: 40_101, silence: true }), 'no answer')
  })

  test('protect holds a pod back until its policies hold, before the API knows its address', async () => {
    await set([policy({ podSelector: app('db') })])
    pods.remove('alpha/db')
    await policies.idle()
    await check({ open: ['web>db:8080'], shut: [] })
    const protecting = policies.protect({ uid: 'uid-db' }, [ADDRESSES.db])
    pods.put(pod('db', 'alpha', { podIPs: undefined as never }))
    await protecting
    await check({ open: ['node>db:8080'], shut: ['web>db:8080'] })
    pods.put(pod('db', 'alpha'))
    policies.release('uid-db')
  })

  test('startPolicies builds everything anew when the table was changed by hand', async () => {
    await set([policy({ podSelector: app('db') })])
    await run('nft', ['flush', 'ruleset'])
    await check({ open: ['web>db:8080'], shut: [] })
    standing.put(policy({ podSelector: app('web') }, 'q'))
    await policies.idle()
    await check({ open: ['web>other:8080'], shut: ['web>db:8080', 'db>web:8080'] })
  })

  test('startPolicies leaves nothing behind of policies that are gone', async () => {
    await set(
      cases.flatMap((each, n) =>
        each.policies.map(one => ({ ...one, metadata: { ...one.metadata, name: `${one.metadata?.name}${n}` } })),
      ),
    )
    await set([])
    const text = await run('nft', ['list', 'table', 'ip', 'tutti-policy'])
    assert.doesNotMatch(text, /peers-|named-|goto|elements|p\d/)
  })
})
