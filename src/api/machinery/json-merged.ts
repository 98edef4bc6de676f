/**
 * JSON in which fields stand more than once, as Go decodes it into structs and maps: objects of one field are put
 * together, of anything else the last counts. `JSON.parse` takes the last object alone.
 */

type Json = Record<string, unknown>

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

function put(target: Json, key: string, value: unknown): void {
  const before = Object.hasOwn(target, key) ? target[key] : undefined
  if (isObject(before) && isObject(value)) for (const name of Object.keys(value)) put(before, name, value[name])
  else Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
}

const SPACE = /[ \t\r\n]*/y
const SCALAR = /"(?:[^"\\]|\\.)*"|[^,\]} \t\r\n]+/y

/** Reads a valid JSON text. `text` must be no deeper than the stack allows. */
export function parseMerged(text: string): unknown {
  let at = 0
  const skip = () => {
    SPACE.lastIndex = at
    SPACE.test(text)
    at = SPACE.lastIndex
  }
  const scalar = (): unknown => {
    SCALAR.lastIndex = at
    SCALAR.test(text)
    const start = at
    at = SCALAR.lastIndex
    return JSON.parse(text.slice(start, at))
  }
  /** Calls `read` for each member until the container is closed. */
  const members = (read: () => void) => {
    for (at++, skip(); text[at] !== '}' && text[at] !== ']'; skip()) {
      if (text[at] === ',') at++
      skip()
      read()
    }
    at++
  }
  function value(): unknown {
    skip()
    if (text[at] === '{') {
      const object: Json = {}
      members(() => {
        const key = scalar() as string
        skip()
        at++
        put(object, key, value())
      })
      return object
    }
    if (text[at] !== '[') return scalar()
    const list: unknown[] = []
    members(() => list.push(value()))
    return list
  }
  return value()
}
