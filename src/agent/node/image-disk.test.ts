import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { silent } from '../../lib/log.ts'
import type { RuntimeDriver } from '../runtimes/runtime.ts'
import { findImageDisk, withImageDisk } from './image-disk.ts'
import { thisMachine } from './machine.ts'

const driver = (folder?: () => Promise<string | undefined>) =>
  ({ version: 'x', ...(folder && { images: { folder } }) }) as unknown as RuntimeDriver

const DATA = '/data'
const devices = (path: string) => ({ [DATA]: 1, '/data/containerd': 1, [tmpdir()]: 2, '/other': 3 })[path]
const find = (...drivers: RuntimeDriver[]) => findImageDisk(drivers, DATA, silent, devices)

for (const [what, folder] of [
  ["lie on the node's own disk", async () => '/data/containerd'],
  ['lie where nobody knows', async () => undefined],
  ['lie in a folder that is not there', async () => '/nowhere'],
  ['are of a runtime that does not answer', () => Promise.reject(new Error('away'))],
] as const)
  test(`findImageDisk finds none where images ${what}`, async () => {
    assert.equal(await find(driver(), driver(folder)), undefined)
  })

test('findImageDisk finds the first that is another, and whose containers write there', async () => {
  const [processes, apart, same, third] = [
    driver(),
    driver(async () => tmpdir()),
    driver(async () => '/data/containerd'),
    driver(async () => '/other'),
  ] as const
  const found = (await find(processes, same, apart, third))!
  assert.deepEqual(
    [processes, apart, same, third].map(each => found.isOf(each)),
    [false, true, false, false],
  )
  assert.ok(found.read()!.capacityBytes > 0)
  const machine = withImageDisk(thisMachine(tmpdir()), found)
  assert.deepEqual(machine.usage?.().imageDisk?.capacityBytes, found.read()?.capacityBytes)
})

test('withImageDisk leaves a machine without one as it is', () => {
  const machine = thisMachine(tmpdir())
  assert.equal(withImageDisk(machine, undefined), machine)
})
