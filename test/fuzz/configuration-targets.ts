/** The parsers of what operators write: files of settings. Nobody hostile writes them, but a slip must be told as one. */
import assert from 'node:assert/strict'
import { planner, readPolicy } from '../../src/apiserver/audit/policy.ts'
import { readAuthenticationConfiguration } from '../../src/apiserver/authentication/configuration.ts'
import { checkConfiguration, readAuthorizationConfiguration } from '../../src/apiserver/authorization/configuration.ts'
import { readConfiguration } from '../../src/apiserver/configuration/read.ts'
import { readEncryption } from '../../src/apiserver/encryption/configuration.ts'
import { encryptedStore } from '../../src/apiserver/encryption/encrypted-store.ts'
import { encryptedObject, encryptResponse, statusResponse } from '../../src/apiserver/encryption/kms/messages.ts'
import { GROUP, KIND, SHAPE } from '../../src/cmd/configuration/configuration.ts'
import { mergeKubeconfig, parseKubeconfig, withoutContext } from '../../src/lib/kubeconfig.ts'
import { silent } from '../../src/lib/log.ts'
import { virtualClock } from '../../src/lib/virtual-clock.ts'
import { memoryStore } from '../../src/store/memory/memory.ts'
import { type FuzzTarget, told } from './driver.ts'

const YAML_TOKENS = [
  ': ',
  '- ',
  '\n',
  '\n  ',
  '\n    - ',
  '{',
  '}',
  '[',
  ']',
  '&a ',
  '*a',
  'null',
  '~',
  '0',
  '-1',
  '1e999',
  'true',
  '"',
  "'",
  '\t',
  '__proto__: ',
  'constructor: ',
]

const ATTRIBUTES = {
  user: { name: 'ann', groups: ['dev'] },
  verb: 'get',
  isResource: true,
  group: 'apps',
  version: 'v1',
  namespace: 'shop',
  resource: 'deployments',
  subresource: 'status',
  name: 'web',
  path: '/apis/apps/v1/namespaces/shop/deployments/web/status',
}

export const configurationTargets: readonly FuzzTarget[] = [
  {
    name: 'kubeconfig',
    tokens: [...YAML_TOKENS, 'clusters: ', 'users: ', 'contexts: ', 'current-context: ', 'name: a', 'server: https://'],
    async run(input) {
      const config = await parseKubeconfig(input.toString(), 'file')
      const merged = mergeKubeconfig(config, { clusters: [{ name: 'new', cluster: { server: 'https://x' } }] })
      assert.ok(merged.clusters?.some(each => each.name === 'new'))
      assert.ok(!withoutContext(merged, 'new').clusters?.some(each => each.name === 'new'))
    },
    refuses: told,
  },
  {
    name: 'configuration',
    tokens: [
      ...YAML_TOKENS,
      'kind: TuttiConfiguration\n',
      'audit: ',
      'encryption: ',
      'featureGates: ',
      'events: {ttl: ',
    ],
    async run(input) {
      const value = await readConfiguration<object>(input.toString(), KIND, SHAPE, GROUP)
      assert.equal(({} as { polluted?: unknown }).polluted, undefined)
      JSON.stringify(value)
    },
    refuses: told,
  },
  {
    name: 'authentication-configuration',
    tokens: [...YAML_TOKENS, 'jwt: ', 'issuer: ', 'claimMappings: ', 'anonymous: ', 'expression: claims.sub'],
    async run(input) {
      await readAuthenticationConfiguration(input.toString())
    },
    refuses: told,
  },
  {
    name: 'authorization-configuration',
    tokens: [...YAML_TOKENS, 'authorizers: ', 'type: Webhook', 'webhook: ', 'matchConditions: ', 'timeout: 3s'],
    async run(input) {
      checkConfiguration(await readAuthorizationConfiguration(input.toString()))
    },
    refuses: told,
  },
  {
    name: 'audit-policy',
    tokens: [
      ...YAML_TOKENS,
      'rules: ',
      'level: Metadata',
      'resources: ',
      'omitStages: ',
      'nonResourceURLs: ',
      '/*',
      '*/x',
    ],
    async run(input) {
      const plan = planner(await readPolicy(input.toString()))(ATTRIBUTES)
      assert.ok(['None', 'Metadata', 'Request', 'RequestResponse'].includes(plan.level))
    },
    refuses: told,
  },
  {
    name: 'encryption-configuration',
    tokens: [
      ...YAML_TOKENS,
      'providers: ',
      'aesgcm: ',
      'secretbox: ',
      'kms: ',
      'identity: {}',
      'secrets',
      '*.*',
      'AAAA=',
    ],
    async run(input) {
      const clock = virtualClock()
      const rules = await readEncryption(input.toString(), { clock, logger: silent, uuid: () => 'uid' })
      // A plugin has to be asked first.
      if (rules.some(({ providers }) => providers.some(each => each.start))) return
      const store = encryptedStore(memoryStore({ clock }), rules)
      const key = '/registry/core/secrets/default/a'
      await store.commit([{ type: 'put', key, value: Buffer.from('{}') }])
      assert.equal((await store.get(key))?.value.toString(), '{}')
    },
    refuses: told,
  },
  {
    name: 'kms-messages',
    tokens: ['\x0a\x03key', '\x12', '\x1a\x04', '\x22\x06\x0a\x01a\x12\x01b', '\x28\x01', '\xff\xff\xff\xff\x0f', '\0'],
    run(input) {
      const object = encryptedObject.decode(input)
      assert.deepEqual(encryptedObject.decode(encryptedObject.encode(object)), object)
      statusResponse.decode(input)
      encryptResponse.decode(input)
    },
    // Bytes that end early, or say what no message says.
    refuses: error => error instanceof RangeError && !/call stack/.test(error.message),
  },
]
