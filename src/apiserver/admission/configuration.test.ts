import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readAdmissionConfiguration } from './configuration.ts'

const HEAD = 'apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\n'
const SECURITY = 'apiVersion: pod-security.admission.config.k8s.io/v1\nkind: PodSecurityConfiguration\n'
const nothing = () => {
  throw new Error('no file')
}

test('readAdmissionConfiguration reads what PodSecurity takes, inline or from a file', async () => {
  const file = `${SECURITY}defaults: {enforce: baseline, enforce-version: v1.30}\nexemptions: {namespaces: [kube-system]}\n`
  const expected = {
    podSecurity: {
      defaults: {
        enforce: { level: 'baseline', version: 30 },
        audit: { level: 'privileged', version: 'latest' },
        warn: { level: 'privileged', version: 'latest' },
      },
      exemptions: { namespaces: ['kube-system'] },
    },
  }
  const inline = `${HEAD}plugins:\n- name: PodSecurity\n  configuration:\n${file.trimEnd().replace(/^/gm, '    ')}\n`
  assert.deepEqual(await readAdmissionConfiguration(inline, nothing), expected)
  const named = `${HEAD}plugins: [{name: PodSecurity, path: security.yaml}]`
  assert.deepEqual(
    await readAdmissionConfiguration(named, path => (path === 'security.yaml' ? file : nothing())),
    expected,
  )
  assert.deepEqual(await readAdmissionConfiguration(HEAD, nothing), {})
})

const wrong: readonly [text: string, message: RegExp][] = [
  ['plugins: [{name: Priority, path: x}]', /plugins\[0\]: "Priority" takes no configuration here/],
  [
    'plugins: [{name: EventRateLimit, configuration: {kind: Other}}]',
    /expected apiVersion eventratelimit.*, kind Configuration/,
  ],
  ['plugins: [{name: PodSecurity}]', /plugins\[0\]: exactly one of path and configuration must be there/],
  ['plugins: [{name: PodSecurity, configuration: {kind: Other}}]', /kind PodSecurityConfiguration/],
  ['plugins: [{nome: PodSecurity}]', /unknown field "plugins\[0\].nome"/],
]
for (const [text, message] of wrong) {
  test(`readAdmissionConfiguration refuses ${text}`, async () => {
    await assert.rejects(readAdmissionConfiguration(HEAD + text, nothing), { message })
  })
}

test('readAdmissionConfiguration refuses levels and versions that mean nothing', async () => {
  const read = (defaults: object) => {
    const configuration = {
      apiVersion: 'pod-security.admission.config.k8s.io/v1',
      kind: 'PodSecurityConfiguration',
      defaults,
    }
    const plugins = [{ name: 'PodSecurity', configuration }]
    const text = JSON.stringify({ apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AdmissionConfiguration', plugins })
    return readAdmissionConfiguration(text, nothing)
  }
  await assert.rejects(read({ warn: 'strict' }), { message: /defaults.warn: Invalid value: "strict": must be one of/ })
  await assert.rejects(read({ 'audit-version': 'v2' }), { message: /defaults.audit-version: Invalid value: "v2"/ })
})

test('readAdmissionConfiguration reads the limits of events, and refuses those that mean nothing', async () => {
  const read = (...limits: object[]) => {
    const configuration = { apiVersion: 'eventratelimit.admission.k8s.io/v1alpha1', kind: 'Configuration', limits }
    const plugins = [{ name: 'EventRateLimit', configuration }]
    const text = JSON.stringify({ apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AdmissionConfiguration', plugins })
    return readAdmissionConfiguration(text, nothing)
  }
  const good = { type: 'Namespace', qps: 50, burst: 100, cacheSize: 2000 }
  assert.deepEqual(await read(good), { eventLimits: [good] })
  const cases: [object[], RegExp][] = [
    [[], /^limits: Invalid value: null: must not be empty$/],
    [[{ ...good, type: 'Node' }], /^limits\[0\]\.type: Unsupported value: "Node": supported values: "Server", /],
    [[good, { ...good, burst: 0 }], /^limits\[1\]\.burst: Invalid value: 0: must be positive$/],
    [[{ ...good, qps: -1 }], /^limits\[0\]\.qps: Invalid value: -1: must be positive$/],
    [[{ ...good, cacheSize: -1 }], /^limits\[0\]\.cacheSize: Invalid value: -1: must not be negative$/],
  ]
  for (const [limits, message] of cases) await assert.rejects(read(...limits), { message })
})
