import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { addContext, readKubeconfig, removeContext } from './kubeconfig.ts'

const base = mkdtempSync(join(tmpdir(), 'tutti-kubeconfig-'))
after(() => rmSync(base, { recursive: true, force: true }))

const folder = () => mkdtempSync(join(base, 'own-'))
const context = { name: 'tutti', server: 'https://127.0.0.1:6443', authority: 'CA', certificate: 'C', key: 'K' }
const users = `apiVersion: v1
kind: Config
preferences: {colors: true}
clusters: [{name: work, cluster: {server: https://work, tls-server-name: w, x-extra: 1}}]
users: [{name: me, user: {exec: {command: login}}}]
contexts: [{name: work, context: {cluster: work, user: me}}]
current-context: work
`

test('addContext makes a file that only its owner can read', async () => {
  const path = join(folder(), 'new', 'config')
  await addContext(path, context)
  const config = await readKubeconfig(path)
  assert.equal(config?.['current-context'], 'tutti')
  assert.deepEqual(config?.clusters, [
    { name: 'tutti', cluster: { server: 'https://127.0.0.1:6443', 'certificate-authority-data': 'Q0E=' } },
  ])
  assert.equal(statSync(path).mode & 0o777, 0o600)
})

test('addContext keeps everything else of the user, and removeContext takes out only its own', async () => {
  const path = join(folder(), 'config')
  writeFileSync(path, users)
  const before = await readKubeconfig(path)
  await addContext(path, context)
  await addContext(path, { ...context, server: 'https://127.0.0.1:7443' })
  const merged = await readKubeconfig(path)
  assert.deepEqual(
    merged?.contexts?.map(each => each.name),
    ['work', 'tutti'],
  )
  assert.deepEqual(merged?.clusters?.[0], before?.clusters?.[0])
  assert.equal(await removeContext(path, 'tutti'), true)
  assert.deepEqual(await readKubeconfig(path), { ...before, 'current-context': '' })
  assert.equal(await removeContext(path, 'tutti'), false)
})

test('addContext keeps the namespace that was chosen, as long as the cluster is the same', async () => {
  const path = join(folder(), 'config')
  await addContext(path, { ...context, namespace: 'shop' })
  const contextOf = async () => (await readKubeconfig(path))?.contexts?.[0]?.context
  await addContext(path, { ...context, server: 'https://127.0.0.1:7443' })
  assert.deepEqual(await contextOf(), { cluster: 'tutti', user: 'tutti', namespace: 'shop' })
  await addContext(path, { ...context, authority: 'of another cluster' })
  assert.deepEqual(await contextOf(), { cluster: 'tutti', user: 'tutti' })
})

test('addContext writes through a link', async () => {
  const dir = folder()
  writeFileSync(join(dir, 'real'), users)
  symlinkSync(join(dir, 'real'), join(dir, 'config'))
  await addContext(join(dir, 'config'), context)
  assert.match(readFileSync(join(dir, 'real'), 'utf8'), /tutti/)
})

test('readKubeconfig says which file is not a kubeconfig and leaves it alone', async () => {
  for (const text of ['a: [', '- 1', 'clusters: {}', '"text"']) {
    const path = join(folder(), 'config')
    writeFileSync(path, text)
    await assert.rejects(addContext(path, context), error => (error as Error).message.includes(path))
    assert.equal(readFileSync(path, 'utf8'), text)
  }
})
