/** The program that is the node, in numbers. */
import { type Family, lookedUp } from '../../lib/metrics.ts'
import { processMetrics } from '../../lib/process-metrics.ts'

/** Makes the families. `version` is the kubelet's, e.g. `v1.36.3+tutti`; `startedAt` in ms since the epoch. */
export function programMetrics(version: string, startedAt: number): Family[] {
  const [, major = '', minor = ''] = /^v(\d+)\.(\d+)\./.exec(version) ?? []
  return [
    lookedUp('gauge', 'kubernetes_build_info', 'What was built, always 1.', () => [
      [{ major, minor, git_version: version }, 1],
    ]),
    ...processMetrics(startedAt),
  ]
}
