import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { recorded } from '../../../test/fixtures/kube-apiserver/recorded.ts'
import { parseJson } from './json-strict.ts'
import { checkStructure, decodeError, pruneUnknown, resolveSchema, strictMessage, unrecognized } from './structural.ts'

const SCHEMAS: Record<string, string> = {
  deployments: 'io.k8s.api.apps.v1.Deployment',
  configmaps: 'io.k8s.api.core.v1.ConfigMap',
  pods: 'io.k8s.api.core.v1.Pod',
  services: 'io.k8s.api.core.v1.Service',
  secrets: 'io.k8s.api.core.v1.Secret',
}

interface Recorded {
  method: string
  path: string
  body?: { kind?: string } | string
  message: string
}

describe('checkStructure', () => {
  const go: readonly [schema: string, object: object, said: string][] = [
    [
      'Pod',
      { spec: { nodeSelector: [] } },
      'array into Go struct field PodSpec.spec.nodeSelector of type map[string]string',
    ],
    [
      'Pod',
      { spec: { tolerations: {} } },
      'object into Go struct field PodSpec.spec.tolerations of type []v1.Toleration',
    ],
    [
      'Pod',
      { spec: { volumes: [{ emptyDir: 'x' }] } },
      'string into Go struct field Volume.spec.volumes.VolumeSource.emptyDir of type v1.EmptyDirVolumeSource',
    ],
    [
      'Pod',
      { spec: { volumes: [{ secret: { secretName: 7 } }] } },
      'number into Go struct field SecretVolumeSource.spec.volumes.VolumeSource.secret.secretName of type string',
    ],
    ['Event', { firstTimestamp: 7 }, 'number into Go struct field Event.firstTimestamp of type string'],
    ['Event', { eventTime: true }, 'bool into Go struct field Event.eventTime of type string'],
    [
      'PersistentVolumeClaim',
      { spec: { accessModes: [7] } },
      'number into Go struct field PersistentVolumeClaimSpec.spec.accessModes of type v1.PersistentVolumeAccessMode',
    ],
    [
      'PersistentVolumeClaim',
      { status: { allocatedResourceStatuses: 'x' } },
      'string into Go struct field PersistentVolumeClaimStatus.status.allocatedResourceStatuses of type map[v1.ResourceName]v1.ClaimResourceStatus',
    ],
    [
      'PersistentVolumeClaim',
      { status: { allocatedResourceStatuses: { a: [] } } },
      'array into Go struct field PersistentVolumeClaimStatus.status.allocatedResourceStatuses of type v1.ClaimResourceStatus',
    ],
    ['Secret', { data: { a: [300] } }, 'number 300 into Go struct field Secret.data of type uint8'],
    ['Secret', { data: { a: ['x'] } }, 'string into Go struct field Secret.data of type uint8'],
    ['Secret', { data: { a: 7 } }, 'number into Go struct field Secret.data of type []uint8'],
  ]
  it('checkStructure wants six digits after the point of a MicroTime', () => {
    const problems = (eventTime: string) =>
      checkStructure({ eventTime }, 'io.k8s.api.core.v1.Event').errors.map(({ message }) => message)
    const said = (time: string, part: string, wanted: string) =>
      `parsing time "${time}" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "${part}" as "${wanted}"`
    assert.deepEqual(problems('2020-02-02T02:02:02.123456Z'), [])
    assert.deepEqual(problems('2020-02-02T02:02:02Z'), [said('2020-02-02T02:02:02Z', 'Z', '.000000')])
    assert.deepEqual(problems('2020-02-02T02:02:02.5Z'), [said('2020-02-02T02:02:02.5Z', '.5Z', '.000000')])
    const long = '2020-02-02T02:02:02.1234567Z'
    assert.deepEqual(problems(long), [said(long, '7Z', 'Z07:00')])
  })

  it('checkStructure takes bytes as numbers, and writes them as base64', () => {
    const secret = { data: { a: [1, null, 255], b: 'AQ==' } }
    assert.equal(checkStructure(secret, 'io.k8s.api.core.v1.Secret').errors.length, 0)
    assert.deepEqual(secret.data, { a: 'AQD/', b: 'AQ==' })
  })

  for (const [kind, object, said] of go) {
    it(`checkStructure names Go structs and types: ${said}`, () => {
      const { errors } = checkStructure(object, `io.k8s.api.core.v1.${kind}`)
      assert.deepEqual(
        errors.map(({ message }) => message),
        [`json: cannot unmarshal ${said}`],
      )
    })
  }

  const cases = recorded<Recorded>('errors').filter(
    one =>
      one.method === 'POST' &&
      one.message.includes('cannot be handled as') &&
      !/conversion|registered/.test(one.message),
  )
  assert.ok(cases.length >= 10)
  for (const { path, body, message } of cases) {
    it(`checkStructure says what the real server says: ${message.slice(0, 130)}`, () => {
      const schema = SCHEMAS[path.split('/').at(-1)!.split('?')[0]!]!
      const { value, duplicates } = parseJson(typeof body === 'string' ? body : JSON.stringify(body), true)
      const { errors, unknown } = checkStructure(value, schema)
      const kind = { kind: (value as { kind: string }).kind, version: 'v1' }
      const actual = errors[0]?.message ?? strictMessage(unknown, duplicates)!
      // The server reports unknown and duplicate fields mixed, as they stand.
      const parts = (text: string) => text.split(/: (?=unknown|duplicate)|, (?=unknown|duplicate)/).sort()
      assert.deepEqual(parts(decodeError(kind, actual).message), parts(message))
    })
  }

  it('checkStructure drops nulls and empty lists and maps, as Go decodes and encodes them', () => {
    const pod = {
      metadata: { name: 'a', labels: { x: null }, annotations: {}, creationTimestamp: null, managedFields: [] },
      spec: {
        containers: [{ name: 'c', args: [], command: ['a', null], resources: {} }],
        volumes: null,
        nodeSelector: {},
      },
    }
    assert.deepEqual(checkStructure(pod, SCHEMAS.pods!).errors, [])
    assert.deepEqual(pod, {
      metadata: { name: 'a', labels: { x: '' }, managedFields: [] },
      spec: { containers: [{ name: 'c', command: ['a', ''], resources: {} }] },
      status: {},
    })
  })

  it('checkStructure tells where empty lists stood, and leaves those for which Go shows null', () => {
    const rule = { verbs: [], resources: [] }
    const { empties } = checkStructure({ metadata: { name: 'a' }, rules: [rule] }, 'io.k8s.api.rbac.v1.Role')
    assert.deepEqual(empties, [
      { holder: rule, key: 'verbs', value: [], shown: true },
      { holder: rule, key: 'resources', value: [], shown: false },
    ])
    assert.deepEqual(rule, { verbs: [] })
  })

  const MICRO = 'parsing time "T" as "2006-01-02T15:04:05.000000Z07:00": cannot parse'
  const times: [time: string, problem: string | undefined][] = [
    ['2026-01-02T03:04:05.000006Z', undefined],
    ['2026-01-02T03:04:05.000006+01:00', undefined],
    ['2026-01-02T03:04:05Z', `${MICRO} "Z" as ".000000"`],
    ['2026-01-02T03:04:05.123Z', `${MICRO} ".123Z" as ".000000"`],
    ['2026-01-02T03:04:05.1234567Z', `${MICRO} "7Z" as "Z07:00"`],
    ['x', `${MICRO} "x" as "2006"`],
  ]
  for (const [time, problem] of times) {
    it(`checkStructure reads times to the microsecond as Go does: ${time}`, () => {
      const { errors } = checkStructure({ spec: { renewTime: time } }, 'io.k8s.api.coordination.v1.Lease')
      assert.equal(errors[0]?.message, problem?.replace('"T"', JSON.stringify(time)))
    })
  }

  it('checkStructure reports nulls of custom resources unless they are nullable', () => {
    const schema = {
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'string', nullable: true } },
    } as const
    const { errors } = checkStructure({ a: null, b: null }, schema, { nulls: 'check' })
    assert.deepEqual(
      errors.map(error => error.fieldError.message),
      ['Invalid value: null: a in body must be of type string: "null"'],
    )
  })

  it('checkStructure reports required fields when asked', () => {
    const { errors } = checkStructure({ spec: { containers: [{}] } }, SCHEMAS.pods!, {
      required: true,
      nulls: 'check',
    })
    assert.deepEqual(
      errors.map(({ kind, field }) => [kind, field]),
      [['required', 'spec.containers[0].name']],
    )
  })

  it('checkStructure leaves open objects alone and follows recursive schemas', () => {
    const props = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps'
    const result = checkStructure({ properties: { a: { properties: { b: { type: 5 } } } } }, props)
    assert.deepEqual(
      result.errors.map(error => error.field),
      ['properties.a.properties.b.type'],
    )
    const open = { type: 'object', properties: {}, preserveUnknown: true } as const
    assert.deepEqual(checkStructure({ anything: [1] }, open).unknown, [])
  })

  it('checkStructure treats inherited names as unknown fields', () => {
    assert.deepEqual(checkStructure(JSON.parse('{"constructor":1,"__proto__":{}}'), SCHEMAS.pods!).unknown, [
      'constructor',
      '__proto__',
    ])
  })
})

describe('pruneUnknown', () => {
  it('pruneUnknown deletes what the schema does not know, and says what', () => {
    const pod = { foo: 1, spec: { containers: [{ name: 'a', bar: 1 }] } }
    assert.deepEqual(pruneUnknown(pod, SCHEMAS.pods!), ['foo', 'spec.containers[0].bar'])
    assert.deepEqual(pod, { spec: { containers: [{ name: 'a' }] } })
  })
})

describe('resolveSchema', () => {
  it('resolveSchema throws for a name that does not exist', () => {
    assert.throws(() => resolveSchema('io.k8s.Nothing'), /no definition "io.k8s.Nothing"/)
    assert.equal(resolveSchema({ ref: SCHEMAS.pods! }), resolveSchema(SCHEMAS.pods!))
  })
})

describe('unrecognized', () => {
  const cases = recorded<Recorded>('errors').filter(
    one => one.message.includes('unrecognized') && one.message.includes('json parse'),
  )
  assert.ok(cases.length >= 2)
  for (const { body, message } of cases) {
    it(`unrecognized says what the real server says of ${JSON.stringify(body)}`, () => {
      const problem = message.slice(message.indexOf("couldn't"), message.lastIndexOf(' ('))
      assert.equal(unrecognized({ kind: 'Deployment' }, problem, Buffer.from(body as string)).message, message)
    })
  }

  it('unrecognized shows no more than the start of a body', () => {
    assert.match(
      unrecognized({ kind: 'Pod' }, 'x', Buffer.from(`{"a":"${'b'.repeat(50)}"}`)).message,
      /x \(\{"a":"b{24} \.\.\.\)$/,
    )
  })
})
