/** `/metrics/slis` (KEP-3466): what the checks of health say, each of which is asked when somebody asks for this. */
import { counter, type Family, gauge } from '../../lib/metrics.ts'
import { checksOf, ENDPOINTS, type HealthCheck } from '../handlers/health.ts'

/** Makes the families. */
export function checkMetrics(all: readonly HealthCheck[]): Family[] {
  const result = gauge('kubernetes_healthcheck', 'Whether a check passed when it was last asked.', ['name', 'type'])
  const labels = ['name', 'type', 'status']
  const total = counter('kubernetes_healthchecks_total', 'How often a check passed and failed.', labels)
  async function passes({ check }: HealthCheck): Promise<boolean> {
    try {
      await check()
      return true
    } catch {
      return false
    }
  }
  async function refresh() {
    const passed = new Map(await Promise.all(all.map(async each => [each, await passes(each)] as const)))
    for (const endpoint of ENDPOINTS)
      for (const each of checksOf(all, endpoint)) {
        result.at(each.name, endpoint).value = Number(passed.get(each))
        total.at(each.name, endpoint, passed.get(each) ? 'success' : 'error').value++
      }
  }
  return [{ ...result, refresh }, total]
}
