import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import type { JsonName } from '@peculiar/x509'
import { csr, pkcs10 } from '../../../src/apiserver/admission/certificate-request.fixture.ts'
import { createClient } from '../../../src/client/client.ts'
import { type Cluster, startCluster } from '../../../src/cmd/testing.ts'
import { certificateSubject } from '../../../src/lib/pki/subject.ts'
import type { Loose } from './start.ts'

const KUBELET = 'kubernetes.io/kube-apiserver-client-kubelet'
const CLIENT = 'kubernetes.io/kube-apiserver-client'
const SERVING = 'kubernetes.io/kubelet-serving'
const CLIENT_USAGES = ['digital signature', 'client auth']
const REQUESTS = '/apis/certificates.k8s.io/v1/certificatesigningrequests'

const node = (name: string): JsonName => [{ O: ['system:nodes'] }, { CN: [`system:node:${name}`] }]

const admin = { name: 'admin', groups: ['system:masters', 'system:authenticated'] }

/** Sends as a user; the answer is read loosely. */
const as =
  ({ server }: Cluster, user: { name: string; groups: string[] }) =>
  async (method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: object, contentType?: string) => {
    const transport = server.transport(user)
    const request = { method, path, ...(body && { body: structuredClone(body) }), ...(contentType && { contentType }) }
    return (await transport(request)) as { status: number; object: Loose }
  }

const approve = (cluster: Cluster, name: string) =>
  as(cluster, admin)(
    'PATCH',
    `${REQUESTS}/${name}/approval`,
    { status: { conditions: [{ type: 'Approved', status: 'True', reason: 'Test' }] } },
    'application/merge-patch+json',
  )

async function settled(cluster: Cluster, name: string, check: (status: Loose) => unknown): Promise<Loose> {
  let found: Loose
  await cluster.until(async () => {
    found = (await cluster.objects('CertificateSigningRequest').get({ name })) as Loose
    return Boolean(check(found.status ?? {}))
  })
  return found
}

const certificateOf = (request: Loose) => new X509Certificate(Buffer.from(request.status.certificate, 'base64'))

test('a node that asks for itself gets its certificate from the cluster’s authority', async () => {
  await using cluster = await startCluster()
  const send = as(cluster, { name: 'system:node:n7', groups: ['system:nodes', 'system:authenticated'] })
  const made = await send('POST', REQUESTS, csr('own', await pkcs10({ subject: node('n7') }), KUBELET, CLIENT_USAGES))
  assert.equal(made.status, 201, JSON.stringify(made.object))
  assert.equal(made.object.spec.username, 'system:node:n7')
  assert.deepEqual(made.object.spec.groups, ['system:nodes', 'system:authenticated'])
  const request = await settled(cluster, 'own', status => status.certificate)
  assert.match(request.status.conditions[0].message, /self kubelet client certificate/)
  const certificate = certificateOf(request)
  const authority = new X509Certificate((await cluster.authority()).certificate)
  assert.ok(certificate.checkIssued(authority) && certificate.verify(authority.publicKey))
  assert.deepEqual(certificateSubject(certificate.raw), {
    commonName: 'system:node:n7',
    organizations: ['system:nodes'],
  })
  assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.2'])
  assert.equal(certificate.ca, false)
})

test('a bootstrap token gets any node its certificate, and nobody else’s request is approved', async () => {
  await using cluster = await startCluster()
  const groups = ['system:bootstrappers', 'system:bootstrappers:tutti:default-node-token', 'system:authenticated']
  const bootstrap = { name: 'system:bootstrap:abcdef', groups }
  const send = as(cluster, bootstrap)
  const request = await pkcs10({ subject: node('n8') })
  const cases: [string, object][] = [
    ['good', csr('good', request, KUBELET, CLIENT_USAGES)],
    ['usage', csr('usage', request, KUBELET, [...CLIENT_USAGES, 'server auth'])],
    ['subject', csr('subject', await pkcs10({ subject: [{ CN: ['system:node:n8'] }] }), KUBELET, CLIENT_USAGES)],
    ['hosts', csr('hosts', await pkcs10({ subject: node('n8'), hosts: ['x.y'] }), KUBELET, CLIENT_USAGES)],
    ['other', csr('other', request, CLIENT, CLIENT_USAGES)],
  ]
  for (const [name, body] of cases) assert.equal((await send('POST', REQUESTS, body)).status, 201, name)
  await settled(cluster, 'good', status => status.certificate)
  for (const [name] of cases.slice(1)) {
    const { object } = await send('GET', `${REQUESTS}/${name}`)
    assert.equal(object.status.conditions, undefined, name)
  }
})

test('a node gets the certificate of its own traffic’s account, and of no other', async () => {
  await using cluster = await startCluster()
  const nodes = { name: 'system:node:n7', groups: ['system:nodes', 'system:authenticated'] }
  const traffic = (name: string, group = 'tutti:node-traffic'): JsonName => [
    { O: [group] },
    { CN: [`tutti:node-traffic:${name}`] },
  ]
  const send = as(cluster, nodes)
  const ask = async (name: string, subject: JsonName, more: object = {}, user = send) => {
    const body = csr(name, await pkcs10({ subject, ...more }), CLIENT, CLIENT_USAGES)
    assert.equal((await user('POST', REQUESTS, body)).status, 201, name)
  }
  await ask('another', traffic('n8'))
  await ask('masters', traffic('n7', 'system:nodes'))
  await ask('hosts', traffic('n7'), { hosts: ['x.y'] })
  await ask(
    'person',
    traffic('n7'),
    {},
    as(cluster, { name: 'ann', groups: ['system:masters', 'system:authenticated'] }),
  )
  await ask('own', traffic('n7'))
  const request = await settled(cluster, 'own', status => status.certificate)
  assert.deepEqual(certificateSubject(certificateOf(request).raw), {
    commonName: 'tutti:node-traffic:n7',
    organizations: ['tutti:node-traffic'],
  })
  const admins = as(cluster, admin)
  for (const name of ['another', 'masters', 'hosts', 'person']) {
    const { object } = await admins('GET', `${REQUESTS}/${name}`)
    assert.equal(object.status.conditions, undefined, name)
  }
})

test('an approved request is signed by its signer, for as long as it asks, or fails with the reason', async () => {
  await using cluster = await startCluster()
  const send = as(cluster, admin)
  const person = await pkcs10({ subject: [{ O: ['dev'] }, { CN: ['ann'] }] })
  const server = await pkcs10({ subject: node('n1'), hosts: ['n1.local'] })
  const cases: [object, RegExp | number][] = [
    [csr('client', person, CLIENT, ['client auth'], { expirationSeconds: 3600 }), 3600],
    [csr('serving', server, SERVING, ['digital signature', 'server auth']), 365 * 24 * 3600 - 300],
    [
      csr('usages', person, CLIENT, ['client auth', 'server auth']),
      /invalid usage for client certificate: server auth/,
    ],
    [csr('nohost', await pkcs10({ subject: node('n1') }), SERVING, ['server auth', 'digital signature']), /DNS or IP/],
  ]
  for (const [body, wanted] of cases) {
    const { name } = (body as { metadata: { name: string } }).metadata
    assert.equal((await send('POST', REQUESTS, body)).status, 201, name)
    const decided = await approve(cluster, name)
    assert.equal(decided.status, 200, JSON.stringify(decided.object))
    if (wanted instanceof RegExp) {
      const { status } = await settled(cluster, name, ({ conditions }) => conditions?.length === 2)
      assert.equal(status.conditions[1].type, 'Failed')
      assert.match(status.conditions[1].message, wanted)
      continue
    }
    const certificate = certificateOf(await settled(cluster, name, status => status.certificate))
    const seconds = (certificate.validToDate.getTime() - Date.now()) / 1000
    assert.ok(Math.abs(seconds - wanted) < 60, `${name}: ${seconds}`)
    if (name === 'serving') assert.ok(certificate.checkHost('n1.local'))
  }
  const foreign = csr('foreign', person, 'example.com/mine', ['any'])
  assert.equal((await send('POST', REQUESTS, foreign)).status, 201)
  await approve(cluster, 'foreign')
  await cluster.settle()
  assert.equal((await send('GET', `${REQUESTS}/foreign`)).object.status.certificate, undefined)
})

test('a request is decided through approval, signed through status, and otherwise stays as it was', async () => {
  await using cluster = await startCluster({ controllers: false })
  const send = as(cluster, admin)
  const body = csr('a', await pkcs10({ subject: [{ CN: ['ann'] }] }), 'example.com/mine', ['any'])
  assert.equal((await send('POST', REQUESTS, body)).status, 201)
  const patch = async (part: string, status: object) => {
    const path = `${REQUESTS}/a${part}`
    const { object } = await send('PATCH', path, { status }, 'application/merge-patch+json')
    return object
  }
  const conditions = (...types: string[]) => ({ conditions: types.map(type => ({ type, status: 'True' })) })
  const pem = Buffer.from((await cluster.authority()).certificate).toString('base64')
  const cases: [string, object, RegExp][] = [
    ['/status', conditions('Approved'), /updates may not add a condition of type "Approved"/],
    ['/approval', { conditions: [{ type: 'Approved', status: 'False' }] }, /supported values: "True"/],
    ['/approval', conditions('Approved', 'Denied'), /mutually exclusive/],
    ['/approval', conditions('X', 'X'), /Duplicate value: "X"/],
  ]
  for (const [part, status, message] of cases) assert.match((await patch(part, status)).message, message)
  assert.equal((await patch('', conditions('Approved'))).status.conditions, undefined)
  const approved = await patch('/approval', { ...conditions('Approved'), certificate: pem })
  assert.equal(approved.status.certificate, undefined)
  assert.match(approved.status.conditions[0].lastTransitionTime, /Z$/)
  assert.match((await patch('/approval', { conditions: [] })).message, /may not remove a condition of type "Approved"/)
  const text = (label: string) => Buffer.from(`-----BEGIN ${label}-----\nAAAA\n-----END ${label}-----\n`)
  for (const [certificate, message] of [
    ['AAAA', /at least one CERTIFICATE PEM block/],
    [text('PRIVATE KEY').toString('base64'), /only CERTIFICATE PEM blocks are allowed, found "PRIVATE KEY"/],
    [text('CERTIFICATE').toString('base64'), /status.certificate: Invalid value/],
  ] as const)
    assert.match((await patch('/status', { certificate })).message, message)
  assert.equal((await patch('/status', { certificate: pem })).status.certificate, pem)
  assert.match(
    (await patch('/status', { certificate: text('CERTIFICATE').toString('base64') })).message,
    /Invalid|modify/,
  )
})

test('a request that is none, or not signed by its key, is refused', async () => {
  await using cluster = await startCluster({ controllers: false })
  const send = as(cluster, admin)
  const good = Buffer.from(await pkcs10({ subject: [{ CN: ['ann'] }] }), 'base64').toString()
  const body = good.split('\n')
  const der = Buffer.from(body.slice(1, -1).join(''), 'base64')
  der[der.length - 5]! ^= 0xff
  const pem = (bytes: Buffer) =>
    `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
  const encode = (text: string) => Buffer.from(text).toString('base64')
  for (const [text, message] of [
    ['nothing', /PEM block type must be CERTIFICATE REQUEST/],
    [pem(Buffer.from('garbage')), /spec.request: Invalid value/],
    [pem(der), /spec.request: Invalid value/],
    [pem(der.subarray(0, 40)), /spec.request: Invalid value/],
  ] as const) {
    const { status, object } = await send('POST', REQUESTS, csr('x', encode(text), 'a.b/c', ['any']))
    assert.equal(status, 422, text)
    assert.match(object.message, message)
  }
})

test('old requests are cleaned away: an hour after the answer, a day without one', async () => {
  await using cluster = await startCluster({ clock: 'virtual', nodes: 0 })
  const client = createClient(cluster.transport)
  const request = await pkcs10({ subject: [{ CN: ['ann'] }] })
  const send = as(cluster, admin)
  await send('POST', REQUESTS, csr('pending', request, 'example.com/mine', ['any']))
  await send('POST', REQUESTS, csr('denied', request, 'example.com/mine', ['any']))
  await send(
    'PATCH',
    `${REQUESTS}/denied/approval`,
    { status: { conditions: [{ type: 'Denied', status: 'True' }] } },
    'application/merge-patch+json',
  )
  const left = async () => {
    const kind = cluster.server.registry.kind('certificates.k8s.io/v1/certificatesigningrequests')!
    return (await client.kind(kind).list()).items.map(each => each.metadata?.name)
  }
  await cluster.advance(59 * 60_000)
  assert.deepEqual(await left(), ['denied', 'pending'])
  await cluster.advance(2 * 60_000)
  assert.deepEqual(await left(), ['pending'])
  await cluster.advance(24 * 3_600_000)
  assert.deepEqual(await left(), [])
})
