const RESERVED = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)
const ESCAPES: Readonly<Record<string, string>> = {
  __: '__underscores__',
  '.': '__dot__',
  '-': '__dash__',
  '/': '__slash__',
}
const WORDS: Readonly<Record<string, string>> = { underscores: '__', dot: '.', dash: '-', slash: '/' }

/**
 * The name by which an expression selects a property that no identifier can spell: `a-b` is `a__dash__b`, `namespace`
 * is `__namespace__`.
 *
 * @returns undefined when the property cannot be named at all
 */
export function escapeField(property: string): string | undefined {
  if (property === '' || /^[0-9]/.test(property)) return undefined
  if (RESERVED.has(property)) return `__${property}__`
  if (/[^a-zA-Z0-9\-./_]/.test(property)) return undefined
  return property.replace(/__|[-./]/g, found => ESCAPES[found] as string)
}

/** The property that an escaped name stands for; undefined when the escape is none. */
export function unescapeField(name: string): string | undefined {
  if (!name.includes('__')) return name
  let sound = true
  const property = name.replace(/__([^_]+)__/g, (whole, word: string) => {
    const plain = WORDS[word]
    if (plain !== undefined) return plain
    sound &&= RESERVED.has(word) && whole.length === name.length
    return word
  })
  return sound ? property : undefined
}
