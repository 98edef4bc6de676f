/**
 * Names of images: `nginx`, `team/app:1.2`, `registry:5000/team/app@sha256:…`, normalised as container runtimes do it
 * (grammar: github.com/distribution/reference).
 */

/** A name in its full form. */
export interface ImageReference {
  /** Host, and port if there is one: `docker.io`. */
  readonly registry: string
  /** Path in the registry: `library/nginx`. */
  readonly repository: string
  /** Absent where only a digest is given. */
  readonly tag?: string
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest?: string
}

const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`)
const REGISTRY = /^(?:\[[0-9a-fA-F:]+\]|[a-zA-Z0-9](?:[a-zA-Z0-9-.]*[a-zA-Z0-9])?)(?::\d+)?$/
const TAG = /^\w[\w.-]{0,127}$/
const DIGEST = /^sha256:[0-9a-f]{64}$/
/** Of registry and repository together (distribution/reference). */
const NAME_LIMIT = 255

/** Throws an `Error` that says what is wrong with the name. */
export function parseReference(text: string): ImageReference {
  const wrong = (what: string) => new Error(`couldn't parse image name ${JSON.stringify(text)}: ${what}`)
  if (text === '') throw wrong('it is empty')
  const [named = '', digest, ...more] = text.split('@')
  if (more.length > 0) throw wrong('it has more than one "@"')
  if (digest !== undefined && !DIGEST.test(digest)) {
    throw wrong(`invalid digest ${JSON.stringify(digest)}, expected sha256: and 64 hexadecimal digits`)
  }
  const slash = named.lastIndexOf('/')
  const colon = named.indexOf(':', slash + 1)
  const tag = colon >= 0 ? named.slice(colon + 1) : undefined
  if (tag !== undefined && !TAG.test(tag)) throw wrong(`invalid tag ${JSON.stringify(tag)}`)
  const path = colon >= 0 ? named.slice(0, colon) : named
  const first = path.slice(0, Math.max(path.indexOf('/'), 0))
  const hosted = first === 'localhost' || /[.:\]]/.test(first)
  const registry = hosted ? first : 'docker.io'
  const rest = hosted ? path.slice(first.length + 1) : path
  if (!REGISTRY.test(registry)) throw wrong(`invalid registry ${JSON.stringify(registry)}`)
  const official = registry === 'docker.io' && !rest.includes('/')
  const repository = official ? `library/${rest}` : rest
  if (repository !== repository.toLowerCase()) throw wrong('repository name must be lowercase')
  if (!REPOSITORY.test(repository)) throw wrong('invalid reference format')
  if (registry.length + repository.length + 1 > NAME_LIMIT) {
    throw wrong(`repository name must not be more than ${NAME_LIMIT} characters`)
  }
  const known = tag ?? (digest === undefined ? 'latest' : undefined)
  return { registry, repository, ...(known ? { tag: known } : {}), ...(digest ? { digest } : {}) }
}

/** `registry/repository`. */
export const nameOf = ({ registry, repository }: ImageReference): string => `${registry}/${repository}`

/** What `parseReference` reads; undefined for what is no name of an image. */
export function referenceOf(text: string): ImageReference | undefined {
  try {
    return parseReference(text)
  } catch {
    return undefined
  }
}

/** The full form of what may be a name; undefined for what is none. */
export function fullName(text: string): string | undefined {
  const reference = referenceOf(text)
  return reference && formatReference(reference)
}

/** The full form, by which an image is kept; with a digest, its tag says nothing and is left out. */
export const formatReference = (reference: ImageReference): string =>
  reference.digest ? `${nameOf(reference)}@${reference.digest}` : `${nameOf(reference)}:${reference.tag}`
