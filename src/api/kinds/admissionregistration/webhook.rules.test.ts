import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { loadPolicyRules } from '../../policies/load-rules.ts'
import { type WebhookConfiguration, webhookConfigurationRule } from './webhook.rules.ts'

const GOOD = {
  name: 'a.example.com',
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  clientConfig: { url: 'https://example.com' },
}

const configuration = (change: object) => ({ webhooks: [{ ...GOOD, ...change }] }) as WebhookConfiguration

const told = (next: WebhookConfiguration, old?: WebhookConfiguration) =>
  webhookConfigurationRule(next, old).map(({ field, message }) => `${field}: ${message}`)

before(loadPolicyRules)

const cases: [change: object, errors: string[]][] = [
  [{}, []],
  [
    { name: 'a.b' },
    ['webhooks[0].name: Invalid value: "a.b": should be a domain with at least three segments separated by dots'],
  ],
  [
    { sideEffects: 'Some' },
    ['webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"'],
  ],
  [
    { timeoutSeconds: 31 },
    ['webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds'],
  ],
  [{ clientConfig: {} }, ['webhooks[0].clientConfig: Required value: exactly one of url or service is required']],
  [
    { clientConfig: { url: 'a b' } },
    [
      `webhooks[0].clientConfig.url: Invalid value: "": 'https' is the only allowed URL scheme; desired format: https://host[/path]`,
      'webhooks[0].clientConfig.url: Invalid value: "": host must be specified; desired format: https://host[/path]',
    ],
  ],
  ...[
    ['https://a\nb', '"https://a\\nb": net/url: invalid control character in URL'],
    [':a', '":a": missing protocol scheme'],
    ['https://a b', '"https://a b": invalid character " " in host name'],
    ['1:a', '"1:a": first path segment in URL cannot contain colon'],
  ].map(([url, problem]): [object, string[]] => [
    { clientConfig: { url } },
    [
      `webhooks[0].clientConfig.url: Required value: url must be a valid URL: parse ${problem}; desired format: https://host[/path]`,
    ],
  ]),
  [
    { admissionReviewVersions: ['v2'] },
    ['webhooks[0].admissionReviewVersions: Invalid value: ["v2"]: must include at least one of v1, v1beta1'],
  ],
  [{ matchConditions: [{ name: 'a', expression: '' }] }, ['webhooks[0].matchConditions[0].expression: Required value']],
]

for (const [change, errors] of cases) {
  test(`webhookConfigurationRule judges a webhook with ${JSON.stringify(change)}`, () => {
    assert.deepEqual(told(configuration(change)), errors)
  })
}

test('webhookConfigurationRule lets an update keep what the stored object has already', () => {
  const old = configuration({ sideEffects: 'Unknown', admissionReviewVersions: ['v2'] })
  assert.deepEqual(told(old, old), [])
})
