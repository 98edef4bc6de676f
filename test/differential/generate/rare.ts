/** Cases written by hand for rules that nothing else breaks: limits, and what can be said together. */
import type { Scene } from '../ask.ts'
import type { Json } from '../bases/base.ts'
import { type Case, of, update, writtenScenes } from './written.ts'

const job = (name: string, change: (spec: Json) => void) => of('Job', name, ({ spec }) => change(spec))
const request = (name: string, change: (object: Json) => void) => of('CertificateSigningRequest', name, change)
const definition = (name: string, change: (spec: Json) => void) =>
  of('CustomResourceDefinition', name, ({ spec }) => change(spec))
const version = (name: string, change: (version: Json) => void) =>
  definition(name, ({ versions }) => change(versions[0]))
const schema = (name: string, properties: Json, more: Json = {}) =>
  version(`schema: ${name}`, each => (each.schema.openAPIV3Schema = { type: 'object', properties, ...more }))
const conversion = (name: string, value: Json) => definition(`conversion: ${name}`, spec => (spec.conversion = value))
const webhook = (url: string) =>
  conversion(url, { strategy: 'Webhook', webhook: { conversionReviewVersions: ['v1'], clientConfig: { url } } })
const service = (path: string) => {
  const clientConfig = { service: { name: 's', namespace: 'd', path } }
  return conversion(path, { strategy: 'Webhook', webhook: { conversionReviewVersions: ['v1'], clientConfig } })
}
const column = (name: string, value: Json) =>
  version(`column: ${name}`, each => {
    each.additionalPrinterColumns = [{ name: 'c', type: 'string', jsonPath: '.spec.x', ...value }]
  })
const text = { type: 'string' }
const list = (extra: Json, items: Json = { type: 'object', properties: { k: text } }) => ({
  l: { type: 'array', items, ...extra },
})
const rule = (extra: Json) => ({ x: { type: 'object', properties: { y: text }, 'x-kubernetes-validations': [extra] } })
const long = (length: number) => 'a'.repeat(length)
const many = <T>(count: number, each: (index: number) => T) => Array.from({ length: count }, (_, index) => each(index))

const jobs: readonly Case[] = [
  job('indexed, many completions', spec => {
    Object.assign(spec, {
      completionMode: 'Indexed',
      completions: 100_001,
      parallelism: 10_001,
      backoffLimitPerIndex: 1,
    })
  }),
  job('indexed, many failed', spec => {
    Object.assign(spec, {
      completionMode: 'Indexed',
      completions: 200_000,
      parallelism: 100_001,
      backoffLimitPerIndex: 1,
    })
    spec.maxFailedIndexes = 100_001
  }),
  of('Job', 'indexed, long name', object => {
    object.metadata.name = long(63)
    Object.assign(object.spec, { completionMode: 'Indexed', completions: 10, parallelism: 1 })
  }),
  job('manager of bad form', spec => (spec.managedBy = 'A_/x y')),
  job('failure policy that is too much', spec => {
    spec.template.spec.restartPolicy = 'OnFailure'
    const onExitCodes = { operator: 'In', values: many(256, index => index + 1) }
    spec.podFailurePolicy = { rules: many(21, () => ({ action: 'FailJob', onExitCodes })) }
  }),
  job('success policy that is too much', spec => {
    Object.assign(spec, { completionMode: 'Indexed', completions: 3, parallelism: 3 })
    spec.successPolicy = { rules: [{ succeededIndexes: many(30_000, () => '0').join(',') }, ...many(20, () => ({}))] }
  }),
  of('CronJob', 'long name', ({ metadata }) => (metadata.name = long(53))),
  of('Job', 'indexed, no name', object => {
    delete object.metadata.name
    Object.assign(object.spec, { completionMode: 'Indexed', completions: 10, parallelism: 1 })
  }),
  of('PodDisruptionBudget', 'finalizer without a domain', ({ metadata }) => (metadata.finalizers = ['x'])),
  of('CronJob', 'selector of its own', ({ spec }) => (spec.jobTemplate.spec.manualSelector = true)),
]

const requests: readonly Case[] = [
  request('legacy signer', ({ spec }) => (spec.signerName = 'kubernetes.io/legacy-unknown')),
  request('signer with one label', ({ spec }) => (spec.signerName = 'a/b')),
  request('signer with a bad label', ({ spec }) => (spec.signerName = 'A.b/C_')),
  request(
    'signer that is too long',
    ({ spec }) => (spec.signerName = `${long(63)}.${many(4, () => long(63)).join('.')}/a`),
  ),
  request(
    'signer with a path that is too long',
    ({ spec }) => (spec.signerName = `a.b/${many(9, () => long(63)).join('.')}`),
  ),
]

const definitions: readonly Case[] = [
  webhook('https://u@example.com/x'),
  webhook('https://example.com/x?q#f'),
  service('//'),
  service('/a//b'),
  conversion('none with webhook', {
    strategy: 'None',
    webhook: { conversionReviewVersions: ['v1'], clientConfig: { url: 'https://example.com' } },
  }),
  conversion('unknown', { strategy: 'Some' }),
  conversion('no client', { strategy: 'Webhook', webhook: { conversionReviewVersions: ['v1'] } }),
  conversion('no webhook', { strategy: 'Webhook' }),
  conversion('empty client', {
    strategy: 'Webhook',
    webhook: { conversionReviewVersions: ['v1', 'v1', 'A_'], clientConfig: {} },
  }),
  conversion('no versions', { strategy: 'Webhook', webhook: { clientConfig: { url: 'https://example.com' } } }),
  conversion('other versions', {
    strategy: 'Webhook',
    webhook: { conversionReviewVersions: ['v9'], clientConfig: { url: 'https://example.com' } },
  }),
  definition('group without a dot', spec => (spec.group = 'example')),
  definition('names', ({ names }) =>
    Object.assign(names, { listKind: 'Thing', shortNames: ['A_'], categories: ['A_'] }),
  ),
  of('CustomResourceDefinition', 'group of Kubernetes', ({ metadata, spec }) => {
    metadata.name = 'things.x.k8s.io'
    spec.group = 'x.k8s.io'
  }),
  of('CustomResourceDefinition', 'group of Kubernetes, badly approved', ({ metadata, spec }) => {
    metadata.name = 'things.x.k8s.io'
    metadata.annotations = { 'api-approved.kubernetes.io': 'x' }
    spec.group = 'x.k8s.io'
  }),
  column('bad format', { format: 'x' }),
  column('bad type', { type: 'x' }),
  column('no type', { type: '' }),
  column('no name', { name: '' }),
  column('no path', { jsonPath: '' }),
  column('bad path', { jsonPath: '.x[' }),
  version('status without an object', each => {
    each.subresources = { status: {} }
    each.schema.openAPIV3Schema = { type: 'object', properties: { status: text, spec: text } }
  }),
  version('scale', each => {
    each.subresources = { scale: { specReplicasPath: '', statusReplicasPath: '.x', labelSelectorPath: 'spec.x' } }
  }),
  version('scale in lists', each => {
    each.subresources = {
      scale: { specReplicasPath: '.spec.x[0]', statusReplicasPath: '.status', labelSelectorPath: '.x' },
    }
  }),
  version('selectable fields', each => {
    each.selectableFields = [
      { jsonPath: '.metadata.name' },
      { jsonPath: '.spec.x' },
      { jsonPath: '.spec.x' },
      { jsonPath: '' },
    ]
    each.schema.openAPIV3Schema.properties = { spec: { type: 'object', properties: { x: { type: 'object' } } } }
  }),
  version('selectable fields of bad form', each => {
    each.selectableFields = [{ jsonPath: 'x[' }, { jsonPath: '.spec.odd' }]
  }),
  version('many selectable fields', each => {
    each.selectableFields = many(9, index => ({ jsonPath: `.spec.x${index}` }))
    const properties = Object.fromEntries(many(9, index => [`x${index}`, text]))
    each.schema.openAPIV3Schema.properties = { spec: { type: 'object', properties } }
  }),
  schema('nullable list items', list({}, { type: 'string', nullable: true })),
  schema('set of nullables', list({ 'x-kubernetes-list-type': 'set' }, { type: 'string', nullable: true })),
  schema('set of objects', list({ 'x-kubernetes-list-type': 'set' })),
  schema('set of lists', list({ 'x-kubernetes-list-type': 'set' }, { type: 'array', items: text })),
  schema('map without keys', list({ 'x-kubernetes-list-type': 'map' })),
  schema('map of texts', list({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'] }, text)),
  schema(
    'map with odd keys',
    list({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k', 'k', 'odd'] }),
  ),
  schema('map with optional keys', list({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'] })),
  schema('map with keys of objects', {
    l: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['k'],
      items: { type: 'object', required: ['k'], properties: { k: { type: 'object' } } },
    },
  }),
  schema('map with a nullable key', {
    l: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['k'],
      items: { type: 'object', required: ['k'], properties: { k: { type: 'string', nullable: true, default: 'x' } } },
    },
  }),
  schema('map without items', {
    l: { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'] },
  }),
  schema('list without items', { l: { type: 'array' } }),
  schema('list of a bad type', list({ 'x-kubernetes-list-type': 'odd', 'x-kubernetes-list-map-keys': ['k'] })),
  schema('list type of an object', {
    o: { type: 'object', 'x-kubernetes-list-type': 'set', 'x-kubernetes-map-type': 'odd' },
  }),
  schema('map type of a list', list({ 'x-kubernetes-map-type': 'granular' })),
  schema('list of two items', { l: { type: 'array', items: [text, text] } }),
  schema('not preserving', { o: { type: 'object', 'x-kubernetes-preserve-unknown-fields': false } }),
  schema('no type', { o: {}, p: { type: 'odd' } }),
  schema('embedded', {
    o: { type: 'string', 'x-kubernetes-embedded-resource': true },
    p: { type: 'object', 'x-kubernetes-embedded-resource': true },
  }),
  schema('properties and more', { o: { type: 'object', properties: { a: text }, additionalProperties: text } }),
  schema('more at the root', {}, { additionalProperties: text }),
  schema('more at the root and properties', { a: text }, { additionalProperties: true }),
  schema('unique items', list({ uniqueItems: true })),
  schema('metadata', {
    metadata: { type: 'object', properties: { name: text, odd: text, generateName: { type: 'string', maxLength: 3 } } },
  }),
  schema('metadata of another type', { metadata: text, apiVersion: { type: 'object' }, kind: { type: 'integer' } }),
  schema('bad pattern', { a: { type: 'string', pattern: '(' } }),
  schema('int or string with a type', { a: { type: 'string', 'x-kubernetes-int-or-string': true } }),
  schema('int or string and more', {
    a: {
      'x-kubernetes-int-or-string': true,
      'x-kubernetes-embedded-resource': true,
      'x-kubernetes-preserve-unknown-fields': true,
    },
  }),
  schema('structure in alternatives', {
    a: {
      type: 'object',
      anyOf: [
        { type: 'object', properties: { metadata: text, b: text } },
        { items: text, additionalProperties: text, default: 1, nullable: true, title: 't', description: 'd' },
      ],
    },
  }),
  schema(
    'list in alternatives',
    list({ allOf: [{ items: { required: ['k'], properties: { odd: text } } }], not: { items: { items: text } } }),
  ),
  schema('alternatives without a structure', {
    a: { type: 'object', allOf: [{ properties: { b: { minLength: 1 } } }], oneOf: [{ items: { minLength: 1 } }] },
  }),
  schema('forbidden words', { a: { type: 'string', $ref: '#/x', id: 'x', definitions: { a: text } } }),
  schema('defaults that do not fit', {
    a: { type: 'object', default: { odd: 1 }, properties: { b: { type: 'string', default: 7 } } },
  }),
  schema('defaults in metadata', {
    o: {
      type: 'object',
      'x-kubernetes-embedded-resource': true,
      properties: {
        metadata: {
          type: 'object',
          properties: {
            name: { type: 'string', default: 'A_' },
            labels: { type: 'object', additionalProperties: text, default: { a: 'B C' } },
          },
        },
      },
    },
  }),
  schema('default metadata of another type', {
    o: {
      type: 'object',
      'x-kubernetes-embedded-resource': true,
      properties: { metadata: { type: 'object', default: { labels: 'x' } } },
    },
  }),
  schema('rule without a rule', rule({ rule: ' ' })),
  schema('rule of lines', rule({ rule: 'self.y\n== "a"' })),
  schema('rule of lines with a message of lines', rule({ rule: 'self.y\n== "a"', message: 'a\nb' })),
  schema('rule with an empty message', rule({ rule: 'self.y == "a"', message: ' ', messageExpression: ' ' })),
  schema('rule with a bad reason', rule({ rule: 'self.y == "a"', reason: 'Odd' })),
  schema('rule with an empty path', rule({ rule: 'self.y == "a"', fieldPath: ' ' })),
  schema('rule with a path of lines', rule({ rule: 'self.y == "a"', fieldPath: '.y\n.z' })),
  schema('rule with a bad path', rule({ rule: 'self.y == "a"', fieldPath: '.odd' })),
  schema('rule of another type', rule({ rule: 'self.y', messageExpression: '7' })),
  schema('rule of bad grammar', rule({ rule: 'self.(', messageExpression: 'self.(' })),
]

const others: readonly Case[] = [
  of('ControllerRevision', 'data that is none', object => (object.data = 7)),
  of('StatefulSet', 'delete with a rolling update', ({ spec }) => {
    spec.updateStrategy = { type: 'OnDelete', rollingUpdate: { partition: 1 } }
  }),
  of('Lease', 'preferred holder without a strategy', ({ spec }) => (spec.preferredHolder = 'x')),
  of('Lease', 'preferred holder', object => (object.spec = { ...object.spec, preferredHolder: 'x' })),
  of('PriorityClass', 'of the system', object => Object.assign(object, { metadata: { name: 'system-odd' }, value: 1 })),
  of('PriorityClass', 'critical, by another value', object => {
    Object.assign(object, { metadata: { name: 'system-node-critical' }, value: 1, globalDefault: true })
  }),
  of('IngressClass', 'controller of bad form', ({ spec }) => (spec.controller = 'A_.b/x y')),
  of('IngressClass', 'parameters of bad names', ({ spec }) => {
    spec.parameters = { apiGroup: 'A_', kind: 'a/b', name: 'a/b', scope: 'Odd', namespace: 'A_' }
  }),
  of('Ingress', 'paths', ({ spec }) => {
    const backend = { service: { name: 's', port: { number: 1 } } }
    const paths = ['/a/../b', '/a/..', '/a%2fb', '/a//b'].map(path => ({ path, pathType: 'Prefix', backend }))
    spec.rules = [{ http: { paths } }]
  }),
  of('Ingress', 'class twice', object => {
    object.metadata.annotations = { 'kubernetes.io/ingress.class': 'a' }
    object.spec.ingressClassName = 'b'
  }),
  of('NetworkPolicy', 'block with a hole outside', ({ spec }) => {
    spec.ingress = [{ from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['11.0.0.0/16', '10.0.0.0/8'] } }] }]
  }),
  of('CSINode', 'long id', ({ spec }) => (spec.drivers = [{ name: 'a', nodeID: long(300) }])),
  of('StorageClass', 'parameters', object => (object.parameters = { '': 'x' })),
  of(
    'StorageClass',
    'many parameters',
    object => (object.parameters = Object.fromEntries(many(513, index => [`k${index}`, 'x']))),
  ),
  of('StorageClass', 'large parameters', object => (object.parameters = { k: long(300_000) })),
  of('EndpointSlice', 'too much', object => {
    object.endpoints = many(1001, () => ({ addresses: ['10.0.0.1'] }))
    object.ports = many(101, index => ({ name: `p${index}`, port: 1, protocol: 'TCP' }))
  }),
  of('EndpointSlice', 'too many addresses and hints', object => {
    const forZones = many(9, index => ({ name: `z${index}` }))
    object.endpoints = [{ addresses: many(101, index => `10.0.0.${index}`), hints: { forZones } }]
  }),
  of('IPAddress', 'generated name', ({ metadata }) => (metadata.generateName = 'x')),
  of('Lease', 'finalizer without a domain', ({ metadata }) => (metadata.finalizers = ['x'])),
  of('RuntimeClass', 'finalizer without a domain', ({ metadata }) => (metadata.finalizers = ['x'])),
  update('EventsEvent', 'finalizer without a domain', ({ metadata }) => (metadata.finalizers = ['x'])),
  of('RoleBinding', 'role of bad name', object => (object.roleRef.name = 'a/b')),
  of('HorizontalPodAutoscaler', 'target of bad names', ({ spec }) => {
    spec.scaleTargetRef = { apiVersion: 'a/b/c', kind: 'a/b', name: 'a/b' }
  }),
  update('Lease', 'preferred holder', ({ spec }) => (spec.preferredHolder = 'x')),
]

export const rare = (): Scene[] => writtenScenes([...jobs, ...requests, ...definitions, ...others], 'rare')
