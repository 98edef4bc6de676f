import { type BenchCluster, connectBench } from './cluster.ts'
import type { Row } from './measure.ts'
import { peerFolder, startKubernetes, startTutti, type Target } from './targets.ts'

/** Makes a row of a table: the same figure of every target. */
type MakeRow<F> = (what: string, unit: string, of: (figures: F) => number, lessIsBetter?: boolean) => Row

/**
 * Starts Tutti, and a real control plane where `KUBERNETES_BIN` names one, one after the other, and drives each the
 * same way. Gives what makes rows of their figures.
 */
export async function driveEach<F>(drive: (cluster: BenchCluster, target: Target) => Promise<F>): Promise<MakeRow<F>> {
  const results: Record<string, F> = {}
  const bin = peerFolder()
  for (const start of [() => startTutti(), ...(bin ? [() => startKubernetes(bin)] : [])]) {
    const target = await start()
    const cluster = connectBench(target.name, target.kubeconfig)
    try {
      results[target.name] = await drive(cluster, target)
    } finally {
      cluster.close()
      await target.stop()
    }
  }
  return (what, unit, of, lessIsBetter = false) => ({
    what,
    unit,
    lessIsBetter,
    figures: Object.fromEntries(Object.entries(results).map(([name, figures]) => [name, of(figures)])),
  })
}
