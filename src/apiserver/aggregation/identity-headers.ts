/** Who asks, told to another server (Kubernetes documentation, "Authenticating Proxy"). */
import type { UserInfo } from '../authentication/authenticator.ts'
import type { ProxyHeaders } from '../proxy/headers.ts'

/** The names of the headers, which servers learn from the cluster. */
export const IDENTITY_HEADERS = {
  user: 'X-Remote-User',
  uid: 'X-Remote-Uid',
  group: 'X-Remote-Group',
  extraPrefix: 'X-Remote-Extra-',
}

/** Headers carry bytes, which Node writes one for each character. */
const asBytes = (text: string) => Buffer.from(text).toString('latin1')

const LEGAL = /[!#$&'*+\-.^_`|~0-9A-Za-z]/

/** A key of `extra` as part of a header's name: what is not allowed in one is percent-encoded. */
const headerKey = (key: string) =>
  [...Buffer.from(key)]
    .map(byte => {
      const char = String.fromCharCode(byte)
      return LEGAL.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
    })
    .join('')

/** The headers that name the user. */
export function identityHeaders({ name, uid, groups, extra = {} }: UserInfo): ProxyHeaders {
  return {
    [IDENTITY_HEADERS.user]: asBytes(name),
    ...(uid && { [IDENTITY_HEADERS.uid]: asBytes(uid) }),
    ...(groups.length && { [IDENTITY_HEADERS.group]: groups.map(asBytes) }),
    ...Object.fromEntries(
      Object.entries(extra).map(([key, values]) => [
        `${IDENTITY_HEADERS.extraPrefix}${headerKey(key)}`,
        values.map(asBytes),
      ]),
    ),
  }
}
