/** Proof for registries out of a pod's imagePullSecrets (API doc: types of Secret), matched as the kubelet does it. */
import type { Secret } from '../../api/generated/types/core-v1.ts'
import { parseReference } from '../images/reference.ts'
import type { Credentials } from '../images/registry.ts'

/** One entry of a docker configuration. */
interface Entry {
  readonly username?: string
  readonly password?: string
  /** base64 of `user:password`. */
  readonly auth?: string
  readonly identitytoken?: string
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

function entriesOf({ type, data = {} }: Secret): [string, Entry][] {
  const isConfig = type === 'kubernetes.io/dockerconfigjson'
  const text = data[isConfig ? '.dockerconfigjson' : '.dockercfg']
  if (!text) return []
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64').toString('utf8'))
    const found = isConfig && isRecord(value) ? value.auths : value
    return isRecord(found) ? (Object.entries(found) as [string, Entry][]) : []
  } catch {
    // What cannot be read proves nothing.
    return []
  }
}

function credentialsOf({ username, password, auth, identitytoken }: Entry): Credentials | undefined {
  if (identitytoken) return { token: identitytoken }
  if (username !== undefined) return { username, password: password ?? '' }
  const text = Buffer.from(auth ?? '', 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon > 0 ? { username: text.slice(0, colon), password: text.slice(colon + 1) } : undefined
}

/** `https://index.docker.io/v1/` and the like as `host/path`. */
function placeOf(key: string): { host: string; path: string } {
  const [host = '', ...path] = key.replace(/^https?:\/\//, '').split('/')
  const rest = path.join('/').replace(/\/+$/, '')
  return { host: host === 'index.docker.io' ? 'docker.io' : host, path: /^v[12]$/.test(rest) ? '' : rest }
}

/** Whether `pattern`, whose labels may be `*`, is this host; ports must be the same. */
function isHost(pattern: string, host: string): boolean {
  const [name = '', port] = pattern.split(':')
  const [wanted = '', wantedPort] = host.split(':')
  const labels = name.split('.')
  const parts = wanted.split('.')
  const fits = (label: string, at: number) => {
    const text = label.replace(/[\\^$+?.()|[\]{}]/g, '\\$&').replaceAll('*', '[^.]*')
    return new RegExp(`^${text}$`).test(parts[at] ?? '')
  }
  return port === wantedPort && labels.length === parts.length && labels.every(fits)
}

/** What may be shown to the registry of an image, most particular first. */
export function pullCredentials(secrets: readonly Secret[], image: string): Credentials[] {
  let reference: ReturnType<typeof parseReference>
  try {
    reference = parseReference(image)
  } catch {
    return []
  }
  const { registry, repository } = reference
  const found: { place: string; credentials: Credentials }[] = []
  for (const [key, entry] of secrets.flatMap(entriesOf)) {
    const { host, path } = placeOf(key)
    const credentials = credentialsOf(entry)
    if (!credentials || !isHost(host, registry)) continue
    if (path === '' || repository === path || repository.startsWith(`${path}/`))
      found.push({ place: `${host}/${path}`, credentials })
  }
  return found.sort((a, b) => b.place.length - a.place.length).map(each => each.credentials)
}
