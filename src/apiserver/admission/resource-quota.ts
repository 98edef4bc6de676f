import type { Kind } from '../../api/machinery/kind.ts'
import { QuotaRefusal } from '../../api/quota/charge.ts'
import { evaluatorOf } from '../../api/quota/evaluators.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import { inFlightWrites } from '../quota/in-flight.ts'
import { openLedger } from '../quota/ledger.ts'
import { watchUsage } from '../quota/watch-usage.ts'
import type { KindReader, Registry } from '../registry/registry.ts'
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.ts'
import { refuse } from './refusal.ts'

export interface ResourceQuotaDeps {
  kinds(): readonly Kind[]
  reader(kind: Kind): KindReader
  readonly quotaKind: Kind
  update: Registry['update']
  readonly clock: Clock
  readonly logger: Logger
}

/** ResourceQuota: what a namespace may have of everything, together. The last plugin: what it grants will be written. */
export function resourceQuota(deps: ResourceQuotaDeps): AdmissionPlugin {
  const quotas = deps.reader(deps.quotaKind)
  const inFlight = inFlightWrites(request => deps.reader(request.kind))
  const ledger = openLedger({ ...deps, quotas, inFlight })
  const { watchKinds } = watchUsage({ ...deps, quotas, recount: ledger.recount })
  return {
    name: 'ResourceQuota',
    handles: ({ operation, namespace }) => namespace !== '' && (operation === 'CREATE' || operation === 'UPDATE'),
    validate(request) {
      const here = quotas.list(request.namespace)
      if (here.length) return charge(request, here)
    },
    settled(request, made) {
      const charged = inFlight.end(request)
      if (!made) for (const quota of charged) ledger.recount(request.namespace, quota)
    },
  }
  async function charge(request: AdmissionAttributes, here: ReturnType<KindReader['list']>) {
    const evaluator = evaluatorOf(request.kind)
    if (!evaluator?.charges(request)) return
    watchKinds(
      evaluator.matching(
        here.flatMap(({ value }) => Object.keys((value as { spec?: { hard?: object } }).spec?.hard ?? {})),
      ),
    )
    try {
      await ledger.charge(request, evaluator)
    } catch (error) {
      throw error instanceof QuotaRefusal ? refuse(request, error.message) : error
    }
  }
}
