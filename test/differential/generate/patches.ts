/** Strategic merge, merge and JSON patches of every list and map of a full object. */
import { compileSchema } from '../../../src/api/machinery/schema-node.ts'
import {
  type Ask,
  create,
  DRY,
  JSON_PATCH,
  kindOf,
  MERGE,
  patch,
  pathOf,
  type Scene,
  STRATEGIC,
  topicOf,
} from '../ask.ts'
import type { Base, Json } from '../bases/base.ts'
import { chosen } from './chance.ts'
import type { Progress } from './creates.ts'
import { type Field, filled, type Path, pointerOf, titleOf } from './fields.ts'

/** `value` where the path is; in a list, beside the merge key of the item. Undefined below lists that replace. */
function nested(field: Field, value: unknown): Json | undefined {
  if (field.path.some(step => typeof step === 'number')) return undefined
  return field.path.reduceRight<unknown>((inner, step) => ({ [step]: inner }), value) as Json
}

const isPlain = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

function* listPatches(field: Field): Generator<[string, Json]> {
  const { node, value } = field
  const items = value as unknown[]
  const key = node.patchMergeKey
  const put = (what: string, inner: unknown): [string, Json][] => {
    const body = nested(field, inner)
    return body ? [[what, body]] : []
  }
  const first = items[0]
  if (key && isPlain(first) && first[key] !== undefined) {
    const id = { [key]: first[key] }
    yield* put('one item merged', [{ ...id, odd: undefined }])
    yield* put('one item added', [
      { ...first, [key]: typeof first[key] === 'number' ? first[key] + 1 : `${first[key]}x` },
    ])
    yield* put('one item deleted', [{ ...id, $patch: 'delete' }])
    yield* put('one item replaced', [{ ...id, $patch: 'replace' }])
    yield* put('all replaced', [first, { $patch: 'replace' }])
    yield* put('without its key', [{ $patch: 'delete' }])
    const parent = { ...field, path: field.path.slice(0, -1) }
    const name = String(field.path.at(-1))
    const order = [...items].reverse().map(item => ({ [key]: (item as Json)[key] }))
    const reordered = nested(parent, { [`$setElementOrder/${name}`]: order, [name]: [id] })
    if (reordered) yield ['reordered', reordered]
  } else if (field.node.patchStrategy.includes('merge')) {
    yield* put('an item merged', [typeof first === 'string' ? `${first}x` : first])
    const parent = { ...field, path: field.path.slice(0, -1) }
    const name = String(field.path.at(-1))
    const removed = nested(parent, { [`$deleteFromPrimitiveList/${name}`]: [first] })
    if (removed) yield ['an item deleted', removed]
    const ordered = nested(parent, {
      [`$setElementOrder/${name}`]: [`${first}x`, first],
      [name]: [`${first}x`],
    })
    if (ordered) yield ['an item before', ordered]
  } else yield* put('replaced', [first])
  yield* put('null', null)
}

function* mapPatches(field: Field): Generator<[string, Json]> {
  const keys = Object.keys(field.value as Json)
  for (const [what, inner] of [
    ['replaced', { ...(field.value as Json), $patch: 'replace' }],
    ['deleted', { $patch: 'delete' }],
    ['only the first key', { $retainKeys: keys.slice(0, 1) }],
    ['with a wrong directive', { $patch: 'odd' }],
    ['null', null],
  ] as const) {
    const body = nested(field, inner)
    if (body) yield [what, body]
  }
}

function* strategic(object: Json): Generator<[string, Json]> {
  for (const field of filled(compileSchema(kindOf(object).schema), object)) {
    if (field.path[0] === 'apiVersion' || field.path[0] === 'kind' || field.path.length === 0) continue
    const title = titleOf(field.path)
    const patches =
      field.node.type === 'array'
        ? listPatches(field)
        : field.node.type === 'object' || field.node.type === 'map'
          ? mapPatches(field)
          : []
    for (const [what, body] of patches) yield [`${title} ${what}`, body]
  }
}

const GENERAL: readonly [string, string, unknown][] = [
  ['empty', MERGE, {}],
  ['a list', MERGE, []],
  ['a text', MERGE, 'x'],
  ['null', MERGE, null],
  ['labels', MERGE, { metadata: { labels: { a: 'b' } } }],
  ['labels null', MERGE, { metadata: { labels: null } }],
  ['name', MERGE, { metadata: { name: 'b' } }],
  ['uid', MERGE, { metadata: { uid: 'x' } }],
  ['version', MERGE, { metadata: { resourceVersion: '1' } }],
  ['kind', MERGE, { kind: 'Other' }],
  ['unknown', MERGE, { odd: 1 }],
  ['metadata null', MERGE, { metadata: null }],
  ['empty', STRATEGIC, {}],
  ['a list', STRATEGIC, []],
  ['null', STRATEGIC, null],
  ['unknown', STRATEGIC, { odd: 1 }],
  ['unknown list', STRATEGIC, { odd: [{ a: 1 }] }],
  ['replace all', STRATEGIC, { $patch: 'replace', metadata: { name: 'a' } }],
  ['delete all', STRATEGIC, { $patch: 'delete' }],
  ['finalizer', STRATEGIC, { metadata: { finalizers: ['example.com/x'] } }],
  ['finalizer deleted', STRATEGIC, { metadata: { '$deleteFromPrimitiveList/finalizers': ['example.com/x'] } }],
  ['empty', JSON_PATCH, []],
  ['an object', JSON_PATCH, {}],
  ['null', JSON_PATCH, null],
  ['unknown op', JSON_PATCH, [{ op: 'odd', path: '/x' }]],
  ['without op', JSON_PATCH, [{ path: '/x' }]],
  ['without path', JSON_PATCH, [{ op: 'add', value: 1 }]],
  ['without value', JSON_PATCH, [{ op: 'add', path: '/metadata/labels' }]],
  ['missing parent', JSON_PATCH, [{ op: 'add', path: '/x/y', value: 1 }]],
  ['missing target', JSON_PATCH, [{ op: 'remove', path: '/metadata/annotations' }]],
  ['replace missing', JSON_PATCH, [{ op: 'replace', path: '/metadata/annotations', value: {} }]],
  ['test holds', JSON_PATCH, [{ op: 'test', path: '/metadata/name', value: 'a' }]],
  ['test fails', JSON_PATCH, [{ op: 'test', path: '/metadata/name', value: 'b' }]],
  ['test missing', JSON_PATCH, [{ op: 'test', path: '/metadata/odd', value: 'b' }]],
  ['copy', JSON_PATCH, [{ op: 'copy', from: '/metadata/name', path: '/metadata/generateName' }]],
  ['move', JSON_PATCH, [{ op: 'move', from: '/metadata/uid', path: '/metadata/generateName' }]],
  ['copy missing', JSON_PATCH, [{ op: 'copy', from: '/x', path: '/y' }]],
  ['bad index', JSON_PATCH, [{ op: 'add', path: '/metadata/managedFields/9', value: {} }]],
  ['no index', JSON_PATCH, [{ op: 'add', path: '/metadata/managedFields/x', value: {} }]],
  ['unknown field', JSON_PATCH, [{ op: 'add', path: '/odd', value: 1 }]],
  ['kind', JSON_PATCH, [{ op: 'replace', path: '/kind', value: 'Other' }]],
  ['the whole', JSON_PATCH, [{ op: 'replace', path: '', value: {} }]],
]

const NAMES: Readonly<Record<string, string>> = { [MERGE]: 'merge', [STRATEGIC]: 'strategic', [JSON_PATCH]: 'json' }

/** Some of the general ones, and all that the object's lists and maps give. */
export function patches(progress: Progress, { object }: Base, every: boolean): Scene {
  const path = pathOf(object) + DRY
  const topic = topicOf(object)
  const general = GENERAL.filter(([what, type]) => every || chosen(progress.seed, `${topic} ${what} ${type}`, 6)).map(
    ([what, type, body]) => patch(`${NAMES[type]}: ${what}`, path, type, body),
  )
  const merges: Ask[] = []
  for (const [what, body] of strategic(object)) merges.push(patch(`strategic: ${what}`, path, STRATEGIC, body))
  const list = [...filled(compileSchema(kindOf(object).schema), object)].filter(({ node }) => node.type === 'array')
  const json = list
    .slice(0, 5)
    .flatMap(({ path: at }: { path: Path }) => [
      patch(`json: ${titleOf(at)} first removed`, path, JSON_PATCH, [{ op: 'remove', path: `${pointerOf(at)}/0` }]),
      patch(`json: ${titleOf(at)} first repeated`, path, JSON_PATCH, [
        { op: 'copy', from: `${pointerOf(at)}/0`, path: `${pointerOf(at)}/-` },
      ]),
    ])
  return { topic, name: 'patch', asks: [create('create', object), ...general, ...merges, ...json] }
}
