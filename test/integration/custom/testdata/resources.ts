/**
 * Requests for custom resources that were put to a Kubernetes 1.36 API server, in order; `resources.jsonl` holds what it
 * said (`scripts/record-custom.ts`).
 */
import type { Loose } from '../../api/start.ts'

export interface Step {
  readonly title: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: Loose
  readonly contentType?: string
  readonly accept?: string
}

export interface Scenario {
  readonly title: string
  readonly definition: Loose
  readonly steps: readonly Step[]
}

const GROUP = 'case.example.com'
const base = (version: string) => `/apis/${GROUP}/${version}/namespaces/default/cases`
const MERGE = 'application/merge-patch+json'
const JSON_PATCH = 'application/json-patch+json'
const APPLY = 'application/apply-patch+yaml'

function definition(versions: readonly object[], more: object = {}): Loose {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `cases.${GROUP}` },
    spec: { group: GROUP, scope: 'Namespaced', names: { plural: 'cases', kind: 'Case' }, versions, ...more },
  }
}

const version = (properties: object, more: object = {}, schema: object = {}) => ({
  name: 'v1',
  served: true,
  storage: true,
  schema: { openAPIV3Schema: { type: 'object', properties, ...schema } },
  ...more,
})

const one = (name: string, more: object = {}, metadata: object = {}): Loose => ({
  apiVersion: `${GROUP}/v1`,
  kind: 'Case',
  metadata: { name, ...metadata },
  ...more,
})

type More = Omit<Partial<Step>, 'title' | 'method'>

const create = (title: string, body: Loose, more: More = {}): Step => ({
  title,
  method: 'POST',
  path: base('v1'),
  body,
  ...more,
})
const get = (title: string, path: string, more: More = {}): Step => ({
  title,
  method: 'GET',
  path: path.startsWith('/') ? path : `${base('v1')}/${path}`,
  ...more,
})
const list = (title: string, query: Record<string, string> = {}, more: More = {}): Step => ({
  title,
  method: 'GET',
  path: base('v1'),
  query,
  ...more,
})
const put = (title: string, name: string, body: Loose, more: More = {}): Step => ({
  title,
  method: 'PUT',
  path: `${base('v1')}/${name}`,
  body,
  ...more,
})
const patch = (title: string, name: string, body: Loose, contentType = MERGE, more: More = {}): Step => ({
  title,
  method: 'PATCH',
  path: `${base('v1')}/${name}`,
  body,
  contentType,
  ...more,
})
const apply = (title: string, name: string, body: Loose, query: Record<string, string> = {}, more: More = {}): Step =>
  patch(title, name, body, APPLY, { query, ...more })

const ruled = (schema: object, ...rules: readonly object[]) => ({ ...schema, 'x-kubernetes-validations': rules })

/** Each keyword with a value that breaks it. */
const KEYWORDS: readonly (readonly [string, object, unknown])[] = [
  ['type string', { type: 'string' }, 1],
  ['type string, boolean', { type: 'string' }, true],
  ['type string, object', { type: 'string' }, {}],
  ['type string, list', { type: 'string' }, []],
  ['type string, null', { type: 'string' }, null],
  ['type integer', { type: 'integer' }, 'x'],
  ['type integer, fraction', { type: 'integer' }, 1.5],
  ['type integer, whole fraction', { type: 'integer' }, 1],
  ['type number', { type: 'number' }, 'x'],
  ['type boolean', { type: 'boolean' }, 'true'],
  ['type object', { type: 'object' }, 'x'],
  ['type object, list', { type: 'object' }, []],
  ['type array', { type: 'array', items: { type: 'string' } }, {}],
  ['items', { type: 'array', items: { type: 'string' } }, ['a', 1, null]],
  ['values', { type: 'object', additionalProperties: { type: 'integer' } }, { a: 1, b: 'x', c: null }],
  ['int32', { type: 'integer', format: 'int32' }, 3000000000],
  ['int64 in int32 with a limit', { type: 'integer', format: 'int32', maximum: 10 }, 3000000000],
  ['maximum', { type: 'integer', maximum: 10 }, 11],
  ['maximum of a fraction', { type: 'number', maximum: 1.5 }, 1.75],
  ['maximum, fraction for a whole', { type: 'integer', maximum: 1.5 }, 2],
  ['exclusive maximum', { type: 'integer', maximum: 10, exclusiveMaximum: true }, 10],
  ['minimum', { type: 'integer', minimum: 10 }, 9],
  ['exclusive minimum', { type: 'number', minimum: 0.5, exclusiveMinimum: true }, 0.5],
  ['large maximum', { type: 'number', maximum: 1e21 }, 1e22],
  ['small minimum', { type: 'number', minimum: 0.00001 }, 0.000001],
  ['multiple', { type: 'integer', multipleOf: 3 }, 4],
  ['multiple of a fraction', { type: 'number', multipleOf: 0.25 }, 0.3],
  ['multiple of a fraction, whole', { type: 'integer', multipleOf: 0.5 }, 3],
  ['long', { type: 'string', maxLength: 2 }, 'abc'],
  ['long by one', { type: 'string', maxLength: 1 }, 'abc'],
  ['short', { type: 'string', minLength: 2 }, 'a'],
  ['pattern', { type: 'string', pattern: '^[a-z]+$' }, 'A"1'],
  ['enum', { type: 'string', enum: ['a', 'b'] }, 'c'],
  ['enum of numbers', { type: 'integer', enum: [1, 2] }, 3],
  ['enum of anything', { 'x-kubernetes-preserve-unknown-fields': true, enum: [{ a: 1 }, [1], null, true] }, 'c'],
  ['enum, null', { type: 'string', nullable: true, enum: ['a'] }, null],
  ['many items', { type: 'array', maxItems: 1, items: { type: 'integer' } }, [1, 2]],
  ['few items', { type: 'array', minItems: 2, items: { type: 'integer' } }, [1]],
  ['many properties', { type: 'object', maxProperties: 1, additionalProperties: { type: 'integer' } }, { a: 1, b: 2 }],
  ['few properties', { type: 'object', minProperties: 2, additionalProperties: { type: 'integer' } }, { a: 1 }],
  ['required', { type: 'object', required: ['a'], properties: { a: { type: 'string' } } }, {}],
  ['required, null', { type: 'object', required: ['a'], properties: { a: { type: 'string' } } }, { a: null }],
  ['int-or-string', { 'x-kubernetes-int-or-string': true }, 1.5],
  ['int-or-string with a pattern', { 'x-kubernetes-int-or-string': true, pattern: '^a' }, 'b'],
  ['not', { type: 'string', not: { enum: ['a'] } }, 'a'],
  [
    'anyOf',
    {
      type: 'object',
      properties: { a: { type: 'integer' }, b: { type: 'integer' } },
      anyOf: [{ required: ['a'] }, { required: ['b'], properties: { b: { minimum: 5 } } }],
    },
    { b: 1 },
  ],
  [
    'oneOf, none',
    {
      type: 'object',
      properties: { a: { type: 'integer' }, b: { type: 'integer' } },
      oneOf: [{ required: ['a'] }, { required: ['b'] }],
    },
    {},
  ],
  [
    'oneOf, two',
    {
      type: 'object',
      properties: { a: { type: 'integer' }, b: { type: 'integer' } },
      oneOf: [{ required: ['a'] }, { required: ['b'] }],
    },
    { a: 1, b: 1 },
  ],
  ['allOf', { type: 'integer', allOf: [{ minimum: 5 }, { multipleOf: 2 }] }, 3],
  ['allOf, one', { type: 'integer', allOf: [{ minimum: 5 }, { multipleOf: 2 }] }, 7],
  ['set', { type: 'array', items: { type: 'integer' }, 'x-kubernetes-list-type': 'set' }, [1, 2, 1, 1]],
  [
    'map',
    {
      type: 'array',
      items: { type: 'object', required: ['k'], properties: { k: { type: 'string' }, v: { type: 'integer' } } },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['k'],
    },
    [{ k: 'a' }, { k: 'b' }, { k: 'a', v: 1 }],
  ],
  [
    'map of two keys',
    {
      type: 'array',
      items: {
        type: 'object',
        properties: { k: { type: 'string', default: 'd' }, l: { type: 'integer', default: 1 } },
      },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['k', 'l'],
    },
    [{ k: 'a' }, { k: 'a', l: 1 }, {}, {}],
  ],
  ['additional false', { type: 'object', additionalProperties: false }, { a: 1 }],
  ...(
    [
      ['bsonobjectid', 'x'],
      ['uri', 'x'],
      ['email', 'x'],
      ['hostname', '-x'],
      ['ipv4', '1.2.3'],
      ['ipv6', '1.2.3.4'],
      ['cidr', '1.2.3.4'],
      ['mac', 'x'],
      ['uuid', 'x'],
      ['isbn', '1'],
      ['creditcard', '1'],
      ['ssn', '1'],
      ['hexcolor', 'x'],
      ['rgbcolor', 'x'],
      ['byte', '='],
      ['date', 'x'],
      ['date-time', '2024-01-01'],
      ['duration', 'x'],
      ['k8s-short-name', 'A'],
      ['k8s-long-name', 'A.b'],
    ] as const
  ).map(([format, value]) => [`format ${format}`, { type: 'string', format }, value] as const),
  ['format of a number', { type: 'string', format: 'date' }, 5],
]

const keywordProperties = Object.fromEntries(KEYWORDS.map(([, schema], index) => [`f${index}`, schema]))

const sized = {
  size: { type: 'integer', maximum: 10 },
  colour: { type: 'string', default: 'blue', enum: ['blue', 'red'] },
  ports: {
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
    items: {
      type: 'object',
      required: ['name'],
      properties: { name: { type: 'string' }, port: { type: 'integer', maximum: 100 } },
    },
  },
  tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
  plain: { type: 'array', items: { type: 'string' } },
  labels: { type: 'object', additionalProperties: { type: 'string' } },
  atomic: { type: 'object', 'x-kubernetes-map-type': 'atomic', additionalProperties: { type: 'string' } },
  free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  port: { 'x-kubernetes-int-or-string': true },
}
const sizedSpec = { spec: { type: 'object', properties: sized } }
const anyStatus = { status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }

export const scenarios: readonly Scenario[] = [
  {
    title: 'values',
    definition: definition([version({ spec: { type: 'object', properties: keywordProperties } })]),
    steps: KEYWORDS.map(([title, , value], index) =>
      create(title, one('a', { spec: { [`f${index}`]: value } }), { query: { dryRun: 'All' } }),
    ),
  },
  {
    title: 'fields',
    definition: definition([version({ ...sizedSpec, ...anyStatus }, { subresources: { status: {} } })]),
    steps: [
      create('unknown, warned', one('a', { spec: { size: 1, x: 1, free: { y: 1 } }, z: 1 }, { q: 1 })),
      create('unknown, strict', one('b', { spec: { x: 1, ports: [{ name: 'a', x: 1 }] }, z: 1 }, { q: 1 }), {
        query: { fieldValidation: 'Strict' },
      }),
      create('unknown, ignored', one('b', { spec: { x: 1 }, z: 1 }), { query: { fieldValidation: 'Ignore' } }),
      create('status of a new one', one('c', { status: { a: 1 } })),
      create('again', one('a')),
      create('without a name', { ...one(''), metadata: {} }),
      create('bad name', one('A_b')),
      create('no type', { metadata: { name: 'd' } }),
      create('no version', { kind: 'Case', metadata: { name: 'd' } }),
      create('no metadata', { kind: 'Case', apiVersion: `${GROUP}/v1` }),
      create('another kind', { ...one('e'), kind: 'Other' }),
      create('another version', { ...one('e'), apiVersion: `${GROUP}/v2` }),
      create('another group', { ...one('e'), apiVersion: 'v1' }),
      create('metadata is a text', { ...one('e'), metadata: 'x' }),
      create('metadata is a list', { ...one('e'), metadata: [] }),
      create('labels with a number', one('e', {}, { labels: { a: 1 } })),
      create('bad labels', one('e', {}, { labels: { 'a b': 'c d' }, annotations: { 'x y': '' } })),
      create('name is a number', one(5 as never)),
      create('null fields', one('f', { spec: { size: null, colour: null, free: null, port: null } })),
      create('null spec', one('g', { spec: null })),
      create('resource version on create', one('h', {}, { resourceVersion: '5' })),
      create('another namespace', one('h', {}, { namespace: 'other' })),
      create('finalizers', one('h', {}, { finalizers: ['a', 'a.b', 'a.b/c', 'kubernetes', 'Ä'] })),
      create('dry run', one('i', { spec: { size: 3 } }), { query: { dryRun: 'All' } }),
      create('not an object', [] as never),
    ],
  },
  {
    title: 'updates',
    definition: definition([version({ ...sizedSpec, ...anyStatus }, { subresources: { status: {} } })]),
    steps: [
      create('first', one('a', { spec: { size: 1, plain: ['a'] } })),
      put('without a version', 'a', one('a', { spec: { size: 2 } })),
      put('of an old version', 'a', one('a', { spec: { size: 2 } }, { resourceVersion: '1' })),
      put('of another name', 'a', one('b', {}, { resourceVersion: '1' })),
      put('of what is not there', 'zz', one('zz')),
      patch('merge', 'a', { spec: { size: 2, x: 1 } }),
      patch('merge, strict', 'a', { spec: { x: 1 } }, MERGE, { query: { fieldValidation: 'Strict' } }),
      patch('merge of status', 'a', { status: { a: 1 } }),
      patch('merge of nothing', 'a', {}),
      patch('merge, invalid', 'a', { spec: { size: 11 } }),
      patch('merge, another type', 'a', { spec: { size: 'x' } }),
      patch('merge, labels with a number', 'a', { metadata: { labels: { a: 1 } } }),
      patch('merge, null for a default', 'a', { spec: { colour: null } }),
      patch('merge of what is not there', 'zz', {}),
      patch('json patch', 'a', [{ op: 'replace', path: '/spec/size', value: 3 }], JSON_PATCH),
      patch('json patch that fails', 'a', [{ op: 'test', path: '/spec/size', value: 4 }], JSON_PATCH),
      patch('strategic', 'a', {}, 'application/strategic-merge-patch+json'),
      patch('status', 'a/status', { status: { a: 1 }, spec: { size: 9 }, metadata: { labels: { a: 'b' } } }),
      patch('status of another type', 'a/status', { status: 'x' }),
      patch('metadata', 'a', { metadata: { labels: { a: 'b' } } }),
      get('as it is', 'a'),
      get('status as it is', 'a/status'),
      get('scale', 'a/scale'),
      get('unknown subresource', 'a/other'),
      get('what is not there', 'zz'),
      { title: 'delete', method: 'DELETE', path: `${base('v1')}/a` },
      { title: 'delete again', method: 'DELETE', path: `${base('v1')}/a` },
    ],
  },
  {
    title: 'apply',
    definition: definition([version({ ...sizedSpec, ...anyStatus }, { subresources: { status: {} } })]),
    steps: [
      apply(
        'first',
        'a',
        one('a', { spec: { size: 1, ports: [{ name: 'x', port: 1 }], tags: ['t'], labels: { a: 'b' } } }),
        { fieldManager: 'one' },
      ),
      apply(
        'another manager adds',
        'a',
        one('a', { spec: { ports: [{ name: 'y', port: 2 }], tags: ['u'], labels: { c: 'd' } } }),
        { fieldManager: 'two' },
      ),
      apply('conflict', 'a', one('a', { spec: { size: 2, ports: [{ name: 'x', port: 3 }] } }), { fieldManager: 'two' }),
      apply('force', 'a', one('a', { spec: { size: 2, ports: [{ name: 'x', port: 3 }] } }), {
        fieldManager: 'two',
        force: 'true',
      }),
      apply('giving up', 'a', one('a', { spec: { labels: { a: 'b' } } }), { fieldManager: 'one' }),
      apply(
        'atomic and free',
        'a',
        one('a', { spec: { atomic: { a: 'b' }, free: { x: { y: [1] } }, plain: ['p'], port: 80 } }),
        { fieldManager: 'three' },
      ),
      apply('atomic conflict', 'a', one('a', { spec: { atomic: { c: 'd' } } }), { fieldManager: 'four' }),
      apply('unknown field', 'a', one('a', { spec: { unknown: 1 } }), { fieldManager: 'five' }),
      apply('another type', 'a', one('a', { spec: { size: 'x' } }), { fieldManager: 'five' }),
      apply('object for a list', 'a', one('a', { spec: { ports: {} } }), { fieldManager: 'five' }),
      apply('invalid', 'a', one('a', { spec: { size: 99 } }), { fieldManager: 'five', force: 'true' }),
      apply('list item twice', 'a', one('a', { spec: { tags: ['a', 'a'] } }), { fieldManager: 'five' }),
      apply('key twice', 'a', one('a', { spec: { ports: [{ name: 'a' }, { name: 'a' }] } }), { fieldManager: 'five' }),
      apply('no key', 'a', one('a', { spec: { ports: [{ port: 1 }] } }), { fieldManager: 'five' }),
      apply('managed fields', 'a', one('a', {}, { managedFields: [] }), { fieldManager: 'five' }),
      apply('status', 'a/status', { ...one('a'), status: { ready: true } }, { fieldManager: 'six' }),
      apply('status in the object', 'a', one('a', { status: { ready: false } }), { fieldManager: 'seven' }),
      patch('merge over apply', 'a', { spec: { size: 7 } }, MERGE, { query: { fieldManager: 'nine' } }),
    ],
  },
  {
    title: 'scale',
    definition: definition([
      version(
        { spec: { type: 'object', properties: { n: { type: 'integer' }, s: { type: 'string' } } }, ...anyStatus },
        {
          subresources: {
            status: {},
            scale: {
              specReplicasPath: '.spec.n',
              statusReplicasPath: '.status.n',
              labelSelectorPath: '.status.selector',
            },
          },
        },
      ),
    ]),
    steps: [
      create('negative', one('x', { spec: { n: -1 } })),
      create('too many', one('x', { spec: { n: 3000000000 } })),
      create('another type', one('x', { spec: { n: 'x' } })),
      create('without replicas', one('b')),
      get('scale without replicas', 'b/scale'),
      create('good', one('a', { spec: { n: 2 } })),
      get('scale', 'a/scale'),
      patch('status', 'a/status', { status: { n: 1, selector: 'a=b' } }),
      get('scale with a selector', 'a/scale'),
      patch('status of bad types', 'a/status', { status: { n: 'x', selector: 5 } }),
      patch('scale up', 'a/scale', { spec: { replicas: 5 } }),
      get('scaled', 'a'),
      put('put', 'a/scale', {
        apiVersion: 'autoscaling/v1',
        kind: 'Scale',
        metadata: { name: 'a', namespace: 'default' },
        spec: { replicas: 3 },
      }),
      put('put negative', 'a/scale', {
        apiVersion: 'autoscaling/v1',
        kind: 'Scale',
        metadata: { name: 'a', namespace: 'default' },
        spec: { replicas: -3 },
      }),
      get('scaled again', 'a'),
    ],
  },
  {
    title: 'embedded',
    definition: definition([
      version({
        template: {
          type: 'object',
          'x-kubernetes-embedded-resource': true,
          'x-kubernetes-preserve-unknown-fields': true,
        },
        typed: {
          type: 'object',
          'x-kubernetes-embedded-resource': true,
          properties: { spec: { type: 'object', properties: { a: { type: 'string' } } } },
        },
        list: {
          type: 'array',
          items: {
            type: 'object',
            'x-kubernetes-embedded-resource': true,
            'x-kubernetes-preserve-unknown-fields': true,
          },
        },
      }),
    ]),
    steps: [
      create(
        'good',
        one('a', {
          template: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'b', labels: { a: 'b' } }, spec: { x: 1 } },
        }),
      ),
      create('without a type', one('b', { template: {} })),
      create('empty type', one('b', { template: { apiVersion: '', kind: '' } })),
      create('type of numbers', one('b', { template: { apiVersion: 1, kind: 2 } })),
      create('bad type', one('b', { template: { apiVersion: 'a/b/c', kind: 'A B' } })),
      create(
        'bad metadata',
        one('b', { template: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a/b', labels: { 'a b': '' } } } }),
      ),
      create(
        'mistyped metadata',
        one('b', { template: { apiVersion: 'v1', kind: 'Pod', metadata: { labels: { a: 1 } } } }),
      ),
      create(
        'unknown metadata',
        one('b', { template: { apiVersion: 'v1', kind: 'Pod', metadata: { strange: 1, name: 'x' } } }),
      ),
      create(
        'pruned',
        one('c', {
          typed: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' }, spec: { a: 'x', b: 1 }, other: 1 },
        }),
      ),
      create(
        'in a list',
        one('d', {
          list: [{ apiVersion: 'v1', kind: 'Pod', metadata: { creationTimestamp: null, name: 'n' } }, { kind: 'X' }],
        }),
      ),
    ],
  },
  {
    title: 'reads',
    definition: definition([
      version(
        {
          spec: {
            type: 'object',
            properties: { a: { type: 'string' }, n: { type: 'integer' }, b: { type: 'boolean' } },
          },
          ...anyStatus,
        },
        {
          selectableFields: [{ jsonPath: '.spec.a' }, { jsonPath: '.spec.n' }, { jsonPath: '.spec.b' }],
          additionalPrinterColumns: [
            { name: 'A', type: 'string', jsonPath: '.spec.a', description: 'the a' },
            { name: 'N', type: 'integer', jsonPath: '.spec.n', priority: 1, format: 'int32' },
            { name: 'B', type: 'boolean', jsonPath: '.spec.b' },
            { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
            { name: 'All', type: 'string', jsonPath: '.status.list' },
            { name: 'Map', type: 'string', jsonPath: '.status.map' },
            { name: 'Number', type: 'number', jsonPath: '.status.number' },
            { name: 'Wrong', type: 'integer', jsonPath: '.spec.a' },
            { name: 'Text', type: 'string', jsonPath: '.status.number' },
            { name: 'Since', type: 'date', jsonPath: '.status.since' },
          ],
        },
      ),
    ]),
    steps: [
      create(
        'one',
        one(
          'one',
          {
            spec: { a: 'x', n: 1, b: true },
            status: {
              conditions: [{ type: 'Ready', status: 'True' }],
              list: [1, 'a'],
              map: { k: 'v' },
              number: 1.5,
              since: 'never',
            },
          },
          { labels: { l: 'a' } },
        ),
      ),
      create('two', one('two', { spec: { a: 'y', n: 2 } }, { labels: { l: 'b' } })),
      create('three', one('three', {})),
      list('all'),
      list('by label', { labelSelector: 'l=a' }),
      list('by field', { fieldSelector: 'spec.a=x' }),
      list('by number', { fieldSelector: 'spec.n!=1' }),
      list('by boolean', { fieldSelector: 'spec.b=true' }),
      list('by name', { fieldSelector: 'metadata.name=two' }),
      list('by an unknown field', { fieldSelector: 'spec.x=1' }),
      list('limit', { limit: '1' }),
      list('table', {}, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }),
      get('table of one', 'one', { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }),
      list('metadata', {}, { accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' }),
      get('metadata of one', 'one', { accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' }),
      get('across namespaces', `/apis/${GROUP}/v1/cases`),
      { title: 'delete by label', method: 'DELETE', path: base('v1'), query: { labelSelector: 'l=a' } },
      list('what is left'),
    ],
  },
  {
    title: 'versions',
    definition: definition([
      version(
        { spec: { type: 'object', properties: { both: { type: 'string' }, old: { type: 'string' } } }, ...anyStatus },
        { name: 'v1', subresources: { status: {} } },
      ),
      version(
        {
          spec: { type: 'object', properties: { both: { type: 'string' }, new: { type: 'string' } } },
          ...anyStatus,
        },
        { name: 'v2', storage: false, subresources: { status: {} } },
      ),
      version(
        { spec: { type: 'object', properties: { both: { type: 'string' } } } },
        { name: 'v1beta1', storage: false, deprecated: true },
      ),
      version(
        { spec: { type: 'object' } },
        { name: 'v1alpha1', storage: false, deprecated: true, deprecationWarning: 'do not' },
      ),
    ]),
    steps: [
      create('in v1', one('a', { spec: { both: 'x', new: 'z' } })),
      get('in v2', `${base('v2')}/a`),
      create(
        'made in v2',
        { ...one('b', { spec: { both: 'x', old: 'y' } }), apiVersion: `${GROUP}/v2` },
        { path: base('v2') },
      ),
      get('of v2 in v1', 'b'),
      patch('patched in v2', 'a', { spec: { both: 'w' } }, MERGE, {
        path: `${base('v2')}/a`,
        query: { fieldManager: 'other' },
      }),
      get('patched in v2, in v1', 'a'),
      get('deprecated', `${base('v1beta1')}/a`),
      get('deprecated with words', `${base('v1alpha1')}/a`),
      patch('applied in v2', 'c', { ...one('c', { spec: { both: 'q' } }), apiVersion: `${GROUP}/v2` }, APPLY, {
        path: `${base('v2')}/c`,
        query: { fieldManager: 'one' },
      }),
      apply('applied in v1', 'c', one('c', { spec: { both: 'r' } }), { fieldManager: 'one' }),
      apply('conflict across versions', 'c', one('c', { spec: { both: 's' } }), { fieldManager: 'two' }),
      get('list in v2', base('v2')),
      get('resources of v2', `/apis/${GROUP}/v2`),
      get('group', `/apis/${GROUP}`),
    ],
  },
  {
    title: 'cluster scope',
    definition: definition([version(sizedSpec)], { scope: 'Cluster' }),
    steps: [
      create('without one', one('a', { spec: { size: 1 }, status: { a: 1 } }), { path: `/apis/${GROUP}/v1/cases` }),
      create('with a namespace in it', one('b', {}, { namespace: 'default' }), { path: `/apis/${GROUP}/v1/cases` }),
      patch('status without the endpoint', 'a', { status: { a: 2 } }, MERGE, { path: `/apis/${GROUP}/v1/cases/a` }),
      patch('status endpoint', 'a', { status: { a: 2 } }, MERGE, { path: `/apis/${GROUP}/v1/cases/a/status` }),
    ],
  },
  {
    title: 'unchanged parts pass',
    definition: definition([
      version(
        { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }, ...anyStatus },
        { subresources: { status: {} } },
      ),
    ]),
    steps: [
      create(
        'before',
        one('a', {
          spec: {
            size: 99,
            colour: 'green',
            ports: [
              { name: 'x', port: 999 },
              { name: 'y', port: 1 },
            ],
            plain: ['a'],
            tags: ['t'],
          },
        }),
      ),
      {
        title: 'a stricter definition',
        method: 'PATCH',
        path: `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/cases.${GROUP}`,
        contentType: JSON_PATCH,
        body: [
          { op: 'replace', path: '/spec/versions/0/schema/openAPIV3Schema/properties/spec', value: sizedSpec.spec },
        ],
      },
      patch('a label', 'a', { metadata: { labels: { a: 'b' } } }),
      patch('another field', 'a', { spec: { labels: { a: 'b' } } }),
      patch('a new item', 'a', {
        spec: {
          ports: [
            { name: 'x', port: 999 },
            { name: 'y', port: 1 },
            { name: 'z', port: 2 },
          ],
        },
      }),
      patch('a bad new item', 'a', {
        spec: {
          ports: [
            { name: 'x', port: 999 },
            { name: 'z', port: 200 },
          ],
        },
      }),
      patch('still bad', 'a', { spec: { size: 98 } }),
      patch('status', 'a/status', { status: { a: 1 } }),
      patch('good', 'a', {
        spec: { size: 9, colour: 'red', plain: null, tags: null, ports: [{ name: 'x', port: 9 }] },
      }),
    ],
  },
  {
    title: 'rules',
    definition: definition([
      version(
        {
          spec: {
            type: 'object',
            properties: {
              min: { type: 'integer' },
              max: { type: 'integer' },
              name: ruled({ type: 'string', maxLength: 20 }, { rule: 'self == oldSelf', message: 'name stays' }),
              word: ruled({ type: 'string', maxLength: 20 }, { rule: "self.startsWith('a')" }),
              reasons: ruled(
                { type: 'string', maxLength: 20 },
                { rule: "self != 'forbidden'", reason: 'FieldValueForbidden', message: 'not that' },
                { rule: "self != 'required'", reason: 'FieldValueRequired' },
                { rule: "self != 'duplicate'", reason: 'FieldValueDuplicate' },
                { rule: "self != 'invalid'", reason: 'FieldValueInvalid' },
              ),
              messages: ruled(
                { type: 'string', maxLength: 20 },
                { rule: "self != 'one'", messageExpression: "'it is ' + self" },
                { rule: "self != 'two'", messageExpression: "''", message: 'fallback' },
                { rule: "self != 'three'", messageExpression: "'a\\nb'" },
                { rule: "self != 'four'", messageExpression: "string(1 / (self == 'four' ? 0 : 1))" },
              ),
              items: {
                type: 'array',
                maxItems: 10,
                'x-kubernetes-list-type': 'map',
                'x-kubernetes-list-map-keys': ['k'],
                items: ruled(
                  {
                    type: 'object',
                    required: ['k'],
                    properties: { k: { type: 'string', maxLength: 5 }, v: { type: 'integer' } },
                  },
                  { rule: 'self.v >= oldSelf.v', message: 'only up', fieldPath: '.v' },
                  { rule: 'self.v < 100' },
                ),
              },
              labels: {
                type: 'object',
                maxProperties: 5,
                additionalProperties: ruled({ type: 'string', maxLength: 10 }, { rule: "self != 'bad'" }),
              },
              once: ruled(
                { type: 'string', maxLength: 10 },
                { rule: 'oldSelf.hasValue() ? self == oldSelf.value() : self.size() > 1', optionalOldSelf: true },
              ),
              port: ruled({ 'x-kubernetes-int-or-string': true }, { rule: 'self > 5' }),
              when: ruled({ type: 'string', format: 'date-time' }, { rule: 'self.getFullYear() > 2000' }),
              division: ruled({ type: 'integer' }, { rule: '10 / self > 1' }),
              nullable: ruled({ type: 'string', nullable: true, maxLength: 10 }, { rule: "self != 'x'" }),
            },
            'x-kubernetes-validations': [
              {
                rule: '!has(self.min) || !has(self.max) || self.min <= self.max',
                message: 'min is above max',
                fieldPath: '.min',
              },
              { rule: "!has(self.labels) || !('secret' in self.labels)" },
              { rule: '!has(oldSelf.max) || has(self.max)', message: 'max stays' },
            ],
          },
          status: {
            type: 'object',
            properties: { n: { type: 'integer' } },
            'x-kubernetes-validations': [{ rule: 'self.n >= oldSelf.n' }],
          },
        },
        { subresources: { status: {} } },
        { 'x-kubernetes-validations': [{ rule: "self.metadata.name != 'nobody'", message: 'not nobody' }] },
      ),
    ]),
    steps: [
      create(
        'good',
        one('a', { spec: { min: 1, max: 2, name: 'n', items: [{ k: 'x', v: 1 }], once: 'ab', port: 80 } }),
      ),
      create('root rule', one('nobody')),
      create('min above max', one('b', { spec: { min: 3, max: 2 } })),
      create('default message', one('b', { spec: { word: 'b' } })),
      ...['forbidden', 'required', 'duplicate', 'invalid'].map(value =>
        create(`reason ${value}`, one('b', { spec: { reasons: value } })),
      ),
      ...['one', 'two', 'three', 'four'].map(value =>
        create(`message ${value}`, one('b', { spec: { messages: value } })),
      ),
      create('key of a map', one('b', { spec: { labels: { secret: 'x', a: 'bad' } } })),
      create('item', one('b', { spec: { items: [{ k: 'a', v: 100 }] } })),
      create('item without the field', one('b', { spec: { items: [{ k: 'a' }] } })),
      create('wrong type of int-or-string', one('b', { spec: { port: 'x' } })),
      create('date', one('b', { spec: { when: '1999-01-01T00:00:00Z' } })),
      create('division by zero', one('b', { spec: { division: 0 } })),
      create('optional old self on create', one('b', { spec: { once: 'a' } })),
      create('null', one('c', { spec: { nullable: null } })),
      create('blocked by other errors', one('b', { spec: { word: 5, min: 3, max: 2 } })),
      create('not blocked by limits', one('b', { spec: { min: 3, max: 2, word: 'b' }, status: { n: 'x' } })),
      patch('transition', 'a', { spec: { name: 'm' } }),
      patch('transition, removed', 'a', { spec: { max: null } }),
      patch('item goes down', 'a', { spec: { items: [{ k: 'x', v: 0 }] } }),
      patch('item goes up', 'a', {
        spec: {
          items: [
            { k: 'y', v: 0 },
            { k: 'x', v: 2 },
          ],
        },
      }),
      patch('optional old self on update', 'a', { spec: { once: 'xy' } }),
      patch('status', 'a/status', { status: { n: 5 } }),
      patch('status goes down', 'a/status', { status: { n: 4 } }),
    ],
  },
]
