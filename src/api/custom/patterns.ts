/**
 * Regular expressions of schemas. They are RE2's (Kubernetes' own engine): they take time linear in the text, whatever
 * they are, where a JavaScript expression from a stranger could stop the server. The engine is loaded when the first
 * schema with a pattern is used.
 */
type Engine = typeof import('re2js')

export interface Pattern {
  /** Somewhere in the text. */
  matches(text: string): boolean
}

let engine: Engine['RE2JS'] | undefined

/** Loads the engine. Must be awaited before `compilePattern` is called. */
export async function loadPatterns(): Promise<void> {
  engine ??= (await import('re2js')).RE2JS
}

const compiled = new Map<string, Pattern | Error>()
const KEPT = 2000

/** Compiles an expression, or says what is wrong with it. Throws where the engine was not loaded. */
export function compilePattern(text: string): Pattern | Error {
  const known = compiled.get(text)
  if (known) return known
  if (!engine) throw new Error('the engine of patterns was not loaded before it was needed')
  let made: Pattern | Error
  try {
    const expression = engine.compile(text)
    made = { matches: value => expression.matcher(value).find() }
  } catch (error) {
    made = error as Error
  }
  if (compiled.size >= KEPT) compiled.clear()
  compiled.set(text, made)
  return made
}

/** What Go says of an expression that does not compile. */
export const patternProblem = (error: Error) => error.message
