/** The paths of a kind, with what clients look for in them: verbs, kinds, query parameters and body types. */
import type { Kind, Subresource, Verb } from '../../api/machinery/kind.ts'
import { subresourcesOf } from '../discovery/groups.ts'
import { patchTypesOf } from '../handlers/patch-body.ts'
import { type Dialect, type Json, listSchemaName, schemaName } from './schemas.ts'

interface Operation {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  readonly action: string
  readonly verb: Verb
}

const COLLECTION: readonly Operation[] = [
  { method: 'get', action: 'list', verb: 'list' },
  { method: 'post', action: 'post', verb: 'create' },
  { method: 'delete', action: 'deletecollection', verb: 'deletecollection' },
]
const SINGLE: readonly Operation[] = [
  { method: 'get', action: 'get', verb: 'get' },
  { method: 'put', action: 'put', verb: 'update' },
  { method: 'patch', action: 'patch', verb: 'patch' },
  { method: 'delete', action: 'delete', verb: 'delete' },
]

const WRITE = ['dryRun', 'fieldManager', 'fieldValidation']
const LIST = [
  'allowWatchBookmarks',
  'continue',
  'fieldSelector',
  'labelSelector',
  'limit',
  'resourceVersion',
  'resourceVersionMatch',
  'sendInitialEvents',
  'timeoutSeconds',
  'watch',
]
const DELETE = ['dryRun', 'gracePeriodSeconds', 'orphanDependents', 'propagationPolicy']
const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  list: LIST,
  post: WRITE,
  put: WRITE,
  patch: [...WRITE, 'force'],
  delete: DELETE,
  deletecollection: [...LIST, ...DELETE],
}
const BOOLEANS = new Set(['allowWatchBookmarks', 'force', 'orphanDependents', 'sendInitialEvents', 'watch'])
const INTEGERS = new Set(['gracePeriodSeconds', 'limit', 'timeoutSeconds'])

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'

const typeOf = (name: string) => (BOOLEANS.has(name) ? 'boolean' : INTEGERS.has(name) ? 'integer' : 'string')

function parameter(name: string, where: 'query' | 'path', dialect: Dialect): Json {
  const type = typeOf(name)
  const schema = dialect.version === 3 ? { schema: { type, uniqueItems: true } } : { type, uniqueItems: true }
  return { name, in: where, ...(where === 'path' && { required: true }), ...schema }
}

interface Target {
  readonly group: string
  readonly version: string
  readonly kind: string
}

function bodyTypes(method: string, kind: Kind): readonly string[] {
  if (method === 'patch') return patchTypesOf(kind)
  return kind.custom ? ['application/json', 'application/yaml'] : ['*/*']
}

function operation(kind: Kind, of: Operation, target: Target, body: string, answer: string, dialect: Dialect): Json {
  const ref = (name: string) => ({ $ref: dialect.prefix + name })
  const sent = of.method === 'patch' ? `${META}.Patch` : of.method === 'delete' ? `${META}.DeleteOptions` : body
  const hasBody = of.method !== 'get'
  const query = (PARAMETERS[of.action] ?? []).map(name => parameter(name, 'query', dialect))
  const gvk = { group: target.group, version: target.version, kind: target.kind }
  const common = { 'x-kubernetes-action': of.action, 'x-kubernetes-group-version-kind': gvk }
  if (dialect.version === 2) {
    const parameters = hasBody ? [{ name: 'body', in: 'body', schema: ref(sent) }, ...query] : query
    return {
      consumes: bodyTypes(of.method, kind),
      produces: ['application/json', 'application/yaml'],
      ...(parameters.length && { parameters }),
      responses: { 200: { description: 'OK', schema: ref(answer) }, 401: { description: 'Unauthorized' } },
      ...common,
    }
  }
  const content = (types: readonly string[], name: string) =>
    Object.fromEntries(types.map(type => [type, { schema: ref(name) }]))
  return {
    ...(query.length && { parameters: query }),
    ...(hasBody && { requestBody: { content: content(bodyTypes(of.method, kind), sent) } }),
    responses: {
      200: { description: 'OK', content: content(['application/json', 'application/yaml'], answer) },
      401: { description: 'Unauthorized' },
    },
    ...common,
  }
}

/** One path with the operations that the kind has, or undefined when it has none. */
function pathItem(
  kind: Kind,
  operations: readonly Operation[],
  names: readonly string[],
  dialect: Dialect,
): Json | undefined {
  const own = operations.filter(each => kind.verbs.includes(each.verb))
  if (!own.length) return undefined
  const body = schemaName(kind)
  const item: Json = {}
  for (const each of own) {
    const answer = each.action === 'list' ? listSchemaName(kind) : each.method === 'delete' ? `${META}.Status` : body
    item[each.method] = operation(kind, each, kind, body, answer, dialect)
  }
  if (names.length) item.parameters = names.map(name => parameter(name, 'path', dialect))
  return item
}

const SUB_METHODS: Readonly<Record<string, Operation['method']>> = {
  create: 'post',
  delete: 'delete',
  get: 'get',
  patch: 'patch',
  update: 'put',
}

/** Schemas of the kinds that subresources answer with, where they have one. */
export function subresourceSchema(kind: Kind, { responseKind }: Subresource): string | undefined {
  if (!responseKind) return schemaName(kind)
  const { group, version, kind: name } = responseKind
  const known: Readonly<Record<string, string>> = {
    'autoscaling/v1/Scale': 'io.k8s.api.autoscaling.v1.Scale',
    '/v1/Binding': 'io.k8s.api.core.v1.Binding',
    'policy/v1/Eviction': 'io.k8s.api.policy.v1.Eviction',
    'authentication.k8s.io/v1/TokenRequest': 'io.k8s.api.authentication.v1.TokenRequest',
  }
  return known[`${group}/${version}/${name}`]
}

function subresourceItem(kind: Kind, of: Subresource, names: readonly string[], dialect: Dialect): Json | undefined {
  const schema = subresourceSchema(kind, of)
  // Connections (exec, proxy, …) answer with no object.
  if (!schema) return undefined
  const item: Json = {}
  for (const verb of of.verbs) {
    const method = SUB_METHODS[verb]
    if (!method) continue
    const each: Operation = { method, action: method, verb: verb as Verb }
    item[method] = operation(kind, each, of.responseKind ?? kind, schema, schema, dialect)
  }
  item.parameters = names.map(name => parameter(name, 'path', dialect))
  return item
}

/** All paths of a kind. */
export function pathsOf(kind: Kind, dialect: Dialect): Json {
  const root = kind.group ? `/apis/${kind.group}/${kind.version}` : `/api/${kind.version}`
  const inNamespace = kind.namespaced ? ['namespace'] : []
  const base = kind.namespaced ? `${root}/namespaces/{namespace}/${kind.plural}` : `${root}/${kind.plural}`
  const paths: Json = {}
  const add = (path: string, item: Json | undefined) => {
    if (item) paths[path] = item
  }
  if (kind.namespaced && kind.verbs.includes('list')) {
    add(`${root}/${kind.plural}`, pathItem(kind, COLLECTION.slice(0, 1), [], dialect))
  }
  add(base, pathItem(kind, COLLECTION, inNamespace, dialect))
  add(`${base}/{name}`, pathItem(kind, SINGLE, [...inNamespace, 'name'], dialect))
  for (const each of subresourcesOf(kind)) {
    add(`${base}/{name}/${each.name}`, subresourceItem(kind, each, [...inNamespace, 'name'], dialect))
  }
  return paths
}
