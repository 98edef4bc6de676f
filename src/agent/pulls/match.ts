/** Which images a proof is for: registries and paths as docker's configuration and CredentialProviderConfig name them. */
import type { ImageReference } from '../images/reference.ts'

/** Where an image comes from. */
export type ImagePlace = Pick<ImageReference, 'registry' | 'repository'>

/** `https://index.docker.io/v1/` and the like as host and path. */
export function patternOf(key: string): { readonly host: string; readonly path: string } {
  const [host = '', ...path] = key.replace(/^https?:\/\//, '').split('/')
  const rest = path.join('/').replace(/\/+$/, '')
  return { host: host === 'index.docker.io' ? 'docker.io' : host, path: /^v[12]$/.test(rest) ? '' : rest }
}

/** Whether `pattern`, whose labels may have `*`, is this host; ports must be the same. */
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

/** Whether what `key` names holds for an image. */
export function isFor(key: string, { registry, repository }: ImagePlace): boolean {
  const { host, path } = patternOf(key)
  return isHost(host, registry) && (path === '' || repository === path || repository.startsWith(`${path}/`))
}

/** Those that hold for an image, the most particular first. */
export function mostParticular<T>(entries: readonly (readonly [key: string, proof: T])[], image: ImagePlace): T[] {
  const length = (key: string) => Object.values(patternOf(key)).join('/').length
  return entries
    .filter(([key]) => isFor(key, image))
    .sort(([a], [b]) => length(b) - length(a))
    .map(([, proof]) => proof)
}
