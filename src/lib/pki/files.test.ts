import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createServer, type TLSSocket, connect as tlsConnect } from 'node:tls'
import { virtualClock } from '../virtual-clock.ts'
import { openPki } from './files.ts'
import { certificateSubject } from './subject.ts'

const base = mkdtempSync(join(tmpdir(), 'tutti-pki-'))
after(() => rmSync(base, { recursive: true, force: true }))

const DAY = 24 * 3600_000
const fixture = () => {
  const dir = join(mkdtempSync(join(base, 'own-')), 'pki')
  const clock = virtualClock(Date.now())
  return { dir, clock, open: (hosts: string[] = []) => openPki({ dir, clock, hosts }) }
}

test('openPki makes certificates that TLS accepts both ways, and the server reads the user from them', async () => {
  const pki = fixture().open(['shop.example', '10.1.2.3', 'fd00::a:1'])
  const ca = (await pki.authority()).certificate
  const own = await pki.server()
  const server = createServer({
    cert: own.certificate,
    key: own.key,
    ca,
    requestCert: true,
    rejectUnauthorized: true,
  })
  const seen = new Promise<Buffer>(resolve => {
    server.once('secureConnection', (socket: TLSSocket) => {
      resolve(socket.getPeerCertificate().raw)
      socket.end()
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const admin = await pki.admin()
  const client = tlsConnect({ port, host: '127.0.0.1', ca, cert: admin.certificate, key: admin.key })
  client.resume()
  assert.deepEqual(certificateSubject(await seen), {
    commonName: 'kubernetes-admin',
    organizations: ['system:masters'],
  })
  client.destroy()
  server.close()
  const certificate = new X509Certificate(own.certificate)
  for (const host of ['localhost', 'kubernetes.default.svc', 'shop.example']) assert.ok(certificate.checkHost(host))
  for (const ip of ['127.0.0.1', '::1', '10.96.0.1', '10.1.2.3', 'fd00::a:1']) assert.ok(certificate.checkIP(ip), ip)
})

test('openPki keeps files of mode 0600 and finds them again', async () => {
  const { dir, open } = fixture()
  const first = open()
  const [server, key] = [await first.server(), first.tokenKey()]
  assert.equal(statSync(dir).mode & 0o777, 0o700)
  for (const file of ['ca.key', 'ca.crt', 'apiserver.key', 'sa.key'])
    assert.equal(statSync(join(dir, file)).mode & 0o777, 0o600)
  assert.deepEqual(await open().server(), server)
  assert.equal(open().tokenKey(), key)
})

test('openPki makes a server certificate again for a new host, a near end or another authority', async () => {
  const { dir, clock, open } = fixture()
  const first = await open().server()
  assert.deepEqual(await open().server(), first)
  const second = await open(['new.example']).server()
  assert.notDeepEqual(second, first)
  await clock.advance(276 * DAY)
  const renewed = await open(['new.example']).server()
  assert.notDeepEqual(renewed, second)
  rmSync(join(dir, 'ca.crt'))
  rmSync(join(dir, 'ca.key'))
  assert.notDeepEqual(await open(['new.example']).server(), renewed)
})

test('openPki refuses an authority whose key is lost', async () => {
  const { dir, open } = fixture()
  await open().authority()
  rmSync(join(dir, 'ca.key'))
  await assert.rejects(open().authority(), /has no key beside it/)
})

test('node certificates name the node and its group', async () => {
  const { certificate } = await fixture().open().node('worker-1')
  assert.deepEqual(certificateSubject(new X509Certificate(certificate).raw), {
    commonName: 'system:node:worker-1',
    organizations: ['system:nodes'],
  })
})

test('openPki lets only its own authority vouch for the front proxy', async () => {
  const pki = fixture().open()
  const client = new X509Certificate((await pki.frontProxyClient()).certificate)
  assert.match(client.subject, /CN=front-proxy-client/)
  assert.ok(client.verify(new X509Certificate((await pki.frontProxyAuthority()).certificate).publicKey))
  assert.ok(!client.verify(new X509Certificate((await pki.authority()).certificate).publicKey))
})
