import assert from 'node:assert/strict'
import { test } from 'node:test'
import { flattenedVerify } from 'jose'
import { ConfigMap } from '../../api/kinds/core/config-map.ts'
import { Secret } from '../../api/kinds/core/secret.ts'
import { createWorld } from '../../control/simulate.ts'
import { bootstrapSigner } from './controller.ts'
import { detachedSignature } from './sign.ts'

const MAP = 'kube-public/cluster-info'
const NOW = Date.UTC(2026, 0, 1)

function token(id: string, values: Record<string, string> = {}, name = `bootstrap-token-${id}`): Secret {
  const all = { 'token-id': id, 'token-secret': 'secret', 'usage-bootstrap-signing': 'true', ...values }
  const data = Object.fromEntries(Object.entries(all).map(([key, text]) => [key, Buffer.from(text).toString('base64')]))
  return { metadata: { namespace: 'kube-system', name }, type: 'bootstrap.kubernetes.io/token', data }
}

function start(data: Record<string, string>) {
  const world = createWorld()
  world.put<ConfigMap>(ConfigMap, { metadata: { namespace: 'kube-public', name: 'cluster-info' }, data })
  return {
    ...world,
    signed() {
      world.settle(bootstrapSigner, MAP, NOW)
      return world.list<ConfigMap>(ConfigMap)[0]!.data!
    },
  }
}

test('detachedSignature is one of HS256 that any library of JSON Web Signatures verifies', async () => {
  const text = 'apiVersion: v1\nkind: Config\n'
  const [header = '', , signature = ''] = detachedSignature(text, 'abcdef', '0123456789abcdef').split('.')
  const payload = Buffer.from(text).toString('base64url')
  const key = Buffer.from('0123456789abcdef')
  const { protectedHeader } = await flattenedVerify({ protected: header, payload, signature }, key)
  assert.deepEqual(protectedHeader, { alg: 'HS256', kid: 'abcdef' })
})

test('bootstrapSigner signs for tokens that may, and takes away what is no longer theirs', () => {
  const { put, remove, signed } = start({ kubeconfig: 'text', other: 'x', 'jws-kubeconfig-gone': 'old' })
  put<Secret>(Secret, token('aaaaaa'))
  put<Secret>(Secret, token('unsign', { 'usage-bootstrap-signing': 'false' }))
  put<Secret>(Secret, token('expire', { expiration: '2025-12-31T23:59:59Z' }))
  put<Secret>(Secret, token('naming', {}, 'bootstrap-token-other'))
  put<Secret>(Secret, token('nosecr', { 'token-secret': '' }))
  put<Secret>(Secret, { ...token('typing'), type: 'Opaque' })
  assert.deepEqual(signed(), {
    kubeconfig: 'text',
    other: 'x',
    'jws-kubeconfig-aaaaaa': detachedSignature('text', 'aaaaaa', 'secret'),
  })
  put<Secret>(Secret, token('bbbbbb', { expiration: '2026-01-01T00:00:01Z' }))
  remove(Secret, 'kube-system/bootstrap-token-aaaaaa')
  assert.deepEqual(Object.keys(signed()), ['kubeconfig', 'other', 'jws-kubeconfig-bbbbbb'])
})

test('bootstrapSigner leaves maps alone that have nothing to sign, and other maps', () => {
  const { put, list, settle, signed } = start({ other: 'x' })
  put<Secret>(Secret, token('aaaaaa'))
  assert.deepEqual(signed(), { other: 'x' })
  put<ConfigMap>(ConfigMap, { metadata: { namespace: 'default', name: 'cluster-info' }, data: { kubeconfig: 'text' } })
  settle(bootstrapSigner, 'default/cluster-info', NOW)
  const other = list<ConfigMap>(ConfigMap).find(each => each.metadata?.namespace === 'default')
  assert.deepEqual(other?.data, { kubeconfig: 'text' })
})
