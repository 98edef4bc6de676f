import { fn, type Library, method, overload } from '../declarations.ts'
import { BOOL, STRING } from '../types.ts'
import { compileRegex } from './regex-engine.ts'

const TWO = [STRING, STRING]
const matches = (text: string, pattern: string): boolean => compileRegex(pattern).matches(text)

/** The functions of the language about strings. */
export const STRINGS_CORE: Library = [
  fn(
    'contains',
    method('contains_string', TWO, BOOL, (text: string, part: string) => text.includes(part)),
  ),
  fn(
    'endsWith',
    method('ends_with_string', TWO, BOOL, (text: string, part: string) => text.endsWith(part)),
  ),
  fn(
    'startsWith',
    method('starts_with_string', TWO, BOOL, (text: string, part: string) => text.startsWith(part)),
  ),
  fn('matches', overload('matches', TWO, BOOL, matches), method('matches_string', TWO, BOOL, matches)),
]
