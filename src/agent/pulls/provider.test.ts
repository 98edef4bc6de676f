import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { silent } from '../../lib/log.ts'
import { virtualClock } from '../../lib/virtual-clock.ts'
import { referenceOf } from '../images/reference.ts'
import { createCredentialProvider, type ProviderSettings } from './provider.ts'

const folder = mkdtempSync(join(tmpdir(), 'tutti-provider-'))
after(() => rmSync(folder, { recursive: true }))
const VERSION = 'credentialprovider.kubelet.k8s.io/v1'
let serial = 0

const response = (fields: object) => ({ kind: 'CredentialProviderResponse', apiVersion: VERSION, ...fields })
const AUTH = {
  'registry.example.com': { username: 'all', password: 'p' },
  'registry.example.com/team': { username: 'team', password: 'p' },
  'other.example.com': { username: 'other', password: 'p' },
}

/** A provider that runs a shell script, and what it was asked. */
function provider(script: string, more: Partial<ProviderSettings> = {}) {
  const place = join(folder, String(++serial))
  writeFileSync(place, `#!/bin/sh\ncat >>${place}.asked; echo >>${place}.asked\n${script}\n`)
  chmodSync(place, 0o755)
  const clock = virtualClock()
  const settings: ProviderSettings = {
    name: 'p',
    program: place,
    apiVersion: VERSION,
    args: [],
    env: {},
    matchImages: ['*.example.com'],
    defaultCacheMs: 0,
    ...more,
  }
  const made = createCredentialProvider(settings, { clock, logger: silent, signal: new AbortController().signal })
  return {
    clock,
    users: async (image: string) => (await made.credentials(image, referenceOf(image)!)).map(each => each.username),
    asked: () => readFileSync(`${place}.asked`, 'utf8').trim().split('\n'),
  }
}
const prints = (fields: object) => `echo '${JSON.stringify(response(fields))}'`

test('credentials asks the program about images that it is for, and gives the most particular first', async () => {
  const { users, asked } = provider(prints({ cacheKeyType: 'Image', auth: AUTH }))
  assert.deepEqual(await users('registry.example.com/team/app:1'), ['team', 'all'])
  assert.deepEqual(await users('nginx'), [])
  assert.deepEqual(asked(), [
    `{"kind":"CredentialProviderRequest","apiVersion":"${VERSION}","image":"registry.example.com/team/app:1"}`,
  ])
})

for (const [cacheKeyType, others] of [
  ['Image', 3],
  ['Registry', 2],
  ['Global', 1],
] as const)
  test(`credentials keeps an answer by ${cacheKeyType} for as long as it says`, async () => {
    const { users, asked, clock } = provider(prints({ cacheKeyType, cacheDuration: '10m', auth: AUTH }))
    await users('registry.example.com/app:1')
    assert.deepEqual(await users('registry.example.com/app:1'), ['all'])
    assert.equal(asked().length, 1)
    await users('registry.example.com/app:2')
    assert.deepEqual(await users('other.example.com/app:1'), ['other'])
    assert.equal(asked().length, others)
    await clock.advance(600_000)
    await users('registry.example.com/app:1')
    assert.equal(asked().length, others + 1)
  })

test('credentials keeps an answer without a time for the default, and one of no time not at all', async () => {
  for (const [fields, count] of [
    [{}, 1],
    [{ cacheDuration: '0s' }, 2],
  ] as const) {
    const { users, asked } = provider(prints({ cacheKeyType: 'Image', ...fields, auth: AUTH }), {
      defaultCacheMs: 1000,
    })
    await users('a.example.com/x')
    await users('a.example.com/x')
    assert.equal(asked().length, count)
  }
})

test('credentials asks once for those who ask at once', async () => {
  const { users, asked } = provider(prints({ cacheKeyType: 'Image', auth: AUTH }))
  await Promise.all([1, 2, 3].map(() => users('other.example.com/x')))
  assert.equal(asked().length, 1)
})

test('credentials gives the program its arguments and variables', async () => {
  const script = `test "$1 $MORE" = "one yes" && ${prints({ cacheKeyType: 'Image', auth: AUTH })}`
  const { users } = provider(script, { args: ['one'], env: { MORE: 'yes' } })
  assert.deepEqual(await users('other.example.com/x'), ['other'])
})

for (const [what, script] of [
  ['a program that fails', 'exit 3'],
  ['an answer that is no JSON', 'echo secret'],
  ['an answer of another version', prints({ apiVersion: `${VERSION}beta1`, cacheKeyType: 'Image', auth: AUTH })],
  ['an answer without a sort of cache', prints({ auth: AUTH })],
  ['an answer without end', 'exec cat /dev/zero'],
] as const)
  test(`credentials gives nothing for ${what}`, async () => {
    assert.deepEqual(await provider(script).users('other.example.com/x'), [])
  })

test('credentials waits a minute for a program, and no longer', async () => {
  const { users, clock } = provider('exec sleep 1000')
  const found = users('other.example.com/x')
  await clock.advance(60_000)
  assert.deepEqual(await found, [])
})
