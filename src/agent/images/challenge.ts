/** What a registry asks for: `WWW-Authenticate` (RFC 7235), and the token that it names (distribution's token protocol). */

export interface Challenge {
  /** In lower case: `bearer`, `basic`. */
  readonly scheme: string
  readonly parameters: Readonly<Record<string, string>>
}

/** Reads the header's challenges in order. */
export function parseChallenges(header: string): Challenge[] {
  const result: { scheme: string; parameters: Record<string, string> }[] = []
  const pattern = /([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))|([A-Za-z][A-Za-z0-9_-]*)/g
  for (const [, name, quoted, plain, scheme] of header.matchAll(pattern)) {
    if (scheme) result.push({ scheme: scheme.toLowerCase(), parameters: {} })
    else if (name) {
      const value = quoted === undefined ? (plain ?? '') : quoted.replace(/\\(.)/g, '$1')
      const last = result.at(-1)
      if (last) last.parameters[name.toLowerCase()] = value
    }
  }
  return result
}

/** Where a token for a challenge is fetched; undefined where it names no realm. */
export function tokenUrl({ parameters }: Challenge, scope: string): URL | undefined {
  if (!parameters.realm || !URL.canParse(parameters.realm)) return undefined
  const url = new URL(parameters.realm)
  if (parameters.service) url.searchParams.set('service', parameters.service)
  url.searchParams.set('scope', parameters.scope ?? scope)
  return url
}
