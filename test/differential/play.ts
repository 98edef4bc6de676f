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

/** Kinds that the server itself looks after, in its own time. */
const WATCHED = /\/(customresourcedefinitions|apiservices)(\/|\?|$)/
const REST = 3
/** A definition waits for its instances to go. */
const CLEANUP = 'customresourcecleanup.apiextensions.k8s.io'

/** Waits until nothing happens to an object any more, and gives what it is then. */
async function settled(connection: Connection, path: string, patience: number): Promise<Answer> {
  let last = ''
  let answer: Answer
  for (let same = 0; ; ) {
    answer = await connection.send({ title: '', method: 'GET', path })
    const { metadata, status } = answer.body as Json
    const text = JSON.stringify(answer.body)
    const ended = metadata?.deletionTimestamp ? !metadata.finalizers?.includes(CLEANUP) : status?.conditions
    same = (answer.status === 404 || ended) && text === last ? same + 1 : 0
    if (same === REST) return answer
    last = text
    await new Promise(resolve => setTimeout(resolve, patience))
  }
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
  if (WATCHED.test(path)) await settled(connection, path, 50)
  const last = await connection.send({ title: '', method: 'GET', path })
  if (!gone(last)) throw new Error(`cannot clear ${path}: ${JSON.stringify(last.body).slice(0, 500)}`)
}

/** The objects that a request has changed for good. */
function changed({ method, path: target }: Ask, { status, body }: Answer): string[] {
  const [path = '', query = ''] = target.split('?')
  if (method === 'GET' || status >= 300 || query.includes('dryRun')) return []
  const { items, metadata } = body as Json
  const base = path.replace(/\/(status|scale)$/, '')
  if (items) return items.map(({ metadata: { name } }: Json) => `${base}/${name}`)
  return [method === 'POST' ? `${base}/${metadata.name}` : base]
}

/** The answers to a scene's requests, in their order. `patience`: ms between looks at what the server does itself. */
export async function play(connection: Connection, scene: Scene, patience = 15): Promise<Answer[]> {
  const seen: Seen = { rv: '', uid: '', continue: '' }
  const text = JSON.stringify(scene.asks)
  const made = new Set<string>()
  const answers: Answer[] = []
  for (const ask of scene.asks) {
    const answer = await connection.send(filledIn(ask, seen))
    look(answer, seen)
    const path = madeBy(ask, answer)
    if (path) made.add(path)
    if (WATCHED.test(ask.path)) {
      for (const each of changed(ask, answer)) look(await settled(connection, each, patience), seen)
    }
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
