/** Plays scenes against a server and gives its answers, masked; leaves the server as it was. */
import type { Answer, Ask, Scene } from './ask.ts'
import { type Json, NAMESPACE } from './bases/base.ts'
import type { Connection } from './connection.ts'
import { mask } from './mask.ts'

/** What later requests of a scene take from earlier answers. */
interface Seen {
  rv: string
  uid: string
  continue: string
}

const MARK = /\{\{(rv|uid|continue)\}\}/g

function filledIn(ask: Ask, seen: Seen): Ask {
  const text = JSON.stringify(ask)
  if (!text.includes('{{')) return ask
  return JSON.parse(text.replace(MARK, (_, name: keyof Seen) => seen[name]))
}

function look(answer: Answer, seen: Seen) {
  const metadata = (answer.body as Json | null)?.metadata as Json | undefined
  if (!metadata || answer.status >= 300) return
  if (metadata.resourceVersion) seen.rv = metadata.resourceVersion
  if (metadata.uid) seen.uid = metadata.uid
  if (metadata.continue) seen.continue = encodeURIComponent(metadata.continue)
}

/** The path of what a request made for good; undefined where it made nothing. */
function madeBy(ask: Ask, answer: Answer): string | undefined {
  const [path = '', query = ''] = ask.path.split('?')
  if (answer.status !== 201 || query.includes('dryRun')) return undefined
  if (ask.method !== 'POST') return path
  const name = (answer.body as Json).metadata?.name
  return name && `${path}/${name}`
}

/** Deletes what stands there, and takes away what keeps it. */
async function clear(connection: Connection, path: string) {
  const grace = '?gracePeriodSeconds=0&propagationPolicy=Background'
  const gone = ({ status }: Answer) => status === 404
  if (gone(await connection.send({ title: '', method: 'DELETE', path: path + grace }))) return
  const left = await connection.send({ title: '', method: 'GET', path })
  if (gone(left)) return
  const { metadata, spec } = left.body as Json
  if (path.startsWith('/api/v1/namespaces/') && spec?.finalizers) {
    const body = { ...(left.body as Json), spec: { finalizers: [] } }
    await connection.send({ title: '', method: 'PUT', path: `${path}/finalize`, body })
  }
  if (metadata?.finalizers) {
    const body = { metadata: { finalizers: null } }
    await connection.send({ title: '', method: 'PATCH', path, type: 'application/merge-patch+json', body })
  }
  const last = await connection.send({ title: '', method: 'GET', path })
  if (!gone(last)) throw new Error(`cannot clear ${path}: ${JSON.stringify(last.body).slice(0, 500)}`)
}

/** The answers to a scene's requests, in their order. */
export async function play(connection: Connection, scene: Scene): Promise<Answer[]> {
  const seen: Seen = { rv: '', uid: '', continue: '' }
  const text = JSON.stringify(scene.asks)
  const made = new Set<string>()
  const answers: Answer[] = []
  for (const ask of scene.asks) {
    const answer = await connection.send(filledIn(ask, seen))
    look(answer, seen)
    const path = madeBy(ask, answer)
    if (path) made.add(path)
    answers.push(mask(answer, text))
  }
  for (const path of made) await clear(connection, path)
  return answers
}

/** Makes what every scene stands on: the namespace, and the account that its pods run as. */
export async function prepare(connection: Connection) {
  const namespaces = '/api/v1/namespaces'
  const put = (path: string, body: Json) => connection.send({ title: '', method: 'POST', path, body })
  await put(namespaces, { metadata: { name: NAMESPACE } })
  await put(`${namespaces}/${NAMESPACE}/serviceaccounts`, {
    metadata: { name: 'default' },
    automountServiceAccountToken: false,
  })
}
