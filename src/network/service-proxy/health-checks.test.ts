import assert from 'node:assert/strict'
import { get } from 'node:http'
import { createServer } from 'node:net'
import { test } from 'node:test'
import type { Service } from '../../api/generated/types/core-v1.ts'
import type { EndpointSlice } from '../../api/generated/types/discovery-v1.ts'
import { silent } from '../../lib/log.ts'
import { createCatalog } from '../catalog.ts'
import { fixedInformer } from '../testing/fixed-informer.ts'
import { startHealthChecks } from './health-checks.ts'

/** A port that nobody has at the moment. */
const freePort = () =>
  new Promise<number>(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })

const ask = (port: number) =>
  new Promise<string>(resolve => {
    get({ host: '127.0.0.1', port, agent: false }, response => {
      let body = ''
      response.on('data', data => (body += data))
      response.on('end', () => {
        const { service, localEndpoints } = JSON.parse(body)
        const weight = response.headers['x-load-balancing-endpoint-weight']
        resolve(`${response.statusCode} ${service.namespace}/${service.name} ${localEndpoints} ${weight}`)
      })
    }).on('error', error => resolve((error as NodeJS.ErrnoException).code ?? ''))
  })

const service = (healthCheckNodePort: number, externalTrafficPolicy: 'Local' | 'Cluster'): Service => ({
  metadata: { name: 'web', namespace: 'default' },
  spec: { type: 'LoadBalancer', externalTrafficPolicy, healthCheckNodePort, clusterIP: '10.96.0.7' },
})
const slice = (...nodes: string[]): EndpointSlice => ({
  addressType: 'IPv4',
  metadata: { name: 'web-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
  endpoints: nodes.map((nodeName, n) => ({ addresses: [`10.244.0.${n}`], nodeName, conditions: { ready: true } })),
})

test('startHealthChecks answers for a service whose traffic stays on the node, and for no other', async () => {
  const services = fixedInformer<Service>()
  const endpointSlices = fixedInformer<EndpointSlice>()
  const scope = new AbortController()
  const catalog = createCatalog({ services, endpointSlices }, scope.signal)
  const checks = startHealthChecks(
    { catalog, place: () => ({ nodeName: 'a' }), hosts: ['127.0.0.1'], logger: silent },
    scope.signal,
  )
  const port = await freePort()
  const put = async (policy: 'Local' | 'Cluster', at = port) => {
    services.put(service(at, policy))
    await checks.idle()
  }
  await put('Local')
  assert.equal(await ask(port), '503 default/web 0 0')
  endpointSlices.put(slice('a', 'b', 'a'))
  assert.equal(await ask(port), '200 default/web 2 2')
  endpointSlices.put(slice('b'))
  assert.equal(await ask(port), '503 default/web 0 0')
  await put('Cluster')
  assert.equal(await ask(port), 'ECONNREFUSED')
  const other = await freePort()
  await put('Local', other)
  assert.equal(await ask(other), '503 default/web 0 0')
  services.remove('default/web')
  await checks.idle()
  assert.equal(await ask(other), 'ECONNREFUSED')
  checks.close()
})
