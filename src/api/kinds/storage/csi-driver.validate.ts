/** Rules of CSIDrivers (k8s.io/kubernetes `pkg/apis/storage/validation`). */
import type { CSIDriver, CSIDriverSpec } from '../../generated/types/storage-v1.ts'
import { duplicate, invalid } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import { check, checkSupported, type Errors, IMMUTABLE, sameValue } from '../rules.ts'

const GROUP_POLICIES = ['File', 'None', 'ReadWriteOnceWithFSType']
const MODES = ['Persistent', 'Ephemeral']
const TOKEN_SECONDS = { least: 600, most: 2 ** 32 }
const PERIOD_LEAST = 10

function checkTokens(tokens: NonNullable<CSIDriverSpec['tokenRequests']>, path: string, errors: Errors): void {
  const audiences = new Set<string>()
  for (const [index, { audience = '', expirationSeconds: seconds }] of tokens.entries()) {
    if (audiences.has(audience)) {
      errors.push(duplicate(`${path}[${index}].audience`, audience))
      continue
    }
    audiences.add(audience)
    if (seconds === undefined) continue
    const at = `${path}[${index}].expirationSeconds`
    if (seconds < TOKEN_SECONDS.least) {
      errors.push(invalid(at, seconds, 'may not specify a duration less than 10 minutes'))
    }
    if (seconds > TOKEN_SECONDS.most) {
      errors.push(invalid(at, seconds, 'may not specify a duration larger than 2^32 seconds'))
    }
  }
}

function checkSpec(spec: CSIDriverSpec, errors: Errors): void {
  const { fsGroupPolicy, tokenRequests = [], nodeAllocatableUpdatePeriodSeconds: period } = spec
  checkSupported(fsGroupPolicy, GROUP_POLICIES, 'spec.fsGroupPolicy', errors)
  checkTokens(tokenRequests, 'spec.tokenRequests', errors)
  for (const mode of spec.volumeLifecycleModes ?? []) {
    checkSupported(mode ?? '', MODES, 'spec.volumeLifecycleModes', errors)
  }
  if (period !== undefined && period < PERIOD_LEAST) {
    const what = `must be greater than or equal to ${PERIOD_LEAST} seconds`
    errors.push(invalid('spec.nodeAllocatableUpdatePeriodSeconds', period, what))
  }
  if (spec.serviceAccountTokenInSecrets !== undefined && !tokenRequests.length) {
    const what = 'serviceAccountTokenInSecrets is set but no tokenRequests are specified'
    errors.push(invalid('spec.serviceAccountTokenInSecrets', spec.serviceAccountTokenInSecrets, what))
  }
}

export const csiDriverRules: readonly Rule<CSIDriver>[] = [
  check<CSIDriver>(({ spec }, errors, old) => {
    checkSpec(spec ?? {}, errors)
    if (!old) return
    if (spec?.attachRequired !== old.spec?.attachRequired) {
      errors.push(invalid('spec.attachedRequired', spec?.attachRequired, IMMUTABLE))
    }
    if (!sameValue(spec?.volumeLifecycleModes, old.spec?.volumeLifecycleModes)) {
      errors.push(invalid('spec.volumeLifecycleModes', spec?.volumeLifecycleModes, IMMUTABLE))
    }
  }),
]
