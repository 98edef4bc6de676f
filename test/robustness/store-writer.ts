/**
 * The victim of `store.test.ts`: writes concurrently through the SQLite engine until it is killed, and says on its
 * standard output what was acknowledged, one line `key revision durability number` per commit, written synchronously.
 * When it begins it says so on descriptor 3.
 */
import { writeSync } from 'node:fs'
import { openSqliteStore } from '../../src/store/sqlite/sqlite.ts'
import { sealed } from './store-value.ts'

const [path = '', run = '0'] = process.argv.slice(2)
const store = await openSqliteStore(path, { history: { events: 500 } })
writeSync(1, `open ${store.revision()}\n`)
writeSync(3, 'open')

async function durableWriter(name: number): Promise<never> {
  for (let turn = 0; ; turn++) {
    const key = `/durable/${name}/${turn % 20}`
    const number = Number(run) * 1_000_000 + turn
    // Two keys at one revision: both or none.
    const result = await store.commit([
      { type: 'put', key, value: sealed(key, number) },
      { type: 'put', key: `${key}/twin`, value: sealed(key, number) },
    ])
    if (!result.ok) throw new Error(`an unconditional commit was refused at ${result.key}`)
    writeSync(1, `${key} ${result.revision} durable ${number}\n`)
  }
}

async function relaxedWriter(): Promise<never> {
  for (let turn = 0; ; turn++) {
    const key = `/relaxed/${run}/${String(turn).padStart(8, '0')}`
    const result = await store.commit([{ type: 'put', key, value: sealed(key, turn) }], 'relaxed')
    if (!result.ok) throw new Error(`an unconditional commit was refused at ${result.key}`)
    writeSync(1, `${key} ${result.revision} relaxed ${turn}\n`)
    await new Promise<void>(resolve => setImmediate(resolve))
  }
}

await Promise.all([...Array.from({ length: 16 }, (_, name) => durableWriter(name)), relaxedWriter()])
