import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, describe, it } from 'node:test'
import { type Clock, realClock } from '../../lib/clock.ts'
import { eventually } from '../../lib/eventually.fixture.ts'
import { type ImageSpec, ociArchive, ociImage } from '../../lib/oci-archive.ts'
import { tarArchive } from '../../lib/tar.ts'
import { mountLayers } from '../runtimes/overlay.ts'
import { openImageStore } from './store.ts'

const base = mkdtempSync(join(tmpdir(), 'tutti-images-'))
after(() => rmSync(base, { recursive: true, force: true }))
const mounts = spawnSync('/usr/bin/unshare', ['-m', '/bin/true']).status === 0
const rooted = mounts ? {} : { skip: 'nothing may be mounted here' }
let count = 0

const storeAt = (folder: string, clock: Clock = realClock, mirrors: string[] = []) =>
  openImageStore({
    folder,
    clock,
    mirrors: () => mirrors.map(url => ({ url })),
    ca: () => undefined,
    mount: mountLayers(join(folder, 'layers')),
    owners: process.getuid?.() === 0,
  })
const newStore = (clock?: Clock, mirrors?: string[]) => storeAt(join(base, String(++count)), clock, mirrors)
const signal = new AbortController().signal

/** Whether this process has a file below a folder open. */
const openedBelow = (folder: string) =>
  readdirSync('/proc/self/fd').some(each => {
    try {
      return readlinkSync(`/proc/self/fd/${each}`).startsWith(folder)
    } catch {
      return false
    }
  })

const small: ImageSpec = {
  name: 'example.com/a:1',
  layers: [[{ name: 'f', bytes: 'one' }]],
  config: { Cmd: ['x'] },
  gzip: true,
}

const servers: ReturnType<typeof createServer>[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})
/** A registry of one image; `meddle` may answer in its place. */
async function registry(image: ImageSpec, meddle?: (from: IncomingMessage, to: ServerResponse) => boolean) {
  const { blobs, manifest } = ociImage(image)
  const asked: string[] = []
  const server = createServer((from, to) => {
    asked.push(from.url!)
    if (meddle?.(from, to)) return
    const [, what = '', name = ''] = /^\/v2\/team\/app\/(manifests|blobs)\/([^?]+)/.exec(from.url!) ?? []
    const bytes = what === 'manifests' && name === '1' ? blobs.get(manifest.digest) : blobs.get(name)
    if (bytes) to.setHeader('content-type', manifest.mediaType).end(bytes)
    else to.writeHead(404).end('{"errors":[{"code":"NOT_FOUND","message":"unknown"}]}')
  })
  servers.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return { host, name: `${host}/team/app:1`, asked, digest: manifest.digest, layer: [...blobs.keys()][0]! }
}

describe('openImageStore', () => {
  it('pulls an image once and knows it by its names', async () => {
    const { name, host, digest, asked } = await registry(small)
    const store = newStore()
    const [image, same] = await Promise.all([store.pull(name, [], signal), store.pull(name, [], signal)])
    assert.equal(image.id, same.id)
    assert.equal(asked.length, 3)
    assert.deepEqual(image.names, [name])
    assert.deepEqual(image.digests, [`${host}/team/app@${digest}`])
    assert.equal(store.get(`${host}/team/app@${digest}`)?.id, image.id)
    assert.equal(store.get(image.id)?.config.config?.Cmd?.[0], 'x')
  })

  it('finds its images again, and what was left unfinished is gone', async () => {
    const { name } = await registry(small)
    const folder = join(base, String(++count))
    const { id } = await storeAt(folder).pull(name, [], signal)
    writeFileSync(join(folder, 'blobs', 'f'.repeat(64)), 'left over')
    assert.equal(storeAt(folder).get(name)?.id, id)
    assert.equal(readdirSync(join(folder, 'blobs')).includes('f'.repeat(64)), false)
  })

  it('shows a password where it is asked for, and says what the registry says without one', async () => {
    const asks = (from: IncomingMessage, to: ServerResponse) => {
      if (from.headers.authorization === `Basic ${Buffer.from('me:secret').toString('base64')}`) return false
      to.writeHead(401, { 'www-authenticate': 'Basic realm="here"' }).end('{"errors":[{"message":"who are you"}]}')
      return true
    }
    const { name } = await registry(small, asks)
    await assert.rejects(
      newStore().pull(name, [], signal),
      /failed to resolve reference .*pull access denied.*who are you/,
    )
    await newStore().pull(
      name,
      [
        { username: 'me', password: 'wrong' },
        { username: 'me', password: 'secret' },
      ],
      signal,
    )
  })

  it('fetches a token where one is asked for', async () => {
    let realm = ''
    const asks = (from: IncomingMessage, to: ServerResponse) => {
      if (from.url!.startsWith('/token')) {
        const url = new URL(from.url!, realm)
        assert.equal(url.searchParams.get('scope'), 'repository:team/app:pull')
        assert.equal(url.searchParams.get('service'), 'the registry')
        to.end('{"token":"abc"}')
        return true
      }
      if (from.headers.authorization === 'Bearer abc') return false
      to.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}/token",service="the registry"` }).end()
      return true
    }
    const { name, host, asked } = await registry(small, asks)
    realm = `http://${host}`
    await newStore().pull(name, [], signal)
    assert.equal(asked.filter(url => url.startsWith('/token')).length, 1)
  })

  it('asks a mirror first, and the registry for what the mirror does not have', async () => {
    const { host, asked, name } = await registry(small)
    const empty = await registry(small, (_, to) => Boolean(to.writeHead(404).end()))
    await newStore(realClock, [`http://${empty.host}`]).pull(name, [], signal)
    assert.equal(empty.asked[0], `/v2/team/app/manifests/1?ns=${encodeURIComponent(host)}`)
    assert.equal(asked.length, 3)
  })

  const lies: [
    string,
    Partial<ImageSpec>,
    ((from: IncomingMessage, to: ServerResponse) => boolean) | undefined,
    RegExp,
  ][] = [
    [
      'an image for another machine',
      { architecture: 's390x' },
      undefined,
      /no match for platform in manifest: it is for linux\/s390x/,
    ],
    [
      'a layer that is not what its digest says',
      {},
      (from, to) => from.url!.includes('/blobs/') && Boolean(to.end('x'.repeat(40))),
      /failed to copy sha256:\w+: .*(announced|digest)/,
    ],
    [
      'a registry that breaks off',
      {},
      (from, to) => {
        if (!from.url!.includes('/blobs/')) return false
        to.writeHead(200, { 'content-length': '1000' }).write('half')
        setImmediate(() => to.destroy())
        return true
      },
      /failed to copy sha256:\w+: aborted/,
    ],
    [
      'an answer that is no manifest',
      {},
      (_, to) => Boolean(to.end('{"schemaVersion":1}')),
      /schemaVersion is 1, expected 2/,
    ],
    [
      'what is not there',
      {},
      (_, to) => Boolean(to.writeHead(404).end()),
      /failed to resolve reference "[^"]+": .*: not found/,
    ],
    [
      'a server that fails',
      {},
      (_, to) => Boolean(to.writeHead(503).end()),
      /unexpected status from GET request to .*: 503/,
    ],
  ]
  for (const [what, change, meddle, message] of lies) {
    it(`refuses ${what}, and keeps nothing of it`, async () => {
      const { name } = await registry({ ...small, ...change }, meddle)
      const folder = join(base, String(++count))
      const store = storeAt(folder)
      await assert.rejects(store.pull(name, [], signal), message)
      assert.deepEqual(store.list(), [])
      assert.deepEqual(readdirSync(join(folder, 'blobs')), ['drafts'])
      assert.deepEqual(readdirSync(join(folder, 'blobs', 'drafts')), [])
      assert.deepEqual(readdirSync(join(folder, 'layers')), [])
    })
  }

  it('gives up on a registry that stalls half-way', async () => {
    let asked = false
    const clock: Clock = {
      ...realClock,
      after(ms, fn) {
        // The first wait after the blob was asked for is that for its bytes: a minute passes at once.
        if (asked) setImmediate(fn)
        return asked ? { cancel: () => {} } : realClock.after(ms, fn)
      },
    }
    const { name } = await registry(small, (from, to) => {
      if (!from.url!.includes('/blobs/')) return false
      asked = true
      to.writeHead(200, { 'content-length': '1000' }).flushHeaders()
      return true
    })
    await assert.rejects(newStore(clock).pull(name, [], signal), /nothing came for 60 s/)
  })

  it('ends a pull that is no longer wanted', async () => {
    const abort = new AbortController()
    const { name } = await registry(small, () => {
      abort.abort()
      return true
    })
    await assert.rejects(newStore().pull(name, [], abort.signal), /abort/)
  })

  it('shares layers between images and gives back those that no image has', rooted, async () => {
    const below = [{ name: 'base', bytes: 'x'.repeat(1000) }]
    const folder = join(base, String(++count))
    const store = storeAt(folder)
    const file = join(base, 'two.tar')
    const image = (name: string, own: string): ImageSpec => ({
      name,
      layers: [below, [{ name: 'own', bytes: own }]],
    })
    const twice = { ...image('example.com/a:1', 'a'), name: 'example.com/twin:1' }
    writeFileSync(file, ociArchive(image('example.com/a:1', 'a'), image('example.com/b:1', 'b'), twice))
    const [a, b] = await store.import(file)
    assert.equal(readdirSync(join(folder, 'layers')).length, 3)
    assert.equal(store.layers(a!)[0], store.layers(b!)[0])
    assert.equal(store.remove('example.com/a:1'), true)
    assert.equal(store.remove('example.com/a:1'), false)
    assert.equal(readdirSync(join(folder, 'layers')).length, 3)
    assert.equal(store.remove('example.com/twin:1'), true)
    assert.equal(readdirSync(join(folder, 'layers')).length, 2)
    assert.deepEqual(
      store.prune(new Set()).map(each => each.names),
      [['example.com/b:1']],
    )
    assert.deepEqual(readdirSync(join(folder, 'layers')), [])
    assert.deepEqual(readdirSync(join(folder, 'blobs')), ['drafts'])
  })

  it('moves a name to the image that has it now', async () => {
    const store = newStore()
    const file = join(base, 'moved.tar')
    for (const content of ['one', 'two']) {
      writeFileSync(file, ociArchive({ name: 'example.com/a:1', layers: [[{ name: 'f', bytes: content }]] }))
      await store.import(file)
    }
    assert.equal(store.list().filter(each => each.names.length > 0).length, 1)
  })

  it('takes what docker save writes', async () => {
    const { blobs, manifest } = ociImage(small)
    const { config, layers } = JSON.parse(blobs.get(manifest.digest)!.toString())
    const file = join(base, 'docker.tar')
    const entry = { Config: 'config.json', RepoTags: ['app:2'], Layers: ['one/layer.tar'] }
    const list = [entry, { ...entry, RepoTags: ['app:3'] }]
    writeFileSync(
      file,
      tarArchive([
        { name: 'one/layer.tar', bytes: blobs.get(layers[0].digest)! },
        { name: 'config.json', bytes: blobs.get(config.digest)! },
        { name: 'manifest.json', bytes: JSON.stringify(list) },
      ]),
    )
    const store = newStore()
    await store.import(file)
    assert.equal(store.get('app:2')?.id, config.digest)
    assert.equal(store.get('app:3')?.id, config.digest)
  })

  for (const [what, gzip] of [
    ['before it is unpacked', false],
    ['while it is unpacked', true],
  ] as const) {
    it(`leaves nothing of an image for which the disk has no room ${what}`, rooted, async () => {
      const folder = join(base, String(++count))
      mkdirSync(folder)
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', folder])
      try {
        const big = { ...small, gzip, layers: [[{ name: 'big', bytes: 'x'.repeat(3 << 20) }]] }
        const { name } = await registry(big)
        const store = storeAt(folder)
        const message =
          /failed to pull and unpack image .*: ENOSPC: .*Make room on the disk of .*\/\d+, or remove images/
        await assert.rejects(store.pull(name, [], signal), message)
        assert.deepEqual(store.list(), [])
        assert.deepEqual(readdirSync(join(folder, 'layers')), [])
        assert.deepEqual(readdirSync(join(folder, 'blobs')), ['drafts'])
        assert.deepEqual(readdirSync(join(folder, 'blobs', 'drafts')), [])
        writeFileSync(join(folder, 'archive.tar'), ociArchive({ ...big, gzip: true }))
        await assert.rejects(store.import(join(folder, 'archive.tar')), /ENOSPC: .*Make room on the disk/)
        assert.deepEqual(readdirSync(join(folder, 'staging')), [])
        const { name: fits } = await registry(small)
        assert.equal((await store.pull(fits, [], signal)).names[0], fits)
      } finally {
        // Streams are closed a moment after they have failed; what is not would keep the disk busy.
        await eventually(() => !openedBelow(folder))
        execFileSync('umount', [folder])
      }
    })
  }

  it('says why a file is no archive of images', async () => {
    const file = join(base, 'wrong.tar')
    writeFileSync(file, tarArchive([{ name: 'hello', bytes: '' }]))
    await assert.rejects(newStore().import(file), /neither an OCI image layout \(index.json\) nor a docker archive/)
    writeFileSync(file, 'no tar at all, but long enough to be looked at '.repeat(30))
    await assert.rejects(newStore().import(file))
  })
})
