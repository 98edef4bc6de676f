import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ConfigMap, Container, Pod, Secret } from '../../api/generated/types/core-v1.ts'
import { environmentOf, expand } from './env.ts'

describe('expand', () => {
  const known = { A: 'one', B: '$(A)', 'C.d': 'dotted' }
  const cases: [string, string][] = [
    ['$(A)', 'one'],
    ['x-$(A)-$(A)', 'x-one-one'],
    ['$(B)', '$(A)'],
    ['$(C.d)', 'dotted'],
    ['$(UNKNOWN)', '$(UNKNOWN)'],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$one'],
    ['$A', '$A'],
    ['100$', '100$'],
    ['$(', '$('],
  ]
  for (const [text, expected] of cases) {
    it(`expand makes ${expected} of ${text}`, () => assert.equal(expand(text, known), expected))
  }
})

describe('environmentOf', () => {
  const pod: Pod = {
    metadata: { name: 'p', namespace: 'ns', uid: 'u', labels: { app: 'web' } },
    spec: { nodeName: 'n1', containers: [] },
  }
  const objects = {
    configMap: (name: string): ConfigMap | undefined =>
      name === 'conf' ? { data: { k: 'v', other: 'w' } } : undefined,
    secret: (name: string): Secret | undefined =>
      name === 'sec' ? { data: { k: Buffer.from('s').toString('base64') } } : undefined,
  }
  const context = {
    objects,
    addresses: { podIPs: ['10.0.0.2'], hostIPs: ['10.0.0.1'] },
    allocatable: { cpu: '4', memory: '8Gi' },
    services: { WEB_SERVICE_HOST: '10.96.0.7' },
  }
  const of = (container: Partial<Container>) => {
    const made: Container = { name: 'c', ...container }
    return environmentOf({ ...pod, spec: { ...pod.spec, containers: [made] } }, made, context)
  }

  it('environmentOf lets env win over envFrom, and both over services', () => {
    const env = of({
      envFrom: [{ configMapRef: { name: 'conf' }, prefix: 'P_' }, { secretRef: { name: 'sec' } }],
      env: [
        { name: 'P_k', value: 'own' },
        { name: 'URL', value: 'http://$(WEB_SERVICE_HOST)/$(k)' },
        { name: 'WEB_SERVICE_HOST', value: 'overridden' },
      ],
    })
    assert.deepEqual(env, {
      WEB_SERVICE_HOST: 'overridden',
      P_k: 'own',
      P_other: 'w',
      k: 's',
      URL: 'http://10.96.0.7/s',
    })
  })

  const values: [string, object, string][] = [
    ['metadata.name', { fieldRef: { fieldPath: 'metadata.name' } }, 'p'],
    ['a label', { fieldRef: { fieldPath: "metadata.labels['app']" } }, 'web'],
    ['status.podIP', { fieldRef: { fieldPath: 'status.podIP' } }, '10.0.0.2'],
    ['status.hostIP', { fieldRef: { fieldPath: 'status.hostIP' } }, '10.0.0.1'],
    ['a limit in units', { resourceFieldRef: { resource: 'limits.cpu' } }, '2'],
    ['a limit by a divisor', { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } }, '1500'],
    ['memory by a divisor', { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } }, '64'],
    ['what the node has where no limit is set', { resourceFieldRef: { resource: 'limits.ephemeral-storage' } }, '0'],
    ['a secret', { secretKeyRef: { name: 'sec', key: 'k' } }, 's'],
  ]
  for (const [title, valueFrom, expected] of values) {
    it(`environmentOf gives ${title}`, () => {
      const env = of({ resources: { limits: { cpu: '1500m', memory: '64Mi' } }, env: [{ name: 'X', valueFrom }] })
      assert.equal(env.X, expected)
    })
  }

  const problems: [Partial<Container>, string][] = [
    [{ env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'no', key: 'k' } } }] }, 'configmap "no" not found'],
    [{ env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'no', key: 'k' } } }] }, 'secret "no" not found'],
    [
      { env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'conf', key: 'no' } } }] },
      "couldn't find key no in ConfigMap ns/conf",
    ],
    [
      { env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'sec', key: 'no' } } }] },
      "couldn't find key no in Secret ns/sec",
    ],
    [{ envFrom: [{ configMapRef: { name: 'no' } }] }, 'configmap "no" not found'],
  ]
  for (const [container, message] of problems) {
    it(`environmentOf says: ${message}`, () => assert.throws(() => of(container), { message }))
  }

  it('environmentOf leaves out what is optional', () => {
    const env = of({
      envFrom: [{ secretRef: { name: 'no', optional: true } }],
      env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'conf', key: 'no', optional: true } } }],
    })
    assert.deepEqual(env, context.services)
  })
})
