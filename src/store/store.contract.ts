/** What every engine promises (`store.ts`), as tests. An engine's own test hands `storeContract` a factory. */
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { type CommitResult, type Op, type Store, StoreError, type StoreEvent } from './store.ts'

/** Opens an empty store. `events`: how many changes its window holds; the engine's own default when absent. */
export type StoreFactory = (options?: { readonly events?: number }) => Promise<Store>

const put = (key: string, value: string, expect?: number): Op =>
  expect === undefined
    ? { type: 'put', key, value: Buffer.from(value) }
    : { type: 'put', key, value: Buffer.from(value), expect }
const del = (key: string, expect?: number): Op =>
  expect === undefined ? { type: 'delete', key } : { type: 'delete', key, expect }

/** A commit that has to succeed; its revision. */
async function done(store: Store, ...ops: Op[]): Promise<number> {
  const result = await store.commit(ops)
  assert.ok(result.ok, `commit of ${ops.map(op => op.key)} was refused`)
  return result.revision
}

async function textAt(store: Store, key: string): Promise<string | undefined> {
  return (await store.get(key))?.value.toString()
}

async function list(store: Store, options: Parameters<Store['range']>[0]): Promise<string[]> {
  const { items } = await store.range(options)
  return items.map(item => `${item.key}=${item.value}@${item.modRevision}`)
}

/** An event in one line: `put /a@3 new (was old@2)`. */
const line = ({ type, key, revision, value, previous }: StoreEvent) =>
  `${type} ${key}@${revision}${value ? ` ${value}` : ''}${previous ? ` (was ${previous.value}@${previous.modRevision})` : ''}`

async function watched(store: Store, prefix: string, after: number): Promise<{ lines: string[]; end: () => void }> {
  const lines: string[] = []
  const end = await store.watch({ prefix, after, onEvents: events => lines.push(...events.map(line)) })
  return { lines, end }
}

const isCode = (code: StoreError['code']) => (error: unknown) => {
  assert.ok(error instanceof StoreError, `${error} is not a StoreError`)
  assert.equal(error.code, code)
  return true
}

/** Runs every promise of the contract against stores that `open` makes. */
export function storeContract(name: string, open: StoreFactory): void {
  /** A store that is closed after the test. */
  async function opened(t: TestContext, options?: { events?: number }): Promise<Store> {
    const store = await open(options)
    t.after(() => store.close())
    return store
  }

  describe(`${name}: revisions and expectations`, () => {
    it('commit takes the next revision, one for all its operations, beginning with 1', async t => {
      const store = await opened(t)
      assert.equal(store.revision(), 0)
      assert.equal(await done(store, put('/a', '1')), 1)
      assert.equal(await done(store, put('/b', '1'), put('/c', '1'), del('/a')), 2)
      assert.equal(store.revision(), 2)
      assert.deepEqual(await list(store, { prefix: '/' }), ['/b=1@2', '/c=1@2'])
    })

    it('get tells when a key was created and when it was changed', async t => {
      const store = await opened(t)
      await done(store, put('/a', '1'))
      await done(store, put('/a', '2'))
      assert.deepEqual(await store.get('/a'), {
        key: '/a',
        value: Buffer.from('2'),
        createRevision: 1,
        modRevision: 2,
      })
      await done(store, del('/a'))
      assert.equal(await store.get('/a'), undefined)
      await done(store, put('/a', '3'))
      assert.equal((await store.get('/a'))?.createRevision, 4)
    })

    const cases: { title: string; ops: Op[]; key?: string; current?: string }[] = [
      { title: 'takes a put that expects the newest revision', ops: [put('/a', 'x', 2)] },
      { title: 'refuses a put that expects an older one', ops: [put('/a', 'x', 1)], key: '/a', current: 'two' },
      { title: 'refuses a creation of what exists', ops: [put('/a', 'x', 0)], key: '/a', current: 'two' },
      { title: 'takes a creation of what does not exist', ops: [put('/b', 'x', 0)] },
      { title: 'refuses an update of what does not exist', ops: [put('/b', 'x', 2)], key: '/b' },
      { title: 'takes a put that expects nothing', ops: [put('/a', 'x')] },
      { title: 'takes a deletion that expects the newest revision', ops: [del('/a', 2)] },
      { title: 'refuses a deletion that expects an older one', ops: [del('/a', 1)], key: '/a', current: 'two' },
      { title: 'refuses a deletion of what does not exist', ops: [del('/b')], key: '/b' },
      {
        title: 'applies nothing when one of several operations is refused',
        ops: [put('/c', 'x'), del('/a', 1), put('/d', 'x')],
        key: '/a',
        current: 'two',
      },
    ]
    for (const { title, ops, key, current } of cases) {
      it(`commit ${title}`, async t => {
        const store = await opened(t)
        await done(store, put('/a', 'one'))
        await done(store, put('/a', 'two'))
        const result = await store.commit(ops)
        assert.equal(result.ok, key === undefined)
        assert.equal(store.revision(), key === undefined ? 3 : 2)
        if (result.ok) return
        assert.equal(result.key, key)
        assert.equal(result.current?.value.toString(), current)
        assert.deepEqual(await list(store, { prefix: '/' }), ['/a=two@2'])
      })
    }

    it('commit lets one of many concurrent writers with one expectation win', async t => {
      const store = await opened(t)
      await done(store, put('/a', '0'))
      const results = await Promise.all(
        Array.from({ length: 50 }, (_, index) => store.commit([put('/a', `w${index}`, 1)])),
      )
      assert.equal(results.filter(result => result.ok).length, 1)
      const winner = await textAt(store, '/a')
      for (const result of results) if (!result.ok) assert.equal(result.current?.value.toString(), winner)
      assert.equal(store.revision(), 2)
    })

    it('commit loses no increment of concurrent read-modify-write loops', async t => {
      const store = await opened(t)
      await done(store, put('/n', '0'))
      const increment = async () => {
        for (let result: CommitResult | undefined; !result?.ok; ) {
          const now = await store.get('/n')
          result = await store.commit([put('/n', String(Number(now?.value) + 1), now?.modRevision)])
        }
      }
      await Promise.all(Array.from({ length: 8 }, () => Promise.all(Array.from({ length: 8 }, increment))))
      assert.equal(await textAt(store, '/n'), '64')
    })

    it('commit keeps the order of calls, whatever their durability', async t => {
      const store = await opened(t)
      const finished: number[] = []
      const commits = Array.from({ length: 40 }, (_, index) =>
        store.commit([put(`/k${index}`, 'x')], index % 3 === 0 ? 'durable' : 'relaxed').then(result => {
          assert.ok(result.ok)
          assert.equal(result.revision, index + 1)
          finished.push(result.revision)
        }),
      )
      await Promise.all(commits)
      assert.deepEqual(
        finished,
        [...finished].sort((a, b) => a - b),
      )
    })

    const refused: { title: string; ops: Op[] }[] = [
      { title: 'without operations', ops: [] },
      { title: 'that names a key twice', ops: [put('/a', '1'), del('/a')] },
      { title: 'with an empty key', ops: [put('', '1')] },
    ]
    for (const { title, ops } of refused) {
      it(`commit rejects a transaction ${title}`, async t => {
        const store = await opened(t)
        await assert.rejects(store.commit(ops), isCode('failed'))
        assert.equal(store.revision(), 0)
      })
    }

    it('commit keeps values byte by byte: empty, binary and large ones', async t => {
      const store = await opened(t)
      const values = [0, 1, 255, 4096, 3_000_000].map(size => Buffer.alloc(size, 0x8f))
      await Promise.all(values.map((value, at) => store.commit([{ type: 'put', key: `/v${at}`, value }])))
      for (const [at, value] of values.entries()) {
        const stands = await store.get(`/v${at}`)
        assert.ok(stands && value.equals(stands.value), `value of ${value.length} bytes came back changed`)
      }
    })
  })

  describe(`${name}: range`, () => {
    const filled = async (t: TestContext) => {
      const store = await opened(t)
      for (const key of ['/b/2', '/a/1', '/b/10', '/b/1', '/c', '/b']) await done(store, put(key, 'x'))
      return store
    }
    const keys = async (store: Store, options: Parameters<Store['range']>[0]) =>
      (await store.range(options)).items.map(item => item.key)

    it('range gives what begins with the prefix, in byte order', async t => {
      const store = await filled(t)
      assert.deepEqual(await keys(store, { prefix: '/b/' }), ['/b/1', '/b/10', '/b/2'])
      assert.deepEqual(await keys(store, { prefix: '' }), ['/a/1', '/b', '/b/1', '/b/10', '/b/2', '/c'])
      assert.deepEqual(await keys(store, { prefix: '/none' }), [])
    })

    it('range begins after a key, whether it exists or not', async t => {
      const store = await filled(t)
      assert.deepEqual(await keys(store, { prefix: '/b/', after: '/b/1' }), ['/b/10', '/b/2'])
      assert.deepEqual(await keys(store, { prefix: '/b/', after: '/b/11' }), ['/b/2'])
      assert.deepEqual(await keys(store, { prefix: '/b/', after: '/b/2' }), [])
      assert.deepEqual(await keys(store, { prefix: '/b/', after: '/a/9' }), ['/b/1', '/b/10', '/b/2'])
    })

    it('range says whether there is more than the limit', async t => {
      const store = await filled(t)
      const first = await store.range({ prefix: '/b/', limit: 2 })
      assert.deepEqual([first.items.length, first.more, first.revision], [2, true, 6])
      const rest = await store.range({ prefix: '/b/', limit: 2, after: first.items[1]!.key })
      assert.deepEqual([rest.items.map(item => item.key), rest.more], [['/b/2'], false])
      assert.equal((await store.range({ prefix: '/b/', limit: 3 })).more, false)
    })

    it('range at a revision shows the state of then: changed, deleted, recreated and new keys', async t => {
      const store = await opened(t)
      await done(store, put('/a', '1'), put('/b', '1'), put('/c', '1'))
      await done(store, put('/b', '2'))
      await done(store, del('/c'))
      await done(store, put('/d', '4'))
      await done(store, put('/c', '5'))
      await done(store, del('/a'))
      const states = [
        [],
        ['/a=1@1', '/b=1@1', '/c=1@1'],
        ['/a=1@1', '/b=2@2', '/c=1@1'],
        ['/a=1@1', '/b=2@2'],
        ['/a=1@1', '/b=2@2', '/d=4@4'],
        ['/a=1@1', '/b=2@2', '/c=5@5', '/d=4@4'],
        ['/b=2@2', '/c=5@5', '/d=4@4'],
      ]
      for (const [revision, state] of states.entries()) {
        assert.deepEqual(await list(store, { prefix: '/', revision }), state, `at revision ${revision}`)
        assert.deepEqual(
          await list(store, { prefix: '/c', revision }),
          state.filter(each => each.startsWith('/c')),
        )
      }
      const page = await store.range({ prefix: '/', revision: 2, limit: 1, after: '/a' })
      assert.deepEqual([page.items.map(item => item.key), page.more, page.revision], [['/b'], true, 2])
      const last = await store.range({ prefix: '/', revision: 2, limit: 1, after: '/b' })
      assert.deepEqual([last.items.map(item => item.key), last.more], [['/c'], false])
    })

    it('range refuses a revision that has not been', async t => {
      const store = await opened(t)
      await assert.rejects(store.range({ prefix: '/', revision: 1 }), isCode('future'))
    })

    it('range and commit stay quick with 20,000 keys', async t => {
      const store = await opened(t)
      const key = (index: number) => `/x/${((index * 7919) % 20_000).toString().padStart(5, '0')}`
      const writes: Promise<CommitResult>[] = []
      for (let from = 0; from < 20_000; from += 100) {
        writes.push(store.commit(Array.from({ length: 100 }, (_, index) => put(key(from + index), 'value'))))
      }
      await Promise.all(writes)
      const { items } = await store.range({ prefix: '/x/' })
      assert.equal(items.length, 20_000)
      assert.ok(items.every((item, index) => index === 0 || items[index - 1]!.key < item.key))
      const page = await store.range({ prefix: '/x/', after: '/x/09999', limit: 1 })
      assert.equal(page.items[0]?.key, '/x/10000')
    })
  })

  describe(`${name}: watch`, () => {
    it('watch gives every later event of its prefix with what stood there before', async t => {
      const store = await opened(t)
      await done(store, put('/a/1', 'old'))
      const { lines } = await watched(store, '/a/', store.revision())
      await done(store, put('/a/1', 'new'))
      await done(store, put('/b/1', 'other'))
      await done(store, put('/a/2', 'x'), del('/a/1'))
      assert.deepEqual(lines, ['put /a/1@2 new (was old@1)', 'put /a/2@4 x', 'delete /a/1@4 (was new@2)'])
    })

    it('watch says when an object was created', async t => {
      const store = await opened(t)
      const seen: unknown[] = []
      await store.watch({
        prefix: '/',
        after: 0,
        onEvents: events => seen.push(...events.map(each => each.createRevision)),
      })
      await done(store, put('/a', '1'))
      await done(store, put('/a', '2'))
      await done(store, del('/a'))
      assert.deepEqual(seen, [1, 1, undefined])
    })

    it('watch delivers the past after its revision before it resolves', async t => {
      const store = await opened(t)
      await done(store, put('/a', '1'))
      await done(store, put('/a', '2'))
      await done(store, del('/a'))
      await done(store, put('/a', '4'))
      const { lines } = await watched(store, '/', 1)
      assert.deepEqual(lines, ['put /a@2 2 (was 1@1)', 'delete /a@3 (was 2@2)', 'put /a@4 4'])
    })

    for (const durability of ['durable', 'relaxed'] as const) {
      it(`watch is told before a ${durability} commit resolves, and reads show what it was told`, async t => {
        const store = await opened(t)
        const { lines } = await watched(store, '/', 0)
        const counts = await Promise.all(
          [1, 2, 3, 4, 5].map(async each => {
            const result = await store.commit([put(`/k${each}`, 'x')], durability)
            assert.ok(result.ok)
            assert.equal(await textAt(store, `/k${each}`), 'x')
            return lines.length >= result.revision
          }),
        )
        assert.deepEqual(counts, [true, true, true, true, true])
      })
    }

    it('watch from any revision has no gap and no duplicate under concurrent commits', async t => {
      const store = await opened(t)
      const full: string[] = []
      await store.watch({ prefix: '/', after: 0, onEvents: events => full.push(...events.map(line)) })
      const writer = async (name: number) => {
        for (let turn = 0; turn < 25; turn++) {
          const durability = turn % 4 ? 'durable' : 'relaxed'
          await store.commit([put(`/w${name}`, `${turn}`), put(`/w${name}/${turn}`, 'x')], durability)
          if (turn % 5 === 4) await store.commit([del(`/w${name}/${turn - 1}`)])
        }
      }
      const late: { after: number; lines: string[] }[] = []
      const joiner = async () => {
        for (let turn = 0; turn < 40; turn++) {
          const after = Math.max(0, store.revision() - (turn % 7) * 5)
          late.push({ after, lines: (await watched(store, '/', after)).lines })
          await new Promise<void>(resolve => setImmediate(resolve))
        }
      }
      await Promise.all([...[1, 2, 3, 4, 5, 6].map(writer), joiner()])
      const revisionOf = (text: string) => Number(/@(\d+)/.exec(text)![1])
      assert.equal(revisionOf(full.at(-1)!), store.revision())
      assert.equal(new Set(full.map(revisionOf)).size, store.revision())
      for (const { after, lines } of late) {
        assert.deepEqual(
          lines,
          full.filter(text => revisionOf(text) > after),
        )
      }
    })

    it('watch gives a commit that is made inside a handler after the one that caused it, to everyone', async t => {
      const store = await opened(t)
      let answer: Promise<CommitResult> | undefined
      await store.watch({
        prefix: '/ask',
        after: 0,
        onEvents() {
          answer = store.commit([put('/answer', 'x')])
        },
      })
      const { lines } = await watched(store, '/', 0)
      await done(store, put('/ask', 'x'))
      await answer
      assert.deepEqual(lines, ['put /ask@1 x', 'put /answer@2 x'])
    })

    it('watch ends when it is told to', async t => {
      const store = await opened(t)
      const { lines, end } = await watched(store, '/', 0)
      await done(store, put('/a', '1'))
      end()
      end()
      await done(store, put('/a', '2'))
      assert.deepEqual(lines, ['put /a@1 1'])
    })

    it('watch refuses a revision that has not been', async t => {
      const store = await opened(t)
      await assert.rejects(watched(store, '/', 1), isCode('future'))
    })
  })

  describe(`${name}: compaction`, () => {
    const written = async (t: TestContext) => {
      const store = await opened(t)
      for (const value of ['1', '2', '3', '4', '5']) await done(store, put('/a', value))
      return store
    }

    it('compact forgets the past before a revision and keeps the rest', async t => {
      const store = await written(t)
      await store.compact(3)
      assert.equal(store.compactedRevision(), 3)
      await assert.rejects(store.range({ prefix: '/', revision: 2 }), isCode('compacted'))
      await assert.rejects(watched(store, '/', 2), isCode('compacted'))
      assert.deepEqual(await list(store, { prefix: '/', revision: 3 }), ['/a=3@3'])
      assert.deepEqual((await watched(store, '/', 3)).lines, ['put /a@4 4 (was 3@3)', 'put /a@5 5 (was 4@4)'])
      assert.deepEqual(await list(store, { prefix: '/' }), ['/a=5@5'])
    })

    it('compact never goes back, and not into the future', async t => {
      const store = await written(t)
      await store.compact(4)
      await store.compact(2)
      assert.equal(store.compactedRevision(), 4)
      await assert.rejects(store.compact(6), isCode('future'))
      await store.compact(5)
      assert.deepEqual(await list(store, { prefix: '/' }), ['/a=5@5'])
      assert.deepEqual((await watched(store, '/', 5)).lines, [])
    })

    it('the window forgets by itself what is beyond its bound', async t => {
      const store = await opened(t, { events: 10 })
      for (let value = 1; value <= 40; value++) await done(store, put(`/k${value % 4}`, `${value}`))
      assert.equal(store.compactedRevision(), 30)
      await assert.rejects(watched(store, '/', 29), isCode('compacted'))
      assert.equal((await watched(store, '/', 30)).lines.length, 10)
      assert.deepEqual(await list(store, { prefix: '/', revision: 30 }), [
        '/k0=28@28',
        '/k1=29@29',
        '/k2=30@30',
        '/k3=27@27',
      ])
    })
  })

  describe(`${name}: close`, () => {
    it('close lets what is under way finish and refuses what comes after', async () => {
      const store = await open()
      const { lines } = await watched(store, '/', 0)
      const pending = [store.commit([put('/a', '1')]), store.commit([put('/b', '1')], 'relaxed')]
      await store.close()
      for (const result of await Promise.all(pending)) assert.ok(result.ok)
      assert.equal(lines.length, 2)
      await assert.rejects(store.commit([put('/c', '1')]), isCode('closed'))
      await assert.rejects(store.get('/a'), isCode('closed'))
      await assert.rejects(store.range({ prefix: '/' }), isCode('closed'))
      await assert.rejects(watched(store, '/', 0), isCode('closed'))
      await store.close()
    })
  })
}
