import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createLocalVolumes } from '../local-volumes.ts'
import { keepsQuotas, openFolderLimits } from './project-quota.ts'

/** Programs that know of these projects, and note what else they are asked. */
function scripted(projects: Record<string, number>) {
  const asked: string[] = []
  const limits = openFolderLimits('/volumes', async (program, args) => {
    if (program === 'find')
      return Object.entries(projects)
        .map(([folder, project]) => `${String(project).padStart(5)} --------------e------- ${folder}\n`)
        .join('')
    if (program === 'chattr') projects[args.at(-1)!] = Number(args[2])
    asked.push([program, ...args].join(' '))
    return ''
  })
  return { limits, asked }
}

test('openFolderLimits gives each folder a project of its own, and keeps it', async () => {
  const { limits, asked } = scripted({ '/volumes/a': 1_048_577, '/volumes/b c': 0, '/volumes/d': 7 })
  await Promise.all([limits.set('/volumes/b c', 1024), limits.set('/volumes/d', 1025), limits.set('/volumes/a', 1)])
  await limits.forget('/volumes/a')
  await limits.forget('/volumes/gone')
  assert.deepEqual(asked, [
    'chattr -R -p 1048578 +P /volumes/b c',
    'setquota -P 1048578 0 1 0 0 /',
    'chattr -R -p 1048579 +P /volumes/d',
    'setquota -P 1048579 0 2 0 0 /',
    'setquota -P 1048577 0 1 0 0 /',
    'setquota -P 1048577 0 0 0 0 /',
  ])
})

const SIZE = 400 << 20
const FILE_SYSTEMS = {
  ext4: ['mkfs.ext4', '-q', '-O', 'quota,project', '-E', 'quotatype=prjquota'],
  xfs: ['mkfs.xfs', '-q'],
}
for (const [type, [program = '', ...args]] of Object.entries(FILE_SYSTEMS)) {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-quota-'))
  const point = join(folder, 'mounted')
  /** Why there can be no such file system here. */
  const problem = (() => {
    if (process.getuid?.() !== 0) return 'needs root'
    try {
      mkdirSync(point)
      writeFileSync(join(folder, 'image'), '')
      execFileSync('truncate', ['-s', String(SIZE), join(folder, 'image')])
      execFileSync(program, [...args, join(folder, 'image')], { stdio: 'pipe' })
      execFileSync('mount', ['-o', 'loop,prjquota', join(folder, 'image'), point], { stdio: 'pipe' })
      execFileSync('setquota', ['-V'], { stdio: 'pipe' })
      return undefined
    } catch (error) {
      return `no quotas of projects on ${type} here: ${(error as Error).message.split('\n').slice(0, 2).join(' ')}`
    }
  })()
  after(() => {
    if (keepsQuotas(point)) execFileSync('umount', [point])
    rmSync(folder, { recursive: true, force: true })
  })

  test(`createLocalVolumes bounds volumes on ${type}, lets them grow, and takes them away`, {
    skip: problem ?? false,
  }, async () => {
    const volumes = createLocalVolumes(join(point, 'volumes'))
    // As root in a container: who may go beyond limits (CAP_SYS_RESOURCE) is not held up on ext4.
    const fill = (path: string, megabytes: number) =>
      execFileSync(
        'setpriv',
        ['--bounding-set=-sys_resource', 'dd', 'if=/dev/zero', `of=${path}/file`, 'bs=1M', `count=${megabytes}`],
        { stdio: 'pipe' },
      )
    const one = await volumes.make('one', 4 << 20)
    const other = await volumes.make('other', 16 << 20)
    assert.throws(() => fill(one, 8), /Disk quota exceeded|No space left/)
    fill(other, 8)
    await volumes.make('one', 16 << 20)
    fill(one, 8)
    assert.match(execFileSync('df', ['--output=size', '-m', one], { encoding: 'utf8' }), /\b16\b/)
    await volumes.remove('one')
    fill(await volumes.make('one'), 8)
  })
}
