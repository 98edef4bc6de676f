/** What `npm pack` makes, installed: a program and a library. Skipped where npm reaches no registry. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { execute } from './cluster.ts'

const root = join(import.meta.dirname, '../..')
const reachable = (await execute('npm', ['ping', '--fetch-retries=0', '--fetch-timeout=5000'])).code === 0
const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']

describe('the package', { skip: reachable ? false : 'npm reaches no registry' }, () => {
  let folder: string
  let tutti: string
  let tarball: string
  let env: NodeJS.ProcessEnv
  const must = async (program: string, args: readonly string[], options: Parameters<typeof execute>[2] = {}) => {
    const result = await execute(program, args, options)
    assert.equal(result.code, 0, `${program} ${args.join(' ')}: ${result.stderr}${result.stdout}`)
    return result.stdout
  }
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tutti-package-'))
    await must('npm', ['pack', '--loglevel=error', '--pack-destination', folder], { cwd: root })
    tarball = join(folder, readdirSync(folder).find(name => name.endsWith('.tgz'))!)
    const prefix = join(folder, 'global')
    const empty = join(folder, 'empty')
    mkdirSync(empty)
    await must('npm', ['install', '--global', '--prefix', prefix, ...quiet, tarball], { cwd: empty })
    tutti = join(prefix, 'bin/tutti')
    // As on a machine whose PATH has no Node at all.
    const { PATH: _path, ...rest } = process.env
    env = { ...rest, PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: folder, TUTTI_DATA_DIR: join(folder, 'data') }
  })
  after(async () => {
    if (tutti) await execute(tutti, ['delete', '--yes'], { env })
    rmSync(folder, { recursive: true, force: true })
  })

  it('runs with the Node it brings, whatever is on the PATH', async () => {
    const bin = join(folder, 'path')
    mkdirSync(bin)
    writeFileSync(join(bin, 'node'), '#!/bin/sh\necho v4.0.0\nexit 1\n', { mode: 0o755 })
    symlinkSync(tutti, join(bin, 'tutti'))
    for (const path of ['/usr/bin:/bin', `${bin}:/usr/bin:/bin`])
      assert.match(await must(join(bin, 'tutti'), ['version'], { env: { PATH: path, HOME: folder } }), /node +v26\./)
  })

  it('brings a cluster with the shop up and down', async () => {
    const up = ['up', '--port', '0', '--network', 'portable']
    await must(tutti, up, { env })
    const example = JSON.parse((await must(tutti, ['example', 'shop', '--detach', '--json'], { env })).trim())
    assert.equal((await fetch(example.address)).status, 200)
    await must(tutti, ['down'], { env })
    // What a start that failed was asked for is not asked of the next one.
    await assert.rejects(must(tutti, [...up, '--runtime-endpoint', 'cri.sock'], { env }), /not the address of a unix/)
    await must(tutti, up, { env })
    await must(tutti, ['down'], { env })
    const kubeconfig = () => readFileSync(join(folder, '.kube/config'), 'utf8')
    assert.match(kubeconfig(), /name: tutti/)
    await must(tutti, ['delete', '--yes'], { env })
    assert.doesNotMatch(kubeconfig(), /name: tutti/)
  })

  it('tutti/testing starts a cluster in a project of its own, with types', async () => {
    const project = join(folder, 'project')
    mkdirSync(project)
    writeFileSync(join(project, 'package.json'), '{"name":"project","type":"module","private":true}')
    await must('npm', ['install', ...quiet, tarball], { cwd: project })
    writeFileSync(
      join(project, 'use.ts'),
      `import { startCluster } from 'tutti/testing'
await using cluster = await startCluster({ clock: 'virtual', nodes: 2 })
await cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'mine' } })
const found: string | undefined = (await cluster.objects('Namespace').get({ name: 'mine' })).metadata?.name
console.log(found)
`,
    )
    const node = join(project, 'node_modules/.bin/node')
    assert.equal(await must(node, ['use.ts'], { cwd: project }), 'mine\n')
    const compile = ['--noEmit', '--strict', '--target', 'esnext', '--module', 'nodenext', '--skipLibCheck', 'false']
    const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')]
    await must(join(root, 'node_modules/.bin/tsc'), [...compile, ...types, 'use.ts'], { cwd: project })
  })
})
