/**
 * `npm run bench [NAME...]`: runs the benchmarks of bench/ one after the other and prints their tables. Set
 * KUBERNETES_BIN to a folder with etcd, kube-apiserver, kube-controller-manager and kube-scheduler to measure a real
 * control plane in the same run.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'

const folder = join(import.meta.dirname, '../bench')
const wanted = process.argv.slice(2)
const files = readdirSync(folder).filter(
  file =>
    file.endsWith('.ts') &&
    !file.endsWith('.test.ts') &&
    (wanted.length === 0 || wanted.includes(file.replace('.ts', ''))),
)
if (files.length === 0) {
  console.error(
    `no benchmark ${wanted.join(', ')}; there are: ${readdirSync(folder)
      .filter(file => file.endsWith('.ts'))
      .map(file => file.replace('.ts', ''))
      .join(', ')}`,
  )
  process.exit(1)
}
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: folder, encoding: 'utf8' }).trim()
console.log(
  `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.version}, commit ${commit}\n`,
)
let failed = false
for (const file of files) {
  console.log(`## ${file.replace('.ts', '')}\n`)
  const { status } = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', join(folder, file)], {
    stdio: 'inherit',
  })
  failed ||= status !== 0
  console.log('')
}
process.exit(failed ? 1 : 0)
