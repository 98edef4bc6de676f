/** The wire messages of the built-in kinds as tables, compiled from the generated ones when first asked for. */
import { packages } from '../../generated/protobuf-data.ts'

export type Scalar = 'string' | 'bool' | 'int32' | 'int64' | 'double' | 'bytes'

export interface Field {
  /** Name in JSON. */
  readonly name: string
  readonly number: number
  readonly shape: 'single' | 'repeated' | 'map' | 'inline'
  /** Of the value, the elements or the map's values: a scalar, or a message's name. */
  readonly scalar: Scalar | undefined
  readonly message: string | undefined
  /** A zero value was set, as opposed to what Go writes for a field that never was. */
  readonly presence: boolean
}

export interface Message {
  readonly name: string
  readonly byNumber: ReadonlyMap<number, Field>
  /** Fields that stand in JSON by their name, and those of inline messages with the way to them. */
  readonly fields: readonly Field[]
}

const SCALARS: ReadonlySet<string> = new Set(['string', 'bool', 'int32', 'int64', 'double', 'bytes'])

function compileField(group: string, [name, number, written]: readonly [string, number, string]): Field {
  const presence = written.endsWith('?')
  let type = presence ? written.slice(0, -1) : written
  let shape: Field['shape'] = 'single'
  const map = /^map<string, (.*)>$/.exec(type)
  if (map) {
    shape = 'map'
    type = map[1]!
  } else if (type.startsWith('repeated ')) {
    shape = 'repeated'
    type = type.slice('repeated '.length)
  } else if (type.startsWith('inline ')) {
    shape = 'inline'
    type = type.slice('inline '.length)
  }
  const scalar = SCALARS.has(type) ? (type as Scalar) : undefined
  return {
    name,
    number,
    shape,
    scalar,
    message: scalar ? undefined : type.startsWith('.') ? group + type : type,
    presence,
  }
}

const parsed = new Map<string, Readonly<Record<string, readonly (readonly [string, number, string])[]>>>()
const compiled = new Map<string, Message>()

/** The message of that name, e.g. `io.k8s.api.core.v1.Pod`; undefined if there is none. */
export function messageOf(name: string): Message | undefined {
  const known = compiled.get(name)
  if (known) return known
  const dot = name.lastIndexOf('.')
  const group = name.slice(0, dot)
  if (!Object.hasOwn(packages, group)) return undefined
  let all = parsed.get(group)
  if (!all) {
    all = JSON.parse(packages[group]!)
    parsed.set(group, all!)
  }
  const short = name.slice(dot + 1)
  if (!Object.hasOwn(all!, short)) return undefined
  const fields = all![short]!.map(field => compileField(group, field))
  const message: Message = { name, fields, byNumber: new Map(fields.map(field => [field.number, field])) }
  compiled.set(name, message)
  return message
}
