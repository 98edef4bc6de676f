import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { addContext, readKubeconfig } from '../lib/kubeconfig.ts'
import type { Instance } from './instance.ts'
import { CONTEXT_NAME, forgetKubeconfig, ownKubeconfig } from './kubeconfig.ts'

const entry = (port: number, authority: string) => ({
  name: CONTEXT_NAME,
  server: `https://127.0.0.1:${port}`,
  authority,
  certificate: 'certificate',
  key: 'key',
})

for (const [what, shown, stays, role] of [
  ['goes, though the port is another by now', entry(6443, 'mine'), false, undefined],
  ['of another cluster on the same port stays', entry(7443, 'another'), true, undefined],
  ['of the cluster that a machine was a node of stays', entry(7443, 'mine'), true, 'node'],
] as const)
  test(`forgetKubeconfig: the context ${what}`, async t => {
    const dataDir = mkdtempSync(join(tmpdir(), 'tutti-kubeconfig-'))
    t.after(() => rmSync(dataDir, { recursive: true }))
    const path = join(dataDir, 'user')
    await addContext(path, shown)
    await addContext(ownKubeconfig(dataDir), entry(7443, 'mine'))
    const io = { env: { KUBECONFIG: path } } as never
    await forgetKubeconfig({ io, dataDir }, { server: 'https://127.0.0.1:7443', role } as Instance)
    const left = (await readKubeconfig(path))?.contexts?.map(each => each.name)
    assert.deepEqual(left, stays ? [CONTEXT_NAME] : [])
  })
