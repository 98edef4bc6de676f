import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ADMIN, startServer } from '../bootstrap/server.fixture.ts'

const PATH = '/api/v1/namespaces/default'

test('managedFields: what the server adds to a new object belongs to nobody', async () => {
  const api = await startServer()
  const asked = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { type: 'NodePort', ports: [{ port: 80 }] },
    status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } },
  }
  const { object } = await api.send(ADMIN, 'POST', `${PATH}/services`, asked, { query: { fieldManager: 'me' } })
  assert.ok(object.spec.clusterIP && object.spec.ports[0].nodePort, 'the server gave an address and a port')
  const [{ manager, fieldsV1 }] = object.metadata.managedFields
  assert.equal(manager, 'me')
  // As a Kubernetes 1.36 server records it: with the defaults, without clusterIP(s), IP families and nodePort.
  assert.deepEqual(fieldsV1, {
    'f:spec': {
      'f:externalTrafficPolicy': {},
      'f:internalTrafficPolicy': {},
      'f:ports': {
        '.': {},
        'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:port': {}, 'f:protocol': {}, 'f:targetPort': {} },
      },
      'f:sessionAffinity': {},
      'f:type': {},
    },
  })
  await api.server.close()
})

test('managedFields: what a change of type takes away or adds on the server is not owned by who changed the type', async () => {
  const api = await startServer()
  const asked = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { ports: [{ port: 80 }] } }
  await api.send(ADMIN, 'POST', `${PATH}/services`, asked, { query: { fieldManager: 'me' } })
  const merge = { contentType: 'application/merge-patch+json', query: { fieldManager: 'second' } }
  const patch = { spec: { type: 'NodePort' } }
  const { object } = await api.send(ADMIN, 'PATCH', `${PATH}/services/web`, patch, merge)
  assert.ok(object.spec.ports[0].nodePort)
  const entry = object.metadata.managedFields.find((each: { manager: string }) => each.manager === 'second')
  assert.deepEqual(entry.fieldsV1, { 'f:spec': { 'f:externalTrafficPolicy': {}, 'f:type': {} } })
  await api.server.close()
})
