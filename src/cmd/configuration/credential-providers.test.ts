import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { loadCredentialProviders } from './credential-providers.ts'

const directory = mkdtempSync(join(tmpdir(), 'tutti-providers-'))
after(() => rmSync(directory, { recursive: true }))
mkdirSync(join(directory, 'credential-providers'))
writeFileSync(join(directory, 'credential-providers/good'), '#!/bin/sh\n', { mode: 0o755 })
const API = 'credentialprovider.kubelet.k8s.io/v1'

const load = (text: string) => {
  const head = 'apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\n'
  writeFileSync(join(directory, 'credential-providers.yaml'), head + text)
  return loadCredentialProviders(directory)
}

test('loadCredentialProviders finds none where there is no file', async () => {
  rmSync(join(directory, 'credential-providers.yaml'), { force: true })
  assert.deepEqual(await loadCredentialProviders(directory), [])
})

test('loadCredentialProviders reads providers', async () => {
  const text = `
providers:
- name: good
  apiVersion: ${API}
  matchImages: ["*.dkr.example.com", registry.io:8080/path]
  defaultCacheDuration: 12h
  args: [get]
  env: [{name: A, value: b}]
`
  assert.deepEqual(await load(text), [
    {
      name: 'good',
      program: join(directory, 'credential-providers/good'),
      apiVersion: API,
      args: ['get'],
      env: { A: 'b' },
      matchImages: ['*.dkr.example.com', 'registry.io:8080/path'],
      defaultCacheMs: 43_200_000,
    },
  ])
})

const GOOD = { name: 'good', apiVersion: API, matchImages: ['a.io'], defaultCacheDuration: '0s' }
for (const [what, providers, message] of [
  ['no providers', [], /credential-providers\.yaml: providers: at least one is required/],
  ['two of one name', [GOOD, GOOD], /"good" stands there twice/],
  ['a path as name', [{ ...GOOD, name: '../x' }], /providers\[0\]\.name: "\.\.\/x" is no name of a program/],
  ['a program that is not there', [{ ...GOOD, name: 'bad' }], /there is no program .*credential-providers\/bad/],
  ['another version', [{ ...GOOD, apiVersion: 'v1' }], /apiVersion: "v1" must be one of/],
  ['no images', [{ ...GOOD, matchImages: [] }], /matchImages: at least one is required/],
  ['a pattern with a scheme', [{ ...GOOD, matchImages: ['https://a.io'] }], /is no registry like/],
  ['no time', [{ ...GOOD, defaultCacheDuration: undefined }], /defaultCacheDuration: a time like 10m is required/],
  ['a negative time', [{ ...GOOD, defaultCacheDuration: '-1s' }], /must not be negative/],
  ['what is not built', [{ ...GOOD, tokenAttributes: {} }], /unknown field "providers\[0\]\.tokenAttributes"/],
] as const)
  test(`loadCredentialProviders refuses ${what}`, async () => {
    await assert.rejects(load(`providers: ${JSON.stringify(providers)}\n`), { message })
  })
