import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serviceVariables } from './service-env.ts'

const service = (name: string, spec: object) => ({ metadata: { name, namespace: 'default' }, spec })
const db = service('my-db', {
  clusterIP: '10.96.0.7',
  ports: [
    { name: 'sql-port', port: 5432 },
    { name: 'stats', port: 9000, protocol: 'UDP' as const },
  ],
})

test('serviceVariables names services and their ports as Kubernetes and Docker links do', () => {
  assert.deepEqual(
    serviceVariables([db], () => undefined),
    {
      MY_DB_SERVICE_HOST: '10.96.0.7',
      MY_DB_SERVICE_PORT: '5432',
      MY_DB_SERVICE_PORT_SQL_PORT: '5432',
      MY_DB_SERVICE_PORT_STATS: '9000',
      MY_DB_PORT: 'tcp://10.96.0.7:5432',
      MY_DB_PORT_5432_TCP: 'tcp://10.96.0.7:5432',
      MY_DB_PORT_5432_TCP_PROTO: 'tcp',
      MY_DB_PORT_5432_TCP_PORT: '5432',
      MY_DB_PORT_5432_TCP_ADDR: '10.96.0.7',
      MY_DB_PORT_9000_UDP: 'udp://10.96.0.7:9000',
      MY_DB_PORT_9000_UDP_PROTO: 'udp',
      MY_DB_PORT_9000_UDP_PORT: '9000',
      MY_DB_PORT_9000_UDP_ADDR: '10.96.0.7',
    },
  )
})

test('serviceVariables points at the proxy where services have no address', () => {
  const env = serviceVariables([db], (key, port) =>
    key === 'default/my-db' && port === 5432 ? { host: '127.0.0.1', port: 15001 } : undefined,
  )
  assert.equal(env.MY_DB_SERVICE_HOST, '127.0.0.1')
  assert.equal(env.MY_DB_SERVICE_PORT, '15001')
  assert.equal(env.MY_DB_PORT_5432_TCP_PORT, '15001')
})

test('serviceVariables leaves out services without an address', () => {
  const others = [
    service('h', { clusterIP: 'None', ports: [{ port: 1 }] }),
    service('e', { type: 'ExternalName' as const, externalName: 'x' }),
  ]
  assert.deepEqual(
    serviceVariables(others, () => undefined),
    {},
  )
})
