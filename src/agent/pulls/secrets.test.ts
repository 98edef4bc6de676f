import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Secret } from '../../api/generated/types/core-v1.ts'
import { secretProofs } from './secrets.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')
const secret = (auths: object): Secret => ({
  type: 'kubernetes.io/dockerconfigjson',
  data: { '.dockerconfigjson': base64(JSON.stringify({ auths })) },
})
const entry = (username: string) => ({ username, password: 'p' })

test('secretProofs finds what is for an image, most particular first', () => {
  const secrets = [
    secret({
      'https://index.docker.io/v1/': entry('hub'),
      'registry.example.com': entry('host'),
      'registry.example.com/team': entry('team'),
      '*.example.com': entry('glob'),
      'registry.example.com:5000': entry('port'),
    }),
  ]
  for (const [image, users] of [
    ['nginx', ['hub']],
    ['registry.example.com/app', ['host', 'glob']],
    ['registry.example.com/team/app:1', ['team', 'host', 'glob']],
    ['registry.example.com/teams/app:1', ['host', 'glob']],
    ['registry.example.com:5000/app', ['port']],
    ['a.registry.example.com/app', []],
    ['Not An Image', []],
  ] as const)
    assert.deepEqual(
      secretProofs(secrets, image).map(each => each.credentials.username),
      users,
      image,
    )
})

test('secretProofs reads every form of proof, and passes over what it cannot read', () => {
  const secrets: Secret[] = [
    secret({ 'a.io': { auth: base64('user:pass:word') } }),
    { type: 'kubernetes.io/dockercfg', data: { '.dockercfg': base64(JSON.stringify({ 'a.io': entry('old') })) } },
    secret({ 'a.io': { identitytoken: 'token' } }),
    secret({ 'a.io': {} }),
    secret({ 'a.io': null }),
    secret({ 'a.io': 'user:pass' }),
    { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': base64('no json') } },
    { type: 'Opaque', data: {} },
  ]
  assert.deepEqual(
    secretProofs(secrets, 'a.io/x').map(each => each.credentials),
    [{ username: 'user', password: 'pass:word' }, { username: 'old', password: 'p' }, { token: 'token' }],
  )
})
