/** Each field of each good object wrong in turn, on create. */
import { compileSchema } from '../../../src/api/machinery/schema-node.ts'
import { type Ask, create, DRY, kindOf, type Scene, topicOf } from '../ask.ts'
import type { Base, Json } from '../bases/base.ts'
import { chosen } from './chance.ts'
import { absent, type Field, filled, type Path, titleOf, withField } from './fields.ts'
import { additions, type Wrong, wrongs } from './wrong.ts'

/** Fields of pods inside other kinds are tried in Pod; elsewhere one in so many. */
const IN_TEMPLATE = 12
/** Metadata is the same for all kinds. */
const IN_METADATA = 4

/** What shows whether a field is immutable. */
const CHANGES = new Set(['different', 'missing', 'turned', 'added'])
/** The rest of what is wrong on create is mostly wrong on update: one in so many is tried. */
const ON_UPDATE = 6
/** Of what can be added to a good object, one in so many is tried on create, half of these on update. */
const ADDED = 2

/** Kinds whose bases show one part each: what they share is tried once. */
const MANY_BASES = new Set(['Pod', 'PersistentVolume'])

const isSkipped = ([first, second]: Path) =>
  first === 'apiVersion' ||
  first === 'kind' ||
  first === 'status' ||
  (first === 'metadata' && second === 'managedFields')

function inTemplate(kind: string, path: Path): boolean {
  const at = path.indexOf('template')
  return kind !== 'PodTemplate' && at >= 0 && path[at + 1] === 'spec' && path.length > at + 2
}

/** What is known of the whole corpus while it is made. */
export interface Progress {
  readonly seed: number
  /** All cases, not only those that are recorded. */
  readonly wide: boolean
  /** Fields of types whose structural mistakes have been tried. */
  readonly tried: Set<string>
}

function isWanted(progress: Progress, object: Json, field: Field, wrong: Wrong, where: string): boolean {
  const text = `${topicOf(object)} ${where} ${titleOf(field.path)} ${wrong.what}`
  if (wrong.structural) {
    const key = `${field.identity} ${wrong.what}`
    if (progress.tried.has(key)) return false
    progress.tried.add(key)
  }
  if (MANY_BASES.has(object.kind)) {
    const key = `${topicOf(object)} ${where.split(' ')[0]} ${titleOf(field.path.filter(step => typeof step === 'string'))} ${wrong.what}`
    if (progress.tried.has(key)) return false
    progress.tried.add(key)
  }
  if (progress.wide) return true
  if (field.path[0] === 'metadata') return chosen(progress.seed, text, IN_METADATA)
  const onUpdate = where.startsWith('update')
  if (field.value === undefined && !chosen(progress.seed, text, onUpdate ? 2 * ADDED : ADDED)) return false
  if (onUpdate && !CHANGES.has(wrong.what) && !chosen(progress.seed, text, ON_UPDATE)) return false
  return !inTemplate(object.kind, field.path) || chosen(progress.seed, text, IN_TEMPLATE)
}

/** All wrong forms of an object, each with what is wrong, and the field. */
export function* wrongForms(progress: Progress, object: Json, where: string): Generator<[string, Field, Wrong]> {
  const root = compileSchema(kindOf(object).schema)
  const forms = function* (): Generator<[Field, Wrong]> {
    for (const field of filled(root, object)) for (const wrong of wrongs(field.node, field.value)) yield [field, wrong]
    for (const field of absent(root, object)) for (const wrong of additions(field.node)) yield [field, wrong]
  }
  for (const [field, wrong] of forms()) {
    if (isSkipped(field.path) || !isWanted(progress, object, field, wrong, where)) continue
    yield [`${titleOf(field.path)} ${wrong.what}`, field, wrong]
  }
}

/** The scene of one base: itself, then each field wrong. */
export function wrongCreates(progress: Progress, { name, object }: Base): Scene {
  const asks: Ask[] = [create('as it is', object, DRY)]
  for (const [title, field, wrong] of wrongForms(progress, object, `create ${name}`)) {
    asks.push(create(title, withField(object, field.path, wrong.value) as Json, DRY))
  }
  return { topic: topicOf(object), name: `create ${name}`, asks }
}
