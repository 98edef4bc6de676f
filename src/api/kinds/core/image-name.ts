/** Names of images (the grammar of github.com/distribution/reference, with what Docker's users leave out). */

const PATH = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/
const TAG = /^\w[\w.-]{0,127}$/
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/
const LABEL = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?$/
const IDENTIFIER = /^[a-f0-9]{64}$/
const MAX_PATH = 255
const MAX_DOMAIN = 1024
/** Where Docker looks for a name of one word. */
const FAMILIAR = 'library/'

/** What stands before the first slash is a domain if it looks like one: a name, an address, with a port or without. */
function isDomain(text: string): boolean {
  return text === 'localhost' || /[.:]/.test(text) || text.toLowerCase() !== text
}

function isValidDomain(text: string): boolean {
  if (text.length > MAX_DOMAIN) return false
  const [, host = '', port] = /^(\[[a-fA-F0-9:]+\]|[^:]*)(?::(.*))?$/.exec(text) ?? []
  if (port !== undefined && !/^[0-9]+$/.test(port)) return false
  return host.startsWith('[') || host.split('.').every(label => LABEL.test(label))
}

/**
 * The tag that an image's name asks for: `latest` if it has neither tag nor digest, '' if it has a digest only, or is
 * no name of an image.
 */
export function imageTag(image: string): string {
  if (IDENTIFIER.test(image)) return ''
  const slash = image.indexOf('/')
  const first = slash < 0 ? '' : image.slice(0, slash)
  const hasDomain = slash >= 0 && isDomain(first)
  if (hasDomain && !isValidDomain(first)) return ''
  const rest = hasDomain ? image.slice(slash + 1) : slash < 0 ? FAMILIAR + image : image
  const [name = '', digest, ...more] = rest.split('@')
  const colon = name.indexOf(':')
  const path = colon < 0 ? name : name.slice(0, colon)
  const tag = colon < 0 ? undefined : name.slice(colon + 1)
  if (more.length || path.length > MAX_PATH || !PATH.test(path)) return ''
  if (digest !== undefined && !DIGEST.test(digest)) return ''
  if (tag !== undefined && !TAG.test(tag)) return ''
  return tag ?? (digest === undefined ? 'latest' : '')
}
