/**
 * Definitions, good and bad, that were put to a Kubernetes 1.36 API server as dry runs; `definitions.jsonl` holds what it
 * said (`scripts/record-custom.ts`).
 */
import type { Loose } from '../../api/start.ts'

export interface DefinitionCase {
  readonly title: string
  readonly definition: Loose
}

const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
const spec = (schema: object) => ({ type: 'object', properties: { spec: schema } })
const version = (name: string, more: object = {}) => ({
  name,
  served: true,
  storage: name === 'v1',
  schema: { openAPIV3Schema: open },
  ...more,
})

function definition(changes: Loose = {}): Loose {
  const { metadata = {}, names = {}, ...rest } = changes
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'cases.case.example.com', ...metadata },
    spec: {
      group: 'case.example.com',
      scope: 'Namespaced',
      names: { plural: 'cases', kind: 'Case', ...names },
      versions: [version('v1')],
      ...rest,
    },
  }
}

const withSchema = (schema: object, more: object = {}) =>
  definition({ versions: [version('v1', { schema: { openAPIV3Schema: schema }, ...more })] })

/** Whole definitions. */
const wholes: Readonly<Record<string, Loose>> = {
  minimal: definition(),
  'no spec': { ...definition(), spec: undefined },
  'no group': definition({ group: undefined }),
  'group without a dot': definition({ group: 'example' }),
  'bad group': definition({ group: 'Bad_Group.example' }),
  'no scope': definition({ scope: undefined }),
  'bad scope': definition({ scope: 'Galaxy' }),
  'no names': definition({ names: { plural: undefined, kind: undefined } }),
  'bad names': definition({
    names: { plural: 'Cases', singular: '-', kind: 'Ca se', listKind: '1', shortNames: ['A', 'b'], categories: ['_'] },
  }),
  'kind is list kind': definition({ names: { listKind: 'Case' } }),
  'name is not plural and group': definition({ metadata: { name: 'other.case.example.com' } }),
  'no versions': definition({ versions: [] }),
  'no schema': definition({ versions: [{ name: 'v1', served: true, storage: true }] }),
  'bad version name': definition({ versions: [version('V_1', { storage: true })] }),
  'no storage version': definition({ versions: [version('v1', { storage: false })] }),
  'two storage versions': definition({ versions: [version('v1'), version('v2', { storage: true })] }),
  'a version twice': definition({ versions: [version('v1'), version('v1', { storage: false })] }),
  'two versions of one schema': definition({ versions: [version('v1'), version('v2')] }),
  'preserve unknown fields': definition({ preserveUnknownFields: true }),
  'deprecation warning of a version that is not': definition({
    versions: [version('v1', { deprecationWarning: 'x' })],
  }),
  'empty deprecation warning': definition({
    versions: [version('v1', { deprecated: true, deprecationWarning: '' })],
  }),
  'long deprecation warning': definition({
    versions: [version('v1', { deprecated: true, deprecationWarning: 'x'.repeat(257) })],
  }),
  'deprecation warning with a line break': definition({
    versions: [version('v1', { deprecated: true, deprecationWarning: 'a\nb' })],
  }),
  'bad conversion strategy': definition({ conversion: { strategy: 'Magic' } }),
  'no conversion strategy': definition({ conversion: {} }),
  'webhook without a client': definition({ conversion: { strategy: 'Webhook' } }),
  'webhook with an empty client': definition({
    conversion: { strategy: 'Webhook', webhook: { clientConfig: {}, conversionReviewVersions: ['v1'] } },
  }),
  'webhook by http': definition({
    conversion: {
      strategy: 'Webhook',
      webhook: { clientConfig: { url: 'http://u:p@a/b?c#d' }, conversionReviewVersions: ['v1'] },
    },
  }),
  'webhook without a host': definition({
    conversion: {
      strategy: 'Webhook',
      webhook: { clientConfig: { url: 'https:///x' }, conversionReviewVersions: ['v1'] },
    },
  }),
  'webhook of a bad service': definition({
    conversion: {
      strategy: 'Webhook',
      webhook: {
        clientConfig: { service: { name: '', namespace: '', port: 0, path: 'a//b' } },
        conversionReviewVersions: ['v1', 'v1', 'V2'],
      },
    },
  }),
  'webhook of a service': definition({
    conversion: {
      strategy: 'Webhook',
      webhook: {
        clientConfig: { service: { name: 'a', namespace: 'b', path: '/convert' } },
        conversionReviewVersions: ['v1'],
      },
    },
  }),
  'webhook with unknown review versions': definition({
    conversion: {
      strategy: 'Webhook',
      webhook: { clientConfig: { url: 'https://a/b' }, conversionReviewVersions: ['v7'] },
    },
  }),
  'webhook without review versions': definition({
    conversion: {
      strategy: 'Webhook',
      webhook: { clientConfig: { url: 'https://a/b' }, conversionReviewVersions: [] },
    },
  }),
  'webhook without the strategy': definition({
    conversion: {
      strategy: 'None',
      webhook: { clientConfig: { url: 'https://a/b' }, conversionReviewVersions: ['v1'] },
    },
  }),
  'protected group': { ...definition({ group: 'x.k8s.io' }), metadata: { name: 'cases.x.k8s.io' } },
  'protected group with a bad approval': {
    ...definition({ group: 'x.k8s.io' }),
    metadata: { name: 'cases.x.k8s.io', annotations: { 'api-approved.kubernetes.io': 'yes' } },
  },
  'protected group with approval': {
    ...definition({ group: 'x.k8s.io' }),
    metadata: { name: 'cases.x.k8s.io', annotations: { 'api-approved.kubernetes.io': 'https://github.com/x/pull/1' } },
  },
  'protected group with a reason': {
    ...definition({ group: 'x.kubernetes.io' }),
    metadata: { name: 'cases.x.kubernetes.io', annotations: { 'api-approved.kubernetes.io': 'unapproved, because' } },
  },
  'bad columns': withSchema(open, {
    additionalPrinterColumns: [
      { name: '', type: '', jsonPath: '' },
      { name: 'a', type: 'text', format: 'pretty', jsonPath: 'spec.a' },
      { name: 'b', type: 'date', jsonPath: '.a', priority: 1 },
    ],
  }),
  'bad scale': withSchema(open, {
    subresources: {
      scale: { specReplicasPath: 'spec.n', statusReplicasPath: '.spec.n', labelSelectorPath: '.metadata.x' },
    },
  }),
  'empty scale': withSchema(open, { subresources: { scale: { specReplicasPath: '', statusReplicasPath: '' } } }),
  'selectable fields': withSchema(
    spec({
      type: 'object',
      properties: {
        a: { type: 'string' },
        b: { type: 'array', items: { type: 'string' } },
        m: { type: 'object', additionalProperties: { type: 'string' } },
      },
    }),
    {
      selectableFields: [
        { jsonPath: '.spec.a' },
        { jsonPath: '.spec.a' },
        { jsonPath: '.spec.b' },
        { jsonPath: '.spec.c' },
        { jsonPath: 'spec.a' },
        { jsonPath: '.spec.m.x' },
        { jsonPath: '.spec' },
        { jsonPath: '.metadata.name' },
        { jsonPath: ".spec['a']" },
        { jsonPath: '' },
      ],
    },
  ),
  'too many selectable fields': withSchema(
    spec({
      type: 'object',
      properties: Object.fromEntries([...'abcdefghi'].map(name => [name, { type: 'string' }])),
    }),
    { selectableFields: [...'abcdefghi'].map(name => ({ jsonPath: `.spec.${name}` })) },
  ),
  'bad selectable field of one version of two': definition({
    versions: [version('v1', { selectableFields: [{ jsonPath: '.spec.x' }] }), version('v2', { served: false })],
  }),
  'errors of one version of two': definition({
    versions: [
      version('v1'),
      version('v2', {
        schema: { openAPIV3Schema: spec({}) },
        subresources: { scale: { specReplicasPath: '', statusReplicasPath: '.status.n' } },
        additionalPrinterColumns: [{ name: 'a', type: 'x', jsonPath: '.a' }],
      }),
    ],
  }),
  'unknown fields': { ...withSchema({ ...open, strange: 1 }), strange: 1 },
  'nullable at the root': withSchema({ ...open, nullable: true }),
  'root with status that is too much': withSchema(
    { ...open, oneOf: [{ required: ['a'] }] },
    { subresources: { status: {} } },
  ),
  'root with status of another type': withSchema({ type: 'array', items: open }, { subresources: { status: {} } }),
}

/** Schemas of `spec`. */
const specs: Readonly<Record<string, object>> = {
  'no type': {},
  'unknown type': { type: 'text' },
  'type null': { type: 'null' },
  'array without items': { type: 'array' },
  'array with items without a type': { type: 'array', items: {} },
  'items as an array': { type: 'array', items: [{ type: 'string' }] },
  'field without a type': { type: 'object', properties: { a: {} } },
  'unsupported fields': {
    type: 'object',
    id: 'x',
    $ref: 'y',
    definitions: { a: { type: 'string' } },
    dependencies: { a: ['b'] },
    patternProperties: { a: { type: 'string' } },
    additionalItems: true,
  },
  'schema field': { type: 'object', $schema: 'x' },
  'unique items': { type: 'array', items: { type: 'string' }, uniqueItems: true },
  'properties and additional ones': {
    type: 'object',
    properties: { a: { type: 'string' } },
    additionalProperties: { type: 'string' },
  },
  'properties and no additional ones': {
    type: 'object',
    properties: { a: { type: 'string' } },
    additionalProperties: false,
  },
  'properties and any additional ones': {
    type: 'object',
    properties: { a: { type: 'string' } },
    additionalProperties: true,
  },
  'preserve false': { type: 'object', 'x-kubernetes-preserve-unknown-fields': false },
  'map type of a text': { type: 'string', 'x-kubernetes-map-type': 'atomic' },
  'bad map type': { type: 'object', 'x-kubernetes-map-type': 'x' },
  'list type of a text': { type: 'string', 'x-kubernetes-list-type': 'atomic' },
  'list type without a type': { 'x-kubernetes-preserve-unknown-fields': true, 'x-kubernetes-list-type': 'atomic' },
  'bad list type': { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'x' },
  'set of objects': { type: 'array', items: { type: 'object' }, 'x-kubernetes-list-type': 'set' },
  'set of atomic objects': {
    type: 'array',
    items: { type: 'object', 'x-kubernetes-map-type': 'atomic' },
    'x-kubernetes-list-type': 'set',
  },
  'set of lists that are sets': {
    type: 'array',
    items: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
    'x-kubernetes-list-type': 'set',
  },
  'map without keys': { type: 'array', items: { type: 'object' }, 'x-kubernetes-list-type': 'map' },
  'map of texts': {
    type: 'array',
    items: { type: 'string' },
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['a'],
  },
  'keys without a map': { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-map-keys': ['a'] },
  'keys of a set': {
    type: 'array',
    items: { type: 'string' },
    'x-kubernetes-list-type': 'set',
    'x-kubernetes-list-map-keys': ['a'],
  },
  'map with bad keys': {
    type: 'array',
    items: {
      type: 'object',
      nullable: true,
      properties: { a: { type: 'object' }, b: { type: 'string', nullable: true, default: 'x' } },
    },
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['a', 'b', 'c', 'b'],
  },
  'map with good keys': {
    type: 'array',
    items: {
      type: 'object',
      required: ['a'],
      properties: { a: { type: 'string' }, b: { type: 'string', default: 'x' } },
    },
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['a', 'b'],
  },
  'int-or-string': { 'x-kubernetes-int-or-string': true },
  'int-or-string with alternatives': {
    'x-kubernetes-int-or-string': true,
    anyOf: [{ type: 'integer' }, { type: 'string' }],
  },
  'int-or-string with alternatives in allOf': {
    'x-kubernetes-int-or-string': true,
    allOf: [{ anyOf: [{ type: 'integer' }, { type: 'string' }] }, { pattern: '^a' }],
  },
  'int-or-string with alternatives in another order': {
    'x-kubernetes-int-or-string': true,
    anyOf: [{ type: 'string' }, { type: 'integer' }],
  },
  'int-or-string with all': {
    'x-kubernetes-int-or-string': true,
    'x-kubernetes-preserve-unknown-fields': true,
    'x-kubernetes-embedded-resource': true,
  },
  'embedded without a type': { 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
  'embedded text': { type: 'string', 'x-kubernetes-embedded-resource': true },
  'embedded without fields': { type: 'object', 'x-kubernetes-embedded-resource': true },
  'embedded map': { type: 'object', 'x-kubernetes-embedded-resource': true, additionalProperties: { type: 'string' } },
  'embedded with its type': {
    type: 'object',
    'x-kubernetes-embedded-resource': true,
    properties: { kind: { type: 'integer' }, apiVersion: { type: 'string' }, metadata: { type: 'string' } },
  },
  'embedded with metadata': {
    type: 'object',
    'x-kubernetes-embedded-resource': true,
    properties: {
      metadata: { type: 'object', properties: { name: { type: 'string', default: 'a/b' } } },
      kind: { type: 'string', default: 'Pod' },
    },
  },
  'embedded within metadata': {
    type: 'object',
    'x-kubernetes-embedded-resource': true,
    properties: {
      metadata: {
        type: 'object',
        properties: {
          labels: { type: 'object', 'x-kubernetes-embedded-resource': true, properties: { a: { type: 'string' } } },
        },
      },
    },
  },
  'embedded with defaults of a map in metadata': {
    type: 'object',
    'x-kubernetes-embedded-resource': true,
    properties: {
      metadata: {
        type: 'object',
        properties: { labels: { type: 'object', additionalProperties: { type: 'string', default: 'a' } } },
      },
    },
  },
  'alternatives that are not structural': {
    type: 'object',
    properties: { a: { type: 'string' } },
    anyOf: [
      {
        type: 'object',
        description: 'x',
        title: 'y',
        nullable: true,
        default: {},
        additionalProperties: { type: 'string' },
        properties: { b: { type: 'string' }, metadata: {} },
        'x-kubernetes-preserve-unknown-fields': true,
        'x-kubernetes-embedded-resource': true,
        'x-kubernetes-int-or-string': true,
        'x-kubernetes-list-type': 'set',
        'x-kubernetes-list-map-keys': ['a'],
        'x-kubernetes-map-type': 'atomic',
      },
    ],
    not: { items: { enum: ['a'] } },
    oneOf: [{ properties: { a: { minLength: 1 } } }, { properties: { c: { properties: { d: { minLength: 1 } } } } }],
  },
  'rules in alternatives': {
    type: 'object',
    properties: { a: { type: 'string' } },
    allOf: [{ 'x-kubernetes-validations': [{ rule: 'true' }] }],
  },
  'bad pattern': { type: 'string', pattern: '(' },
  'pattern that looks ahead': { type: 'string', pattern: '(?=a)' },
  'bad pattern in an alternative': { type: 'string', anyOf: [{ pattern: '*' }] },
  'default of another type': { type: 'object', properties: { a: { type: 'integer', default: 'x' } } },
  'default that breaks a limit': { type: 'object', properties: { a: { type: 'integer', maximum: 3, default: 4 } } },
  'default with unknown fields': {
    type: 'object',
    properties: { a: { type: 'object', properties: { b: { type: 'string' } }, default: { b: 'x', c: 'y' } } },
  },
  'default in a list': { type: 'array', items: { type: 'integer', default: 'x' } },
  'default null': { type: 'object', properties: { a: { type: 'string', default: null } } },
  'default null of what may be null': {
    type: 'object',
    properties: { a: { type: 'string', nullable: true, default: null } },
  },
  'default of an embedded resource': {
    type: 'object',
    'x-kubernetes-embedded-resource': true,
    'x-kubernetes-preserve-unknown-fields': true,
    default: { apiVersion: 'v1', metadata: { name: 'a' } },
  },
  'default of an embedded resource with bad metadata': {
    type: 'object',
    'x-kubernetes-embedded-resource': true,
    'x-kubernetes-preserve-unknown-fields': true,
    default: { apiVersion: 'v1', kind: 'A', metadata: { labels: { a: 1 } } },
  },
  'enum, format, limits': {
    type: 'object',
    properties: {
      a: { type: 'string', enum: ['a', 'b'], default: 'c' },
      b: { type: 'string', format: 'date-time', default: 'x' },
      c: { type: 'integer', format: 'int32', default: 3000000000 },
      d: { type: 'string', format: 'unheard' },
      e: { type: 'number', format: 'int32' },
      f: { type: 'boolean', format: 'x' },
    },
  },
  'rules of bad form': {
    type: 'object',
    properties: {
      a: { type: 'string' },
      'b.c': { type: 'string' },
      m: { type: 'object', additionalProperties: { type: 'string' } },
    },
    'x-kubernetes-validations': [
      { rule: '' },
      { rule: 'true', message: ' ' },
      { rule: 'true', message: 'a\nb' },
      { rule: 'true\n&& true' },
      { rule: 'true', messageExpression: ' ' },
      { rule: 'true', reason: 'Because' },
      { rule: 'true', fieldPath: ' ' },
      { rule: 'true', fieldPath: '.a\n' },
      { rule: 'true', fieldPath: '.x' },
      { rule: 'true', fieldPath: 'a' },
      { rule: 'true', fieldPath: ".['b.c']" },
      { rule: 'true', fieldPath: "['b.c']" },
      { rule: 'true', fieldPath: '.m.key' },
      { rule: 'true', fieldPath: '.a', reason: 'FieldValueForbidden', message: 'no' },
    ],
  },
  'numbers where texts are wanted': { type: 'object', properties: { a: { type: 5, maxLength: 'x' } } },
  'items of another type': { type: 'array', items: 5 },
  'additional properties of another type': { type: 'object', additionalProperties: 5 },
  'unknown fields in items': { type: 'array', items: { type: 'string', strange: 1 } },
  'mistyped field in items': { type: 'array', items: { type: 'string', maxLength: 'x' } },
}

const text = { type: 'string' }
const few = { type: 'string', maxLength: 10 }
const withRules = (schema: object, ...list: (string | object)[]) => ({
  ...schema,
  'x-kubernetes-validations': list.map(each => (typeof each === 'string' ? { rule: each } : each)),
})

/** Schemas of `spec` with CEL rules. */
const ruled: Readonly<Record<string, object>> = {
  'a good rule': withRules({ type: 'object', properties: { a: { type: 'integer' } } }, 'self.a > 1'),
  'syntax error': withRules({ type: 'object', properties: { a: { type: 'integer' } } }, 'self.a >'),
  'unknown field': withRules({ type: 'object', properties: { a: { type: 'integer' } } }, 'self.b > 1', 'has(self.c)'),
  'unknown variable': withRules(text, 'foo == self'),
  'wrong types': withRules({ type: 'object', properties: { a: { type: 'integer' } } }, "self.a == 'x'", 'self.a + 1'),
  'two lines': withRules(
    { type: 'object', properties: { a: text } },
    { rule: "self.a == 'x' &&\n  self.b", message: 'm' },
  ),
  'message expressions': withRules(
    { type: 'object', properties: { a: few } },
    { rule: "self.a == 'x'", messageExpression: "'no ' + self.a" },
    { rule: "self.a == 'y'", messageExpression: 'self.b' },
    { rule: "self.a == 'z'", messageExpression: '1 + 1' },
  ),
  'transition in a list': {
    type: 'array',
    maxItems: 10,
    items: withRules({ type: 'object', properties: { a: few } }, 'self.a == oldSelf.a'),
  },
  'transition in a list map': {
    type: 'array',
    maxItems: 10,
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['a'],
    items: withRules({ type: 'object', required: ['a'], properties: { a: few } }, 'self.a == oldSelf.a'),
  },
  'transition in a set': {
    type: 'array',
    maxItems: 10,
    'x-kubernetes-list-type': 'set',
    items: withRules(few, 'self == oldSelf'),
  },
  'optional old self': withRules(
    few,
    { rule: 'oldSelf.hasValue() || self.size() > 1', optionalOldSelf: true },
    { rule: 'self.size() > 1', optionalOldSelf: true },
    { rule: 'oldSelf.size() > 1', optionalOldSelf: false },
  ),
  'expensive rule': withRules({ type: 'array', items: text }, 'self.all(x, self.all(y, x == y))'),
  'expensive rule in a list': { type: 'array', items: withRules(text, "self.matches('a*b*')") },
  'cheap by limits': {
    type: 'array',
    maxItems: 5,
    items: withRules({ type: 'string', maxLength: 10 }, "self.matches('^a*$')"),
  },
  'expensive all together': {
    type: 'object',
    properties: Object.fromEntries(
      [...'abcdefghijklmnopqrstuvwxyz'].map((name, index) => [
        name,
        withRules({ type: 'array', maxItems: 1000 + index, items: few }, 'self.all(x, self.all(y, x == y))'),
      ]),
    ),
  },
  'functions of Kubernetes': withRules(
    { type: 'object', properties: { q: few, u: few, i: few, l: { type: 'array', maxItems: 5, items: few } } },
    "quantity(self.q).isGreaterThan(quantity('1'))",
    'isURL(self.u)',
    'ip(self.i).family() == 4',
    'self.l.isSorted()',
    "self.q.lowerAscii() == 'x'",
  ),
  'fields with strange names': withRules(
    { type: 'object', properties: { 'a-b': few, namespace: few, '1a': few, 'x.y': few, a__b: few } },
    "self.a__dash__b == 'x' && self.__namespace__ == 'y' && self.x__dot__y == 'z' && self.a__underscores__b == 'q'",
    "self.a-b == 'x'",
  ),
  'default that breaks a rule': {
    type: 'object',
    properties: { a: withRules({ type: 'integer', default: 1 }, 'self > 5') },
  },
  'int-or-string': {
    type: 'object',
    properties: {
      p: withRules({ 'x-kubernetes-int-or-string': true }, 'type(self) == int ? self > 1 : self.size() > 1'),
    },
  },
  'preserved fields are not seen': withRules(
    { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { a: few } },
    "self.a == 'x'",
    'self.other == 1',
  ),
  'embedded resource': withRules(
    { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
    "self.kind == 'Pod' && self.metadata.name == 'x' && self.apiVersion == 'v1'",
    'self.metadata.labels.size() > 0',
  ),
  'dates and durations': withRules(
    {
      type: 'object',
      properties: {
        t: { type: 'string', format: 'date-time' },
        d: { type: 'string', format: 'duration' },
        b: { type: 'string', format: 'byte', maxLength: 10 },
      },
    },
    "self.t > timestamp('2020-01-01T00:00:00Z')",
    "self.d < duration('1h')",
    'self.b.size() < 5',
  ),
}

/** Schemas of the whole object. */
const roots: Readonly<Record<string, object>> = {
  'rule about metadata': withRules(
    { type: 'object', properties: { spec: open } },
    "self.metadata.name == 'x'",
    'self.metadata.labels.size() > 1',
    'self.kind == "A"',
  ),
  'no type': { properties: { spec: open } },
  'another type': { type: 'string' },
  'additional properties': { type: 'object', additionalProperties: { type: 'string' } },
  'metadata with a name': {
    type: 'object',
    properties: { metadata: { type: 'object', properties: { name: { type: 'string', maxLength: 3 } } } },
  },
  'metadata with labels': {
    type: 'object',
    properties: { metadata: { type: 'object', properties: { labels: { type: 'object' } } } },
  },
  'metadata with a description': { type: 'object', properties: { metadata: { type: 'object', description: 'x' } } },
  'metadata of another type': { type: 'object', properties: { metadata: { type: 'string' } } },
  'metadata with a default': { type: 'object', properties: { metadata: { type: 'object', default: { name: 'a' } } } },
  'kind with a default': { type: 'object', properties: { kind: { type: 'string', default: 'A' } } },
  'kind of another type': { type: 'object', properties: { kind: { type: 'integer' }, apiVersion: { type: 'object' } } },
}

export const definitionCases: readonly DefinitionCase[] = [
  ...Object.entries(wholes).map(([title, whole]) => ({ title, definition: whole })),
  ...Object.entries(specs).map(([title, schema]) => ({
    title: `spec: ${title}`,
    definition: withSchema(spec(schema)),
  })),
  ...Object.entries(ruled).map(([title, schema]) => ({
    title: `rules: ${title}`,
    definition: withSchema(spec(schema)),
  })),
  ...Object.entries(roots).map(([title, schema]) => ({ title: `root: ${title}`, definition: withSchema(schema) })),
]
