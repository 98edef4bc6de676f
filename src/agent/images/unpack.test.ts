import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, describe, it } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { Header } from 'tar'
import { type TarEntry, tarArchive } from '../../lib/tar.ts'
import { resolveIn } from './rooted.ts'
import { decompressed, unpackLayer } from './unpack.ts'

const base = mkdtempSync(join(tmpdir(), 'tutti-unpack-'))
after(() => rmSync(base, { recursive: true, force: true }))
let count = 0
const owners = process.getuid?.() === 0

/** A folder with what earlier layers left. */
function folder(fill: (root: string) => void = () => {}) {
  const root = join(base, String(++count), 'root')
  mkdirSync(root, { recursive: true })
  fill(root)
  return root
}
const apply = (root: string, entries: readonly TarEntry[]) =>
  unpackLayer(Readable.from([tarArchive(entries)]), root, { owners })

describe('unpackLayer', () => {
  it('writes files, folders and links with their modes', async () => {
    const root = folder()
    await apply(root, [
      { name: 'a/', mode: 0o750 },
      { name: 'a/run', bytes: '#!', mode: 0o4755 },
      { name: './b/c/d', bytes: 'deep', mtime: 1_600_000_000 },
      { name: 'a/link', link: '../b/c/d' },
      { name: 'a/twin', hardLink: 'b/c/d' },
    ])
    assert.equal(statSync(join(root, 'a')).mode & 0o7777, 0o750)
    assert.equal(statSync(join(root, 'a/run')).mode & 0o7777, 0o4755)
    assert.equal(readFileSync(join(root, 'a/link'), 'utf8'), 'deep')
    assert.equal(statSync(join(root, 'a/twin')).ino, statSync(join(root, 'b/c/d')).ino)
    assert.equal(statSync(join(root, 'b/c/d')).mtimeMs, 1_600_000_000_000)
  })

  it('sets owners where there are many', { skip: owners ? false : 'needs root' }, async () => {
    const root = folder()
    await apply(root, [{ name: 'f', bytes: '', uid: 12, gid: 34 }])
    const { uid, gid } = statSync(join(root, 'f'))
    assert.deepEqual([uid, gid], [12, 34])
  })

  it('removes what a layer removes', async () => {
    const root = folder(at => {
      mkdirSync(join(at, 'gone/deep'), { recursive: true })
      mkdirSync(join(at, 'emptied/old'), { recursive: true })
      writeFileSync(join(at, 'stays'), '')
    })
    await apply(root, [
      { name: '.wh.gone', bytes: '' },
      { name: 'emptied/new', bytes: '' },
      { name: 'emptied/.wh..wh..opq', bytes: '' },
      { name: '.wh.never-was', bytes: '' },
    ])
    assert.deepEqual(readdirSync(root).sort(), ['emptied', 'stays'])
    assert.deepEqual(readdirSync(join(root, 'emptied')), ['new'])
  })

  it('puts one sort of entry in the place of another', async () => {
    const root = folder(at => {
      mkdirSync(join(at, 'folder/full'), { recursive: true })
      writeFileSync(join(at, 'file'), '')
      symlinkSync('file', join(at, 'link'))
    })
    await apply(root, [{ name: 'folder', bytes: 'a file now' }, { name: 'file/' }, { name: 'link', bytes: 'its own' }])
    assert.equal(readFileSync(join(root, 'folder'), 'utf8'), 'a file now')
    assert.equal(readFileSync(join(root, 'link'), 'utf8'), 'its own')
    assert.equal(statSync(join(root, 'file')).isDirectory(), true)
  })

  it('follows links of folders inside the root only', async () => {
    const outside = folder()
    const root = folder(at => {
      symlinkSync(outside, join(at, 'absolute'))
      symlinkSync('../../../../../../../../..', join(at, 'up'))
      mkdirSync(join(at, 'usr/bin'), { recursive: true })
      symlinkSync('usr/bin', join(at, 'bin'))
    })
    await apply(root, [
      { name: 'absolute/escaped', bytes: 'x' },
      { name: `up${outside}/escaped`, bytes: 'x' },
      { name: 'bin/tool', bytes: 'tool' },
    ])
    assert.deepEqual(readdirSync(outside), [])
    assert.equal(readlinkSync(join(root, 'bin')), 'usr/bin')
    assert.equal(readFileSync(join(root, 'usr/bin/tool'), 'utf8'), 'tool')
  })

  const wrong: [string, TarEntry[], RegExp][] = [
    ['a path that leads up', [{ name: 'a/../../evil', bytes: '' }], /must not contain "\.\."/],
    ['a mark that leads up', [{ name: 'a/../../.wh.keep', bytes: '' }], /must not contain "\.\."/],
    ['a mark that empties what is above', [{ name: '../.wh..wh..opq', bytes: '' }], /must not contain "\.\."/],
    ['a hard link to nothing inside', [{ name: 'passwd', hardLink: '../../../../../../etc/hostname.none' }], /ENOENT/],
    [
      'capabilities for very many files',
      Array.from({ length: 65 }, (_, at) => ({ name: `f${at}`, bytes: '', capability: Buffer.alloc(20) })),
      /more than 64 files of one layer have capabilities/,
    ],
    ['a mark that removes nothing that could be', [{ name: '.wh...', bytes: '' }], /removes nothing/],
  ]
  for (const [what, entries, message] of wrong) {
    it(`refuses ${what}`, () => assert.rejects(apply(folder(), entries), message))
  }

  it('never hard-links what is outside', async () => {
    const root = folder()
    writeFileSync(join(root, '..', 'secret'), 'secret')
    await assert.rejects(apply(root, [{ name: 'own', hardLink: '../secret' }]), /ENOENT/)
    assert.equal(existsSync(join(root, 'own')), false)
  })

  it('keeps to the root with absolute paths, and links that the layer itself lays', async () => {
    const outside = folder()
    const root = folder()
    await apply(root, [
      { name: `${outside}/absolute`, bytes: 'x' },
      { name: 'way', link: outside },
      { name: 'way/escaped', bytes: 'x' },
      { name: 'way/.wh.kept', bytes: '' },
      { name: 'here', hardLink: `way/escaped` },
      { name: 'self', link: '.' },
      { name: 'self/self/self/deep', bytes: 'deep' },
    ])
    assert.deepEqual(readdirSync(outside), [])
    assert.deepEqual(readdirSync(join(root, outside)).sort(), ['absolute', 'escaped'])
    assert.equal(readFileSync(join(root, 'deep'), 'utf8'), 'deep')
    await apply(root, [{ name: 'way/.wh..wh..opq', bytes: '' }])
    assert.deepEqual(readdirSync(join(root, outside)), [])
  })

  it('makes no devices and pipes', async () => {
    const types = ['CharacterDevice', 'BlockDevice', 'FIFO'] as const
    const blocks = types.map(type => {
      const block = Buffer.alloc(512)
      new Header({ path: type, type, mode: 0o666, size: 0, devmaj: 1, devmin: 3 }).encode(block, 0)
      return block
    })
    const root = folder()
    const rest = tarArchive([{ name: 'f', bytes: 'f' }])
    await unpackLayer(Readable.from([Buffer.concat([...blocks, rest])]), root, { owners })
    assert.deepEqual(readdirSync(root), ['f'])
  })

  it('takes many files, and lets other work go on meanwhile', async () => {
    const root = folder()
    const entries = Array.from({ length: 2_000 }, (_, at) => ({ name: `d${at % 100}/f${at}`, bytes: `${at}` }))
    const bytes = tarArchive(entries)
    // As from a file: in pieces of 64 KiB, of which the next one comes with the next turn of the event loop.
    const pieces = async function* () {
      for (let at = 0; at < bytes.length; at += 65_536) {
        await new Promise(next => setImmediate(next))
        yield bytes.subarray(at, at + 65_536)
      }
    }
    await unpackLayer(pieces(), root, { owners })
    assert.equal(
      readdirSync(root).reduce((sum, name) => sum + readdirSync(join(root, name)).length, 0),
      2_000,
    )
    assert.equal(readFileSync(join(root, 'd99/f1999'), 'utf8'), '1999')
  })

  it('refuses a file that ends in the middle', () =>
    assert.rejects(
      unpackLayer(Readable.from([tarArchive([{ name: 'f', bytes: 'x'.repeat(5000) }]).subarray(0, 2048)]), folder(), {
        owners,
      }),
    ))
})

describe('decompressed', () => {
  const bytes = Buffer.from('the same content')
  const forms: [string, Buffer][] = [
    ['plain', bytes],
    ['gzip', gzipSync(bytes)],
    ['zstd', zstdCompressSync(bytes)],
  ]
  for (const [what, stored] of forms) {
    it(`reads ${what}`, async () => {
      const chunks: Buffer[] = []
      for await (const chunk of await decompressed(Readable.from([stored], { objectMode: false })))
        chunks.push(chunk as Buffer)
      assert.equal(Buffer.concat(chunks).toString(), 'the same content')
    })
  }
})

describe('resolveIn', () => {
  it('gives up on links that go round', () => {
    const root = folder(at => symlinkSync('loop', join(at, 'loop')))
    assert.throws(() => resolveIn(root, '/loop/x'), /too many symbolic links/)
  })
})
