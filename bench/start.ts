/**
 * From the command to a Ready node and an answering API: first start (certificates, database and all), and later ones.
 * Beside a real control plane's /readyz where KUBERNETES_BIN is set. `node bench/start.ts [--runs 5]`
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { median, type Row, table } from './lib/measure.ts'
import { peerFolder, startKubernetes, startTutti } from './lib/targets.ts'

const run = promisify(execFile)
const tutti = join(import.meta.dirname, '../bin/tutti')
const { values } = parseArgs({ options: { runs: { type: 'string', default: '5' } } })
const runs = Number(values.runs)

const first: number[] = []
const again: number[] = []
for (let i = 0; i < runs; i++) {
  const target = await startTutti()
  first.push(target.startMs)
  await run(tutti, ['down', '--data-dir', target.dataDir])
  const began = performance.now()
  await run(tutti, ['up', '--port', '0', '--data-dir', target.dataDir, '--kubeconfig', target.kubeconfig])
  again.push(performance.now() - began)
  await target.stop()
}
const peer: number[] = []
const bin = peerFolder()
for (let i = 0; bin && i < Math.min(runs, 3); i++) {
  const target = await startKubernetes(bin)
  peer.push(target.startMs)
  await target.stop()
}
const rows: Row[] = [
  {
    what: 'first start, median',
    unit: 'ms',
    lessIsBetter: true,
    figures: { Tutti: median(first), ...(peer.length ? { 'Kubernetes 1.36 (API only)': median(peer) } : {}) },
  },
  { what: 'first start, worst', unit: 'ms', lessIsBetter: true, figures: { Tutti: Math.max(...first) } },
  { what: 'later start, median', unit: 'ms', lessIsBetter: true, figures: { Tutti: median(again) } },
]
console.log(table(rows))
