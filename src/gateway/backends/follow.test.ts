import assert from 'node:assert/strict'
import { test } from 'node:test'
import { routeTo, testServices } from '../proxy/gateway.fixture.ts'
import { followTargets } from './follow.ts'

for (const [appProtocol, expected] of [
  [undefined, 'http'],
  ['example.com/x', 'http'],
  ['constructor', 'http'],
  ['https', 'https'],
  ['kubernetes.io/wss', 'https'],
  ['kubernetes.io/h2c', 'h2c'],
] as const)
  test(`followTargets takes ${expected} for what backends of a port speak whose protocol is ${appProtocol}`, t => {
    const services = testServices()
    services.set('web', [{ host: '10.0.0.1', port: 8080 }], {
      ports: [{ port: 80, ...(appProtocol && { appProtocol }) }],
    })
    const targets = followTargets(services, () => {})
    t.after(targets.close)
    const [[, addresses] = []] = targets.use([routeTo('web').target!])
    assert.deepEqual(addresses, [{ host: '10.0.0.1', port: 8080, external: false, protocol: expected }])
  })
