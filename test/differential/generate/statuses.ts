/** Writes to the status endpoint: each field of a status wrong in turn, and what it leaves alone. */
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
  read,
  replace,
  type Scene,
  STRATEGIC,
  topicOf,
} from '../ask.ts'
import type { Base, Json } from '../bases/base.ts'
import type { Progress } from './creates.ts'
import { absent, filled, pointerOf, titleOf } from './fields.ts'
import { additions, wrongs } from './wrong.ts'

const isStatus = ({ path }: { path: readonly unknown[] }) => path[0] === 'status'

/** The scene of a kind with the status that it is given. */
export function statusWrites(progress: Progress, { object }: Base, status: Json): Scene {
  const path = `${pathOf(object)}/status`
  const full: Json = { ...object, status }
  const root = compileSchema(kindOf(object).schema)
  const asks: Ask[] = [
    create('create with status', full),
    read('read', path),
    patch('set', `${path}?fieldManager=kubelet`, MERGE, { status, metadata: { labels: { ignored: 'x' } } }),
    read('read again', pathOf(object)),
    patch('set at the main endpoint', pathOf(object) + DRY, MERGE, { status: {}, metadata: { labels: { a: 'b' } } }),
    replace(
      'replace',
      { ...full, metadata: { ...object.metadata, resourceVersion: '{{rv}}' }, spec: undefined },
      DRY,
      '/status',
    ),
    replace('replace without version', { ...full, status: {} }, DRY, '/status'),
    patch('strategic', path + DRY, STRATEGIC, { status }),
    patch('null', path + DRY, MERGE, { status: null }),
  ]
  for (const field of [...filled(root, full), ...absent(root, full)].filter(isStatus)) {
    const forms = field.value === undefined ? additions(field.node) : wrongs(field.node, field.value)
    for (const { what, value, structural } of forms) {
      const key = `${field.identity} ${what}`
      if (structural && (progress.tried.has(key) || !progress.tried.add(key))) continue
      const op = value === undefined ? 'remove' : field.value === undefined ? 'add' : 'replace'
      const operation = { op, path: pointerOf(field.path), ...(value !== undefined && { value }) }
      asks.push(patch(`${titleOf(field.path)} ${what}`, path + DRY, JSON_PATCH, [operation]))
    }
  }
  return { topic: topicOf(object), name: 'status', asks }
}
