import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { silent } from '../../lib/log.ts'
import type { ContainerStatus, NodeImage, RuntimeDriver } from '../runtimes/runtime.ts'
import { createNodeImages } from './images.ts'
import { preloadImages } from './preload.ts'

const folder = mkdtempSync(join(tmpdir(), 'node-images-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const image = (id: string, names: readonly string[], pinned = false): NodeImage => ({
  id,
  names,
  digests: [],
  size: 1,
  pinned,
})

/** A runtime that keeps these images, and what was done to it. */
function runtime(handlers: readonly string[], images: NodeImage[], containers: Partial<ContainerStatus>[] = []) {
  const done: string[] = []
  const driver = {
    capabilities: { handlers },
    listContainers: async () => containers,
    images: {
      list: async () => images,
      async importArchive(file: string) {
        const text = readFileSync(file, 'utf8')
        if (text === 'junk') throw new Error('it is junk')
        done.push(`import ${text}`)
        return [text]
      },
      async remove(name: string) {
        done.push(`remove ${name}`)
        return true
      },
    },
  } as unknown as RuntimeDriver
  return { driver, done }
}
async function* bytes(text: string) {
  yield Buffer.from(text)
}

test('importArchive gives an archive to the runtime of the handler', async () => {
  const a = runtime(['', 'containers'], [])
  const b = runtime(['process'], [])
  const images = createNodeImages([a.driver, b.driver], folder)
  assert.deepEqual(await images.importArchive('', bytes('one')), ['one'])
  assert.deepEqual(await images.importArchive('process', bytes('two')), ['two'])
  assert.deepEqual([a.done, b.done], [['import one'], ['import two']])
  await assert.rejects(images.importArchive('other', bytes('x')), { code: 400, message: /no runtime of this node/ })
  await assert.rejects(images.importArchive('', bytes('junk')), { code: 400, message: 'it is junk' })
})

test('remove finds an image by whatever name, in every runtime, and leaves what is pinned', async () => {
  const list = [image('sha256:1', ['docker.io/library/app:latest']), image('sha256:2', ['own/pause:1'], true)]
  const a = runtime([''], list)
  const b = runtime(['process'], list)
  const images = createNodeImages([a.driver, b.driver], folder)
  assert.equal(await images.remove('app'), true)
  assert.deepEqual([a.done, b.done], [['remove docker.io/library/app:latest'], ['remove docker.io/library/app:latest']])
  assert.equal(await images.remove('sha256:1'), true)
  assert.equal(await images.remove('other'), false)
  await assert.rejects(images.remove('sha256:2'), { code: 400, message: /needed by the container runtime/ })
})

test('prune removes what no container is made of, or has mounted', async () => {
  const used = [
    image('sha256:1', ['docker.io/library/by-name:1']),
    image('sha256:2', []),
    image('sha256:3', ['p'], true),
    image('sha256:5', []),
  ]
  const a = runtime(
    [''],
    [...used, image('sha256:4', ['docker.io/library/unused:1'])],
    [
      { image: 'by-name:1', imageId: '' },
      { image: 'x', imageId: 'sha256:2', volumeImages: ['sha256:5'] },
    ],
  )
  const removed = await createNodeImages([a.driver], folder).prune()
  assert.deepEqual(
    removed.map(each => each.id),
    ['sha256:4'],
  )
  assert.deepEqual(a.done, ['remove sha256:4'])
})

test('prune leaves the images of runtimes that are not meant', async () => {
  const [a, b] = [runtime([''], [image('sha256:1', [])]), runtime(['process'], [image('sha256:2', [])])]
  await createNodeImages([a.driver, b.driver], folder).prune(driver => driver === b.driver)
  assert.deepEqual([a.done, b.done], [[], ['remove sha256:2']])
})

test('preloadImages imports each archive of a folder once, and again when it changed', async () => {
  const place = join(folder, 'preload')
  mkdirSync(place)
  writeFileSync(join(place, 'a.tar'), 'one')
  writeFileSync(join(place, 'b.tar'), 'junk')
  writeFileSync(join(place, 'c.txt'), 'text')
  const { driver, done } = runtime([''], [])
  const images = createNodeImages([driver], folder)
  await preloadImages(place, images, silent)
  await preloadImages(place, images, silent)
  assert.deepEqual(done, ['import one'])
  writeFileSync(join(place, 'a.tar'), 'another')
  writeFileSync(join(place, 'b.tar'), 'good now')
  await preloadImages(place, images, silent)
  assert.deepEqual(done, ['import one', 'import another', 'import good now'])
})
