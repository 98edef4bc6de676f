import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kinds } from '../../api/kinds/all.ts'
import { parseProtobuf } from '../../api/machinery/protobuf.ts'
import type { StatusError } from '../../api/machinery/status-error.ts'
import { parseYaml } from '../../api/machinery/yaml.ts'
import { kindTable } from '../registry/kind-table.ts'
import type { ServerRequest } from '../request.ts'
import { discovery } from './discovery.ts'
import { AGGREGATED_PARAMETERS, formOf, represented } from './representation.ts'

const PROTOBUF = 'application/vnd.kubernetes.protobuf'
const discover = represented(discovery(kindTable(kinds)))

async function get(path: string, accept: string, headers: object = {}) {
  const request = { method: 'GET', path, query: new URLSearchParams(), headers: { host: 'a', accept, ...headers } }
  const answer = await discover(request as unknown as ServerRequest)
  assert.ok(answer?.type === 'bytes', path)
  return { ...answer, text: Buffer.from(answer.bytes).toString() }
}

const json = async (path: string, accept: string) => JSON.parse((await get(path, accept)).text)

test('formOf takes what the client likes best of what can be made', () => {
  const aggregated = `application/json${AGGREGATED_PARAMETERS}`
  const cases: [accept: string, isRoot: boolean, format: string | undefined, aggregated?: boolean][] = [
    ['', true, 'json', false],
    ['*/*', true, 'json', false],
    [aggregated, true, 'json', true],
    [aggregated, false, undefined],
    [`${PROTOBUF}${AGGREGATED_PARAMETERS},${aggregated}`, true, 'protobuf', true],
    [`application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json`, true, 'json', false],
    ['application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList', true, undefined],
    [`application/json;q=0.2,${PROTOBUF};q=0.9`, false, 'protobuf', false],
    ['application/yaml', false, 'yaml', false],
    ['text/html', true, undefined],
    ['text/html,*/*;q=0.8', true, 'json', false],
  ]
  for (const [accept, isRoot, format, isAggregated] of cases)
    assert.deepEqual(formOf(accept, isRoot), format && { format, aggregated: isAggregated }, accept)
})

/** Messages have no null times, and do not tell empty strings from none. */
const plain = (value: unknown) =>
  JSON.parse(JSON.stringify(value, (_, each) => (each === null || each === '' ? undefined : each)))

for (const path of ['/api', '/apis', '/api/v1', '/apis/apps', '/apis/apps/v1'])
  test(`discovery of ${path} says the same in protobuf, YAML and JSON`, async () => {
    const expected = await json(path, 'application/json')
    const { bytes, contentType } = await get(path, PROTOBUF)
    assert.equal(contentType, PROTOBUF)
    const { apiVersion, ...rest } = parseProtobuf(bytes)
    assert.deepEqual(plain({ ...(apiVersion ? { apiVersion } : {}), ...rest }), plain(expected))
    const yaml = await get(path, 'application/yaml')
    assert.equal(yaml.contentType, 'application/yaml')
    assert.deepEqual(parseYaml(yaml.text).value, expected)
  })

test('aggregated discovery has a protobuf form with the mark of the document', async () => {
  const accept = `${PROTOBUF}${AGGREGATED_PARAMETERS}`
  const { bytes, contentType, headers } = await get('/apis', accept)
  assert.equal(contentType, accept)
  const expected = await json('/apis', `application/json${AGGREGATED_PARAMETERS}`)
  const found = plain(parseProtobuf(bytes)) as typeof expected
  assert.deepEqual(
    found.items.map(({ versions }: { versions: object }) => versions),
    plain(expected.items.map(({ versions }: { versions: object }) => versions)),
  )
  const again = await get('/apis', accept, { 'if-none-match': headers!.etag })
  assert.equal(again.status, 304)
  assert.equal(again.contentType, accept)
})

test('discovery is refused in forms that there are not, and other paths are not its own', async () => {
  await assert.rejects(get('/apis', 'text/html'), (error: StatusError) => {
    assert.equal(error.code, 406)
    assert.match(error.message, /only the following media types are accepted: application\/json, application\/yaml/)
    return true
  })
  const request = { path: '/version', query: new URLSearchParams(), headers: { accept: 'text/html' } }
  assert.equal(await discover(request as unknown as ServerRequest), undefined)
})
