import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ingress } from '../../api/kinds/networking/ingress.ts'
import { type IngressFacts, ingressFindings } from './ingress.ts'

const backend = (name: string, number = 80) => ({ service: { name, port: { number } } })
const served = { loadBalancer: { ingress: [{ ip: '127.0.0.1' }] } }
const ingress = (spec: Ingress['spec'], status: Ingress['status'] = served): Ingress => ({
  metadata: { name: 'web', namespace: 'default' },
  spec: { ingressClassName: 'tutti', ...spec },
  status: status!,
})
const facts: IngressFacts = {
  services: [
    { metadata: { name: 'ready' }, spec: { ports: [{ port: 80 }] } },
    { metadata: { name: 'idle' }, spec: { ports: [{ port: 80 }] } },
    { metadata: { name: 'out' }, spec: { type: 'ExternalName', externalName: 'example.com' } },
  ],
  slices: [
    {
      metadata: { name: 'ready-1', labels: { 'kubernetes.io/service-name': 'ready' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['192.0.2.1'], conditions: { ready: true } }],
    },
  ],
  secrets: ['cert'],
  classes: ['tutti'],
}
const causes = (one: Ingress) => ingressFindings(one, facts, 'ingress/web', 'default').map(({ cause }) => cause)

const cases: readonly [title: string, one: Ingress, causes: readonly string[]][] = [
  ['nothing of one that is served', ingress({ defaultBackend: backend('ready'), tls: [{ secretName: 'cert' }] }), []],
  ['nothing of a service that names a host', ingress({ defaultBackend: backend('out') }), []],
  ['its class', ingress({ ingressClassName: 'other' }), ['its class other is not there']],
  ['its service', ingress({ defaultBackend: backend('none') }), ['its service none is not there']],
  ['its port', ingress({ defaultBackend: backend('ready', 81) }), ['its service ready has no port 81']],
  ['its endpoints', ingress({ defaultBackend: backend('idle') }), ['its service idle has no ready endpoint']],
  ['its secret', ingress({ tls: [{ secretName: 'none' }] }), ['the secret none of its TLS is not there']],
  ['its controller', ingress({}, {}), ['no controller has taken it up']],
  [
    'a port of the machine',
    ingress(
      {},
      { loadBalancer: { ingress: [{ ip: 'x', ports: [{ port: 80, protocol: 'TCP', error: 'PortNotAvailable' }] }] } },
    ),
    ['a port of this machine could not be had'],
  ],
]
for (const [title, one, wanted] of cases) {
  test(`ingressFindings tells ${title}`, () => assert.deepEqual(causes(one), wanted))
}
