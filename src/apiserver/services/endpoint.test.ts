import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Encoded } from '../../api/machinery/encoded.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import type { KindReader } from '../registry/registry.ts'
import { serviceResolver } from './endpoint.ts'

function reader(...objects: object[]): KindReader {
  const all = objects.map(each => new Encoded(Buffer.from(JSON.stringify(each)), 1))
  const named = (object: KubeObject, namespace: string) => object.metadata?.namespace === namespace
  return {
    get: (namespace, name) => all.find(({ value }) => named(value, namespace) && value.metadata?.name === name),
    list: (namespace = '') => all.filter(({ value }) => named(value, namespace)),
    onChange: () => () => {},
  }
}

const service = (name: string, spec: object) => ({ metadata: { namespace: 'n', name }, spec })

test('serviceResolver finds a ready endpoint by the name of the port, or says what is missing', () => {
  const services = reader(
    service('web', {
      ports: [
        { name: 'https', port: 443 },
        { name: 'other', port: 8443 },
      ],
    }),
    service('out', { type: 'ExternalName', externalName: 'hook.example.com' }),
    service('none', { ports: [{ port: 443 }] }),
  )
  const slices = reader({
    metadata: { namespace: 'n', name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
    ports: [
      { name: 'https', port: 9443 },
      { name: 'other', port: 9444 },
    ],
    endpoints: [
      { addresses: ['10.0.0.1'], conditions: { ready: false } },
      { addresses: ['10.0.0.2'], conditions: { ready: true } },
      { addresses: ['10.0.0.3'] },
    ],
  })
  const at = (number: number) => serviceResolver({ services, endpointSlices: slices, random: () => number })
  assert.deepEqual(at(0)('n', 'web', 443), { host: '10.0.0.2', port: 9443 })
  assert.deepEqual(at(0.99)('n', 'web', 8443), { host: '10.0.0.3', port: 9444 })
  assert.deepEqual(at(0)('n', 'out', 443), { host: 'hook.example.com', port: 443 })
  assert.throws(() => at(0)('n', 'no', 443), { message: 'service "no" not found' })
  assert.throws(() => at(0)('m', 'web', 443), { message: 'service "web" not found' })
  assert.throws(() => at(0)('n', 'web', 80), { message: 'no service port 80 found for service "web"' })
  assert.throws(() => at(0)('n', 'none', 443), { message: 'no endpoints available for service "none"' })
})
