import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ADMIN, startServer } from '../bootstrap/server.fixture.ts'
import type { AuthenticationConfiguration } from './configuration.ts'

/** Nobody answers there. */
const ISSUER = 'https://127.0.0.1:1'
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const token = `${part({ alg: 'RS256', kid: 'a' })}.${part({ iss: ISSUER, aud: 'tutti', sub: 'ann', exp: 4e9 })}.c2ln`

const knowing = (url: string): AuthenticationConfiguration => ({
  jwt: [{ issuer: { url, audiences: ['tutti'] }, claimMappings: { username: { claim: 'sub', prefix: '' } } }],
})

test('issuers of tokens are followed; a configuration that is wrong changes nothing', async () => {
  let use: ((next: AuthenticationConfiguration) => Promise<void>) | undefined
  let ended = false
  const follow = (next: typeof use) => {
    use = next
    return () => {
      ended = true
    }
  }
  const authentication = { configuration: knowing('https://other.example'), follow }
  const api = await startServer({ extensions: { authentication } })
  const review = async () => {
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } }
    const { object } = await api.send(ADMIN, 'POST', '/apis/authentication.k8s.io/v1/tokenreviews', body)
    return object.status.error as string
  }
  assert.doesNotMatch(await review(), /oidc/)
  await use!(knowing(ISSUER))
  assert.match(await review(), /oidc/)
  await assert.rejects(use!(knowing('http://plain.example')), /jwt\[0\]\.issuer\.url/)
  await assert.rejects(
    use!({ ...knowing('https://other.example'), anonymous: { enabled: true } }),
    /^Error: anonymous: Forbidden: changed from initial configuration file$/,
  )
  assert.match(await review(), /oidc/)
  await api.server.close()
  assert.equal(ended, true)
})
