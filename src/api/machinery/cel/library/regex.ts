import { fn, type Library, method } from '../declarations.ts'
import { INT, listOf, STRING } from '../types.ts'
import { ArrayList } from '../values.ts'
import { compileRegex } from './regex-engine.ts'

const find = (text: string, pattern: string) => compileRegex(pattern, 'Illegal regex: ').find(text) ?? ''
const findAll = (text: string, pattern: string, limit = -1n) =>
  new ArrayList(compileRegex(pattern, 'Illegal regex: ').findAll(text, Number(limit)))

/** Kubernetes' functions about regular expressions. */
export const REGEX: Library = [
  fn('find', method('string_find_string', [STRING, STRING], STRING, find)),
  fn(
    'findAll',
    method('string_find_all_string', [STRING, STRING], listOf(STRING), findAll),
    method('string_find_all_string_int', [STRING, STRING, INT], listOf(STRING), findAll),
  ),
]
