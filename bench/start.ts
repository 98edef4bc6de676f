/**
 * From the command to a Ready node and an answering API: first start (certificates, database and all), and later ones;
 * as released, and from source. Beside a real control plane's /readyz where KUBERNETES_BIN is set.
 * `node bench/start.ts [--runs 5]`
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { median, table } from './lib/measure.ts'
import { cpuSeconds } from './lib/processes.ts'
import { peerFolder, program, startKubernetes, tuttiUp } from './lib/targets.ts'

const run = promisify(execFile)
const { values } = parseArgs({ options: { runs: { type: 'string', default: '7' } } })
const runs = Number(values.runs)

/** Milliseconds of first and of later starts, and of CPU until the node was Ready. One start before them fills the compile cache, as the first use does. */
async function measureStarts([command, ...args]: readonly [string, ...string[]]) {
  const first: number[] = []
  const again: number[] = []
  const firstCpu: number[] = []
  const againCpu: number[] = []
  for (let i = 0; i <= runs; i++) {
    const folder = mkdtempSync(join(tmpdir(), 'tutti-start-'))
    const files = { dataDir: join(folder, 'data'), kubeconfig: join(folder, 'kubeconfig') }
    const data = ['--data-dir', files.dataDir]
    const one = await tuttiUp(files, [command, ...args])
    const cpu = cpuSeconds([one.pid]) * 1000
    await run(command, [...args, 'down', ...data])
    const two = await tuttiUp(files, [command, ...args])
    if (i > 0) {
      first.push(one.startMs)
      again.push(two.startMs)
      firstCpu.push(cpu)
      againCpu.push(cpuSeconds([two.pid]) * 1000)
    }
    await run(command, [...args, 'delete', '--yes', ...data])
    rmSync(folder, { recursive: true, force: true })
  }
  return { first, again, firstCpu, againCpu }
}

const released = program.length > 1 ? await measureStarts(program) : undefined
const source = await measureStarts([join(import.meta.dirname, '../bin/tutti')])
const peer: number[] = []
const bin = peerFolder()
for (let i = 0; bin && i < 3; i++) {
  const target = await startKubernetes(bin)
  peer.push(target.startMs)
  await target.stop()
}
const row = (what: string, pick: (starts: typeof source) => number, other?: number) => ({
  what,
  unit: 'ms',
  lessIsBetter: true,
  figures: {
    ...(released ? { Tutti: pick(released) } : {}),
    ...(other ? { 'Kubernetes 1.36 (API only)': other } : {}),
    'Tutti from source': pick(source),
  },
})
console.log(
  table([
    row('first start, median', ({ first }) => median(first), peer.length ? median(peer) : undefined),
    row('first start, worst', ({ first }) => Math.max(...first)),
    row('later start, median', ({ again }) => median(again)),
    row('first start, CPU of the program, median', ({ firstCpu }) => median(firstCpu)),
    row('later start, CPU of the program, median', ({ againCpu }) => median(againCpu)),
  ]),
)
