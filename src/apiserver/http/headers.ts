/** Request headers, value by value: Node joins those of one name by commas, and a group's name may hold one. */

export interface WithHeaders {
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Names and values in turn, as they came; absent for requests that came over no wire. */
  readonly rawHeaders?: readonly string[]
}

/** Every value of a header, in order. `name` is in lower case. */
export function headerValues({ headers, rawHeaders }: WithHeaders, name: string): string[] {
  const joined = headers[name]
  if (joined === undefined) return []
  if (Array.isArray(joined)) return joined
  if (!rawHeaders) return joined.split(', ')
  const values: string[] = []
  for (let at = 0; at + 1 < rawHeaders.length; at += 2)
    if (rawHeaders[at]!.toLowerCase() === name) values.push(rawHeaders[at + 1]!)
  return values
}

/** The values of all headers whose names begin with `prefix` (lower case), by what follows it, percent-decoded. */
export function prefixedHeaders(request: WithHeaders, prefix: string): Record<string, string[]> {
  const found: Record<string, string[]> = {}
  for (const name of Object.keys(request.headers)) {
    if (!name.startsWith(prefix)) continue
    const key = decoded(name.slice(prefix.length))
    found[key] = [...(found[key] ?? []), ...headerValues(request, name)]
  }
  return found
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Takes headers away, so that nothing behind the filter sees them or passes them on. */
export function dropHeaders(request: WithHeaders, names: (name: string) => boolean): void {
  const headers = request.headers as Record<string, unknown>
  for (const name of Object.keys(headers)) if (names(name)) delete headers[name]
}
