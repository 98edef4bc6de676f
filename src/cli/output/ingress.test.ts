import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ingress } from '../../api/kinds/networking/ingress.ts'
import { summarize } from './ingress.ts'

type Served = NonNullable<NonNullable<NonNullable<Ingress['status']>['loadBalancer']>['ingress']>

const ingress = (name: string, served?: Served): Ingress => ({
  metadata: { namespace: 'default', name },
  spec: { ingressClassName: 'tutti' },
  ...(served && { status: { loadBalancer: { ingress: served } } }),
})

test('summarize says nothing where there is no Ingress', () =>
  assert.deepEqual(summarize([]), { refused: [], waiting: [] }))

test('summarize names the usual ports where a status names none', () =>
  assert.deepEqual(summarize([ingress('a', [{ ip: '127.0.0.1' }]), ingress('b')]), {
    place: '127.0.0.1, ports 80 and 443',
    refused: [],
    waiting: ['default/b'],
  }))

test('summarize names no place where no port could be had', () => {
  const ports = [{ port: 80, protocol: 'TCP' as const, error: 'PortNotAvailable' }]
  assert.deepEqual(summarize([ingress('a', [{ ip: '127.0.0.1', ports }])]), { refused: [80], waiting: [] })
})

test('summarize tells ports that could not be had', () => {
  const ports = [
    { port: 8080, protocol: 'TCP' as const },
    { port: 443, protocol: 'TCP' as const, error: 'PortNotAvailable' },
  ]
  assert.deepEqual(summarize([ingress('a', [{ ip: '127.0.0.1', ports }])]), {
    place: '127.0.0.1, ports 8080',
    refused: [443],
    waiting: [],
  })
})
