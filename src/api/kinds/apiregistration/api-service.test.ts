import assert from 'node:assert/strict'
import test from 'node:test'
import { APIService } from './api-service.ts'

type Spec = Partial<NonNullable<APIService['spec']>>

const good: Spec = { group: 'shop.example.com', version: 'v1', groupPriorityMinimum: 100, versionPriority: 10 }
const service = { namespace: 'default', name: 'shop', port: 443 }

function errorsOf(spec: Spec, name?: string, status?: APIService['status'], subresource = ''): string[] {
  const whole = { ...good, ...spec } as NonNullable<APIService['spec']>
  const object: APIService = {
    metadata: { name: name ?? `${whole.version}.${whole.group ?? ''}` },
    spec: whole,
    ...(status && { status }),
  }
  const context = { subresource, now: 0 }
  return APIService.rules!.flatMap(rule => rule(object, undefined, context)).map(
    ({ field, message }) => `${field}: ${message}`,
  )
}

test('APIService takes what is right, local or not, and the core group', () => {
  assert.deepEqual(errorsOf({}), [])
  assert.deepEqual(errorsOf({ service, caBundle: 'AAAA' }), [])
  const { group: _, ...core } = good
  const object = { metadata: { name: 'v1.' }, spec: core as NonNullable<APIService['spec']> }
  assert.deepEqual(
    APIService.rules!.flatMap(rule => rule(object, undefined, { subresource: '', now: 0 })),
    [],
  )
})

const wrong: readonly [name: string, spec: Spec, error: RegExp][] = [
  ['no priority', { groupPriorityMinimum: 0 }, /^spec\.groupPriorityMinimum: Invalid value: 0: must be positive/],
  ['too much priority', { versionPriority: 1001 }, /^spec\.versionPriority: Invalid value: 1001: must be positive/],
  ['a group that is none', { group: 'G_' }, /^spec\.group: Invalid value: "G_": a lowercase RFC 1123 subdomain/],
  ['a version that is none', { version: 'V1' }, /^spec\.version: Invalid value: "V1": a DNS-1035 label/],
  ['no group', { group: '', version: 'v2' }, /^spec\.group: Required value: only v1 may have an empty group/],
  ['a bundle without a service', { caBundle: 'AAAA' }, /^spec\.caBundle: Invalid value: "3 bytes": local APIServices/],
  ['no verification without a service', { insecureSkipTLSVerify: true }, /^spec\.insecureSkipTLSVerify: Invalid value/],
  ['no namespace', { service: { ...service, namespace: '' } }, /^spec\.service\.namespace: Required value$/],
  ['no name', { service: { ...service, name: '' } }, /^spec\.service\.name: Required value$/],
  [
    'no port',
    { service: { ...service, port: 70_000 } },
    /^spec\.service\.port: Invalid value: 70000: port is not valid/,
  ],
  [
    'a bundle that is not looked at',
    { service, caBundle: 'AAAA', insecureSkipTLSVerify: true },
    /^spec\.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is present$/,
  ],
]
for (const [name, spec, error] of wrong) {
  test(`APIService refuses ${name}`, () => {
    const [first, ...more] = errorsOf(spec)
    assert.match(first ?? '', error)
    assert.deepEqual(more, [])
  })
}

test('APIService is named by its version and group', () => {
  assert.deepEqual(errorsOf({}, 'other'), [
    'metadata.name: Invalid value: "other": must be `spec.version+"."+spec.group`: "v1.shop.example.com"',
  ])
})

test('APIService refuses a status that nobody knows, in its status only', () => {
  const status = { conditions: [{ type: 'Available', status: 'Maybe' }] }
  assert.deepEqual(errorsOf({ groupPriorityMinimum: 0 }, undefined, status, 'status'), [
    'status.conditions[0].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"',
  ])
})
