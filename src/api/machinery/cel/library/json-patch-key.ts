import { fn, type Library, overload } from '../declarations.ts'
import { STRING } from '../types.ts'

const escapeKey = (key: string): string => key.replace(/[/~]/g, found => (found === '/' ? '~1' : '~0'))

/** What mutations written as JSON patches need besides. */
export const JSON_PATCH_KEY: Library = [
  fn('jsonpatch.escapeKey', overload('string_jsonpatch_escapekey_string', [STRING], STRING, escapeKey)),
]
