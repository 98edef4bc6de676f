/** Records a real server's answers for the differential test, and shows what differs: test/differential/README.md. */
import { parseArgs } from 'node:util'
import type { Answer, Scene } from '../test/differential/ask.ts'
import { compareScene, type Mismatch } from '../test/differential/compare.ts'
import { type Connection, openConnection } from '../test/differential/connection.ts'
import { startOwnServer } from '../test/differential/own-server.ts'
import { play, prepare } from '../test/differential/play.ts'
import { readRecorded, writeRecorded } from '../test/differential/recorded.ts'
import { SEED, scenes } from '../test/differential/scenes.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: String(SEED) },
    wide: { type: 'boolean', default: false },
    /** Only cases whose title contains it. */
    like: { type: 'string', default: '' },
    /** Records only scenes with requests that have no answer yet. */
    new: { type: 'boolean', default: false },
    /** Differences of one answer that are shown. */
    most: { type: 'string', default: '6' },
  },
})

/** A real server takes its time, in ms. */
const PATIENCE = 60

function chosen(topics: readonly string[]): Map<string, Scene[]> {
  const groups = new Map<string, Scene[]>()
  for (const scene of scenes(Number(values.seed), values.wide)) {
    if (topics.length && !topics.some(each => scene.topic.includes(each))) continue
    groups.set(scene.topic, [...(groups.get(scene.topic) ?? []), scene])
  }
  return groups
}

async function record(connection: Connection, topics: readonly string[]) {
  for (const [topic, own] of chosen(topics)) {
    const played: [Scene, Answer[]][] = []
    const recorded = readRecorded(topic)
    for (const scene of own) {
      const known = scene.asks.map(ask => recorded.find(scene, ask))
      const isKnown = values.new && known.every(each => each !== undefined)
      played.push([scene, isKnown ? (known as Answer[]) : await play(connection, scene, PATIENCE)])
    }
    writeRecorded(topic, played)
    console.log(
      topic,
      own.reduce((sum, { asks }) => sum + asks.length, 0),
    )
  }
}

const short = (value: unknown) => JSON.stringify(value)?.slice(0, 1500)

function show({ scene, ask, differences }: Mismatch) {
  console.log(`${scene.topic} | ${scene.name} | ${ask.title}`)
  if (differences === 'unrecorded') return console.log('  no recorded answer')
  for (const { at, expected, actual } of differences.slice(0, Number(values.most))) {
    console.log(`  ${at}\n    expected ${short(expected)}\n    actual   ${short(actual)}`)
  }
}

async function compare(topics: readonly string[], real?: Connection) {
  const server = await startOwnServer()
  const own = openConnection(server.url, 'any')
  await prepare(own)
  const left: Record<string, number> = {}
  let asked = 0
  for (const [topic, group] of chosen(topics)) {
    const recorded = readRecorded(topic)
    left[topic] = 0
    for (const scene of group) {
      const answers = real && (await play(real, scene, PATIENCE))
      const wrong = await compareScene(own, scene, (ask, at) => (answers ? answers[at] : recorded.find(scene, ask)))
      asked += scene.asks.length
      left[topic] += wrong.length
      for (const each of wrong) if (`${scene.name} ${each.ask.title}`.includes(values.like)) show(each)
    }
  }
  console.log(`${asked} answers`, left)
  own.close()
  await server.close()
}

const [mode, ...rest] = positionals
if (mode === 'compare') await compare(rest)
else if ((mode === 'record' || mode === 'live') && rest.length >= 2) {
  const [url = '', token = '', ...topics] = rest
  const connection = openConnection(url, token)
  await prepare(connection)
  if (mode === 'record') await record(connection, topics)
  else await compare(topics, connection)
  connection.close()
} else {
  console.error('usage: node scripts/differential.ts record|live URL TOKEN [TOPIC…] | compare [TOPIC…]')
  process.exit(2)
}
