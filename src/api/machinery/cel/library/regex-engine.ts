import { RE2JS } from 're2js'
import { fail } from '../errors.ts'

/** A compiled pattern. */
export interface Regex {
  /** Whether it matches anywhere in the text. */
  matches(text: string): boolean
  /** The first match, or undefined. */
  find(text: string): string | undefined
  /** All matches that do not overlap, at most `limit` of them when that is not negative. */
  findAll(text: string, limit: number): string[]
}

/** Patterns that were used lately; a policy uses the same few again and again. */
const cache = new Map<string, Regex>()
const CACHED = 200

/**
 * Compiles a pattern of RE2's syntax. It runs in time linear in the length of the text, whatever the pattern.
 *
 * @param prefix what the error says before the reason
 * @throws CelError when the pattern is none.
 */
export function compileRegex(pattern: string, prefix = ''): Regex {
  const known = cache.get(pattern)
  if (known !== undefined) return known
  const regex = engine(pattern, prefix)
  if (cache.size >= CACHED) cache.delete(cache.keys().next().value as string)
  cache.set(pattern, regex)
  return regex
}

/** What is wrong with a pattern, as RE2 says it; undefined when nothing is. */
export function regexProblem(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

function engine(pattern: string, prefix: string): Regex {
  const problem = regexProblem(pattern)
  if (problem !== undefined) return fail(prefix + problem)
  const compiled = RE2JS.compile(pattern)
  return {
    matches: text => compiled.matcher(text).find(),
    find: text => {
      const matcher = compiled.matcher(text)
      return matcher.find() ? (matcher.group() ?? undefined) : undefined
    },
    findAll: (text, limit) => {
      const found: string[] = []
      const matcher = compiled.matcher(text)
      while ((limit < 0 || found.length < limit) && matcher.find()) found.push(matcher.group() ?? '')
      return found
    },
  }
}
