/** The example of docs/testing.md, run as it stands there. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'

test('startCluster: the example of docs/testing.md holds', async t => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/testing.md'), 'utf8')
  const code = /```ts\n(.*?)```/s.exec(page)?.[1]
  if (!code) throw new Error('docs/testing.md has no example')
  const folder = mkdtempSync(join(tmpdir(), 'tutti-example-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'example.mts')
  writeFileSync(file, code.replace('tutti/testing', pathToFileURL(join(import.meta.dirname, 'testing.ts')).href))
  await import(pathToFileURL(file).href)
})
