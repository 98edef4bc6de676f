import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sendBeyondAnswer } from '../../lib/linger.fixture.ts'
import { silent } from '../../lib/log.ts'
import { makeTrust } from '../../lib/pki/trust.fixture.ts'
import { virtualClock } from '../../lib/virtual-clock.ts'
import { type NodeServerDeps, startNodeServer } from './server.ts'

test('startNodeServer has who still sends read that it is refused', async t => {
  const { authority, server } = await makeTrust()
  const own = await startNodeServer(
    { hosts: ['127.0.0.1'], port: 0, clientCa: authority.certificate, certificate: server },
    { nodeName: 'n1', clock: virtualClock(), logger: silent } as unknown as NodeServerDeps,
  )
  t.after(own.close)
  const to = { host: '127.0.0.1', port: own.port, ca: authority.certificate }
  assert.match(await sendBeyondAnswer(to, '/run', 0), /^HTTP\/1.1 401 [\s\S]*Unauthorized/)
})
