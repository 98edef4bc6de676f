/**
 * Links in what a server behind the proxy answers: those that begin at its root would lead past the proxy, and get
 * the proxy's path before them.
 */

/** Attributes that hold a link, by element (HTML 4.01 and HTML5, index of attributes). */
const LINKS: Readonly<Record<string, readonly string[]>> = {
  a: ['href'],
  applet: ['codebase'],
  area: ['href'],
  audio: ['src'],
  base: ['href'],
  blockquote: ['cite'],
  body: ['background'],
  button: ['formaction'],
  command: ['icon'],
  del: ['cite'],
  embed: ['src'],
  form: ['action'],
  frame: ['longdesc', 'src'],
  head: ['profile'],
  html: ['manifest'],
  iframe: ['longdesc', 'src'],
  img: ['longdesc', 'src', 'usemap'],
  input: ['src', 'usemap', 'formaction'],
  ins: ['cite'],
  link: ['href'],
  object: ['classid', 'codebase', 'data', 'usemap'],
  q: ['cite'],
  script: ['src'],
  source: ['src'],
  video: ['poster', 'src'],
}

/** Their content is text, whatever it looks like. */
const RAW_TEXT = new Set(['script', 'style', 'textarea', 'title'])

export interface ProxyPlace {
  /** Path of the proxy, as in `/api/v1/namespaces/default/pods/web/proxy`. */
  readonly prefix: string
  /** Host of the server behind, as links may name it. */
  readonly target: string
  /** Host that the client asked. */
  readonly asked: string
}

const PARTS = /^(?:([a-z][a-z\d+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(.*)$/is

/** A link as it leads through the proxy; those to other hosts and relative ones stay. */
export function throughProxy(link: string, { prefix, target, asked }: ProxyPlace): string {
  const [, scheme = '', host = '', path = '', rest = ''] = PARTS.exec(link) ?? []
  if ((host && host !== target && host !== asked) || !path.startsWith('/')) return link
  const authority = host && host === asked ? `${scheme && `${scheme}:`}//${host}` : ''
  return `${authority}${path.startsWith(prefix) ? '' : prefix}${path}${rest}`
}

const isSpace = (char: string | undefined) => char !== undefined && /\s/.test(char)

/** Where the value of an attribute stands, quotes not included, and where reading goes on. */
function valueAt(html: string, at: number): { from: number; to: number; next: number } {
  const quote = html[at]
  if (quote === '"' || quote === "'") {
    const end = html.indexOf(quote, at + 1)
    const to = end < 0 ? html.length : end
    return { from: at + 1, to, next: Math.min(to + 1, html.length) }
  }
  let to = at
  while (to < html.length && !isSpace(html[to]) && html[to] !== '>') to++
  return { from: at, to, next: to }
}

const readEntities = (value: string) => value.replace(/&amp;/g, '&')
const writeEntities = (value: string) => value.replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/'/g, '&#39;')

/** Reads the attributes of a start tag from `at`; gives its end. `found` sees every value. */
function attributes(html: string, at: number, found: (name: string, from: number, to: number) => void): number {
  for (;;) {
    while (isSpace(html[at]) || html[at] === '/') at++
    if (at >= html.length || html[at] === '>') return Math.min(at + 1, html.length)
    const begin = at
    while (at < html.length && !isSpace(html[at]) && !'=>/'.includes(html[at]!)) at++
    const name = html.slice(begin, at).toLowerCase()
    while (isSpace(html[at])) at++
    if (html[at] !== '=') {
      if (at === begin) at++
      continue
    }
    at++
    while (isSpace(html[at])) at++
    const { from, to, next } = valueAt(html, at)
    found(name, from, to)
    at = next
  }
}

/** Where the element ends whose content is text; -1 where it never does. */
function closingTag(html: string, name: string, from: number): number {
  const ends = new RegExp(`</${name}`, 'gi')
  ends.lastIndex = from
  return ends.exec(html)?.index ?? -1
}

/** A page with its links led through the proxy; everything else stays as it is, letter for letter. */
export function rewriteHtml(html: string, place: ProxyPlace): string {
  const parts: string[] = []
  let copied = 0
  let at = html.indexOf('<')
  while (at >= 0) {
    if (html.startsWith('<!--', at)) {
      const end = html.indexOf('-->', at + 4)
      at = end < 0 ? -1 : html.indexOf('<', end)
      continue
    }
    const name = /^[a-z][a-z\d-]*/i.exec(html.slice(at + 1, at + 33))?.[0]?.toLowerCase()
    if (!name) {
      at = html.indexOf('<', at + 1)
      continue
    }
    const links = Object.hasOwn(LINKS, name) ? LINKS[name] : undefined
    const end = attributes(html, at + 1 + name.length, (attribute, from, to) => {
      if (!links?.includes(attribute)) return
      const link = readEntities(html.slice(from, to))
      const led = throughProxy(link, place)
      if (led === link) return
      parts.push(html.slice(copied, from), writeEntities(led))
      copied = to
    })
    const closing = RAW_TEXT.has(name) ? closingTag(html, name, end) : end
    at = closing < 0 ? -1 : html.indexOf('<', closing)
  }
  return parts.length ? parts.join('') + html.slice(copied) : html
}
