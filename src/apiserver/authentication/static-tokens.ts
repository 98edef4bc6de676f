/** Tokens listed in a file (Kubernetes documentation, "Static token file"): `token,user,uid,"group1,group2"`. */
import type { TokenAuthenticator, UserInfo } from './authenticator.ts'

/** The fields of each record of a text in CSV (RFC 4180). Throws for a quote that does not end. */
function records(text: string): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y
  for (let at = 0; at < text.length; at = field.lastIndex) {
    field.lastIndex = at
    const match = field.exec(text)
    if (!match) throw new Error(`record ${rows.length + 1} has a quote where none may be`)
    row.push(match[1] === undefined ? match[2]! : match[1].replaceAll('""', '"'))
    if (match[3] === ',' && field.lastIndex < text.length) continue
    if (match[3] === ',') row.push('')
    if (row.length > 1 || row[0] !== '') rows.push(row)
    row = []
  }
  return rows
}

/** Reads the file's text. Throws an Error that names the record for one with fewer than three fields. */
export function staticTokens(text: string): TokenAuthenticator {
  const users = new Map<string, UserInfo>()
  for (const [index, [token, name, uid, groups]] of records(text).entries()) {
    if (name === undefined || uid === undefined || token === undefined)
      throw new Error(`record ${index + 1} of the token file has too few fields: expected token, user name, user uid`)
    if (!token) continue
    users.set(token, { name, ...(uid && { uid }), groups: groups ? groups.split(',') : [] })
  }
  return token => {
    const user = users.get(token)
    return user && { user }
  }
}
