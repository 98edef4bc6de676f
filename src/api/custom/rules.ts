/** CEL rules of custom schemas: the engine is loaded when the first schema with a rule is used. */
type Engine = typeof import('./rules/evaluate.ts') & typeof import('./rules/expressions.ts')

let engine: Engine | undefined

/** Loads the engine. Must be awaited before `rules` is called. */
export async function loadRules(): Promise<void> {
  if (engine) return
  const [evaluation, expressions] = await Promise.all([import('./rules/evaluate.ts'), import('./rules/expressions.ts')])
  engine = { ...evaluation, ...expressions }
}

/** The engine. Throws where it was not loaded. */
export function rules(): Engine {
  if (!engine) throw new Error('the engine of rules was not loaded before it was needed')
  return engine
}
