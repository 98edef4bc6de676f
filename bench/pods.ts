/**
 * How fast pods of processes start, restart, are replaced, scale and roll, seen through watches. The baseline of a start
 * is Node spawning the same command with nothing around it. `node bench/pods.ts [--n 15]`; with --kubeconfig FILE and
 * --image IMAGE it drives another cluster's containers by the same program. A minute.
 */
import { spawn } from 'node:child_process'
import { parseArgs } from 'node:util'
import { measure, table } from './lib/measure.ts'
import { podFigures, podRows } from './lib/pod-figures.ts'
import { openPodLoad } from './lib/pod-load.ts'
import { startTutti } from './lib/targets.ts'

const { values } = parseArgs({
  options: { n: { type: 'string', default: '15' }, kubeconfig: { type: 'string' }, image: { type: 'string' } },
})
const N = Number(values.n)
/** It serves on for a moment when it is told to end, as what stands behind a service should. */
const SERVER = `process.on('SIGTERM', () => setTimeout(process.exit, 500))
require('http').createServer((q, s) => s.end()).listen(process.env.PORT || 8080)`
const WEB = ['node', '-e', SERVER]

const target = values.kubeconfig ? undefined : await startTutti()
const load = await openPodLoad({
  kubeconfig: values.kubeconfig ?? target!.kubeconfig,
  image: values.image,
  web: WEB,
  services: !process.env.TUTTI_UP?.includes('portable'),
})
const figures = await podFigures(load, N)
await load.close()
await target?.stop()

/** The baseline: the same command with nothing around it, until it runs. */
const bare = await measure(
  N,
  1,
  () =>
    new Promise<void>((resolve, reject) => {
      const child = spawn('sleep', ['36000'])
      child.once('spawn', () => {
        child.kill('SIGKILL')
        child.once('exit', () => resolve())
      })
      child.once('error', reject)
    }),
)
const [start, ...rows] = podRows({ Tutti: figures }, 'process', true)
console.log(table([{ ...start!, figures: { ...start!.figures, 'bare spawn and kill': bare.p50 } }, ...rows]))
process.exit(0)
