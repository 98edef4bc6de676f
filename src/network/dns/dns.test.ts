import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { test } from 'node:test'
import packet, { type Answer, type Packet } from 'dns-packet'
import type { Service } from '../../api/generated/types/core-v1.ts'
import type { EndpointSlice } from '../../api/generated/types/discovery-v1.ts'
import { silent } from '../../lib/log.ts'
import { createCatalog } from '../catalog.ts'
import { fixedInformer } from '../testing/fixed-informer.ts'
import { createHandler } from './message.ts'
import { createNames } from './names.ts'
import { startDnsServer } from './server.ts'
import { nameServers } from './upstream.ts'

const service = (name: string, spec: Service['spec'], namespace = 'default'): Service => ({
  metadata: { name, namespace },
  spec: spec!,
})
const slice = (
  of: string,
  endpoints: EndpointSlice['endpoints'],
  ports: EndpointSlice['ports'] = [{ name: 'http', port: 8080, protocol: 'TCP' }],
): EndpointSlice => ({
  addressType: 'IPv4',
  metadata: { name: `${of}-1`, namespace: 'default', labels: { 'kubernetes.io/service-name': of } },
  endpoints: endpoints!,
  ports: ports!,
})

const services = fixedInformer<Service>([
  service('web', {
    clusterIP: '10.96.0.7',
    clusterIPs: ['10.96.0.7'],
    ports: [
      { name: 'http', port: 80 },
      { name: 'dns', port: 53, protocol: 'UDP' },
    ],
  }),
  service('dual', {
    clusterIP: '10.96.0.8',
    clusterIPs: ['10.96.0.8', 'fd00::8'],
    ports: [{ name: 'http', port: 80 }],
  }),
  service('six', { clusterIP: 'None', clusterIPs: ['None'] }),
  service('db', { clusterIP: 'None', clusterIPs: ['None'], ports: [{ name: 'http', port: 80 }] }),
  service('none', { clusterIP: 'None', clusterIPs: ['None'] }),
  service('early', { clusterIP: 'None', clusterIPs: ['None'], publishNotReadyAddresses: true }),
  service('out', { type: 'ExternalName', externalName: 'example.com' }),
  service('alias', { type: 'ExternalName', externalName: 'web.default.svc.cluster.local' }),
])
const slices = fixedInformer<EndpointSlice>([
  slice('db', [
    { addresses: ['10.244.0.5'], hostname: 'db-0', conditions: { ready: true } },
    { addresses: ['10.244.0.6'], conditions: { ready: true } },
    { addresses: ['10.244.0.9'], hostname: 'db-2', conditions: { ready: false } },
  ]),
  { ...slice('six', [{ addresses: ['fd01::5'] }, { addresses: ['fd01::6'], hostname: 'six-1' }]), addressType: 'IPv6' },
  slice('early', [{ addresses: ['10.244.0.8'], conditions: { ready: false } }], []),
])
const signal = new AbortController().signal
const catalog = createCatalog({ services, endpointSlices: slices }, signal)
const names = createNames(catalog, {
  domain: 'cluster.local',
  ranges: ['10.96.0.0/16', '10.244.0.0/24', 'fd00::/112', 'fd01::/64'],
  server: '10.96.0.10',
})
const handle = createHandler(names, 'cluster.local')

function ask(name: string, type: string, more: Partial<Packet> = {}): Packet {
  const handled = handle(packet.encode({ type: 'query', id: 7, flags: 256, questions: [{ type, name }], ...more }), {
    tcp: false,
  })
  assert.equal(handled.kind, 'answer')
  return packet.decode((handled as { bytes: Buffer }).bytes)
}

const short = ({ type, data }: Answer) => {
  if (type === 'SRV') {
    const { port, target } = data as { port: number; target: string }
    return `SRV ${port} ${target}`
  }
  if (type === 'SOA') return `SOA ${(data as { mname: string }).mname}`
  return `${type} ${type === 'TXT' ? String((data as Buffer[])[0]) : data}`
}

const cases: readonly [
  name: string,
  type: string,
  rcode: string,
  answers: readonly string[],
  additionals?: readonly string[],
][] = [
  ['web.default.svc.cluster.local', 'A', 'NOERROR', ['A 10.96.0.7']],
  ['WEB.default.svc.Cluster.local', 'A', 'NOERROR', ['A 10.96.0.7']],
  ['web.default.svc.cluster.local', 'AAAA', 'NOERROR', []],
  ['nope.default.svc.cluster.local', 'A', 'NXDOMAIN', []],
  ['default.svc.cluster.local', 'A', 'NOERROR', []],
  ['elsewhere.svc.cluster.local', 'A', 'NXDOMAIN', []],
  ['svc.cluster.local', 'A', 'NOERROR', []],
  ['cluster.local', 'A', 'NOERROR', []],
  ['google.com.default.svc.cluster.local', 'A', 'NXDOMAIN', []],
  ['db.default.svc.cluster.local', 'A', 'NOERROR', ['A 10.244.0.5', 'A 10.244.0.6']],
  ['db-0.db.default.svc.cluster.local', 'A', 'NOERROR', ['A 10.244.0.5']],
  ['10-244-0-6.db.default.svc.cluster.local', 'A', 'NOERROR', ['A 10.244.0.6']],
  ['db-2.db.default.svc.cluster.local', 'A', 'NXDOMAIN', []],
  ['none.default.svc.cluster.local', 'A', 'NXDOMAIN', []],
  ['early.default.svc.cluster.local', 'A', 'NOERROR', ['A 10.244.0.8']],
  [
    '_http._tcp.web.default.svc.cluster.local',
    'SRV',
    'NOERROR',
    ['SRV 80 web.default.svc.cluster.local'],
    ['A 10.96.0.7'],
  ],
  [
    '_dns._udp.web.default.svc.cluster.local',
    'SRV',
    'NOERROR',
    ['SRV 53 web.default.svc.cluster.local'],
    ['A 10.96.0.7'],
  ],
  ['_http._udp.web.default.svc.cluster.local', 'SRV', 'NXDOMAIN', []],
  [
    '_http._tcp.db.default.svc.cluster.local',
    'SRV',
    'NOERROR',
    ['SRV 8080 db-0.db.default.svc.cluster.local', 'SRV 8080 10-244-0-6.db.default.svc.cluster.local'],
    ['A 10.244.0.5', 'A 10.244.0.6'],
  ],
  ['out.default.svc.cluster.local', 'CNAME', 'NOERROR', ['CNAME example.com']],
  ['alias.default.svc.cluster.local', 'A', 'NOERROR', ['CNAME web.default.svc.cluster.local', 'A 10.96.0.7']],
  ['10-244-0-5.default.pod.cluster.local', 'A', 'NOERROR', ['A 10.244.0.5']],
  ['nonsense.default.pod.cluster.local', 'A', 'NXDOMAIN', []],
  ['7.0.96.10.in-addr.arpa', 'PTR', 'NOERROR', ['PTR web.default.svc.cluster.local']],
  ['5.0.244.10.in-addr.arpa', 'PTR', 'NOERROR', ['PTR db-0.db.default.svc.cluster.local']],
  ['99.0.244.10.in-addr.arpa', 'PTR', 'NXDOMAIN', []],
  ['dual.default.svc.cluster.local', 'A', 'NOERROR', ['A 10.96.0.8']],
  ['dual.default.svc.cluster.local', 'AAAA', 'NOERROR', ['AAAA fd00::8']],
  [
    '_http._tcp.dual.default.svc.cluster.local',
    'SRV',
    'NOERROR',
    ['SRV 80 dual.default.svc.cluster.local'],
    ['A 10.96.0.8', 'AAAA fd00::8'],
  ],
  ['six.default.svc.cluster.local', 'AAAA', 'NOERROR', ['AAAA fd01::5', 'AAAA fd01::6']],
  ['six.default.svc.cluster.local', 'A', 'NOERROR', []],
  ['six-1.six.default.svc.cluster.local', 'AAAA', 'NOERROR', ['AAAA fd01::6']],
  ['fd01--5.six.default.svc.cluster.local', 'AAAA', 'NOERROR', ['AAAA fd01::5']],
  ['fd01--5.default.pod.cluster.local', 'AAAA', 'NOERROR', ['AAAA fd01::5']],
  [`8.${'0.'.repeat(27)}0.0.d.f.ip6.arpa`, 'PTR', 'NOERROR', ['PTR dual.default.svc.cluster.local']],
  [`6.${'0.'.repeat(27)}1.0.d.f.ip6.arpa`, 'PTR', 'NOERROR', ['PTR six-1.six.default.svc.cluster.local']],
  ['cluster.local', 'SOA', 'NOERROR', ['SOA ns.dns.cluster.local']],
  ['cluster.local', 'NS', 'NOERROR', ['NS ns.dns.cluster.local'], ['A 10.96.0.10']],
  ['ns.dns.cluster.local', 'A', 'NOERROR', ['A 10.96.0.10']],
  ['dns-version.cluster.local', 'TXT', 'NOERROR', ['TXT 1.1.0']],
]

for (const [name, type, rcode, answers, additionals = []] of cases) {
  test(`createHandler answers ${type} ${name}: ${rcode} ${answers.join(', ')}`, () => {
    const reply = ask(name, type)
    assert.equal(reply.rcode, rcode)
    assert.equal(reply.id, 7)
    assert.deepEqual(reply.answers!.map(short), answers)
    assert.deepEqual(reply.additionals!.map(short), additionals)
    assert.ok(reply.answers!.every(({ ttl }) => ttl === 5))
    assert.equal(
      reply.authorities!.some(each => each.type === 'SOA'),
      answers.length === 0,
      'negative answers say for how long',
    )
  })
}

test('createHandler hands names of others on, and follows an ExternalName', () => {
  const of = (name: string, type = 'A') =>
    handle(packet.encode({ type: 'query', questions: [{ type, name }] }), { tcp: false }).kind
  assert.equal(of('example.com'), 'forward')
  assert.equal(of('1.1.168.192.in-addr.arpa', 'PTR'), 'forward')
  assert.equal(of('out.default.svc.cluster.local'), 'follow')
})

test('createHandler truncates what a UDP client cannot take, and not what it can', () => {
  const many = Array.from({ length: 60 }, (_, n) => ({ addresses: [`10.244.0.${n + 100}`] }))
  services.put(service('many', { clusterIP: 'None' }))
  slices.put(slice('many', many))
  const plain = ask('many.default.svc.cluster.local', 'A')
  assert.equal(plain.answers!.length, 0)
  assert.ok(plain.flags! & packet.TRUNCATED_RESPONSE)
  const roomy = ask('many.default.svc.cluster.local', 'A', {
    additionals: [{ type: 'OPT', name: '.', udpPayloadSize: 4096 } as Answer],
  })
  assert.ok(roomy.answers!.length === 60 || roomy.flags! & packet.TRUNCATED_RESPONSE)
  assert.ok(roomy.additionals!.some(({ type }) => type === 'OPT'))
})

test('createHandler answers FORMERR to what is no query and leaves answers alone', () => {
  const broken = handle(Buffer.from([0, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 63, 1]), { tcp: false })
  assert.equal(broken.kind === 'answer' && packet.decode(broken.bytes).rcode, 'FORMERR')
  assert.equal(handle(Buffer.from([1]), { tcp: false }).kind, 'ignore')
  assert.equal(handle(packet.encode({ type: 'response', id: 1 }), { tcp: false }).kind, 'ignore')
})

test('nameServers reads a resolv.conf and leaves out the cluster itself', () => {
  assert.deepEqual(nameServers('# x\nnameserver 1.2.3.4\n nameserver 10.96.0.10\nnameserver ::1\n', ['10.96.0.10']), [
    '1.2.3.4',
    '::1',
  ])
})

test('startDnsServer answers over UDP and TCP, and SERVFAIL where no server answers', async () => {
  const server = await startDnsServer('127.0.0.1', 0, {
    handle,
    upstream: { ask: async () => undefined, close() {} },
    logger: silent,
  })
  const query = (name: string) => packet.encode({ type: 'query', id: 9, flags: 256, questions: [{ type: 'A', name }] })
  const udp = (name: string) =>
    new Promise<Packet>(resolve => {
      const socket = createSocket('udp4')
      socket.on('message', bytes => {
        socket.close()
        resolve(packet.decode(bytes))
      })
      socket.send(query(name), server.port, '127.0.0.1')
    })
  assert.equal((await udp('web.default.svc.cluster.local')).answers?.[0]?.data, '10.96.0.7')
  const lost = await udp('example.com')
  assert.equal(lost.rcode, 'SERVFAIL')
  assert.equal(lost.id, 9)
  const overTcp = await new Promise<Packet>(resolve => {
    const socket = connect(server.port, '127.0.0.1')
    const bytes = query('many.default.svc.cluster.local')
    const length = Buffer.alloc(2)
    length.writeUInt16BE(bytes.length)
    // In two pieces, as networks have it.
    socket.write(length)
    socket.write(bytes)
    let read: Buffer = Buffer.alloc(0)
    socket.on('data', (data: Buffer) => {
      read = Buffer.concat([read, data])
      if (read.length < 2 + read.readUInt16BE(0)) return
      socket.destroy()
      resolve(packet.decode(read.subarray(2)))
    })
  })
  assert.equal(overTcp.answers?.length, 60)
  await server.close()
})
