/** Rules of PriorityLevelConfigurations (k8s.io/kubernetes `pkg/apis/flowcontrol/validation`). */
import type {
  LimitedPriorityLevelConfiguration,
  LimitResponse,
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
  QueuingConfiguration,
} from '../../generated/types/flowcontrol-v1.ts'
import { forbidden, invalid, notSupported, required } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import { check, type Errors, sameValue } from '../rules.ts'
import { checkConditionTypes } from './conditions.validate.ts'

const MAX_QUEUES = 10_000_000
/** Bits of the hash that deals a flow its hand of queues. */
const HASH_BITS = 60
const NOT_NEGATIVE = 'must be a non-negative integer'
const PERCENT = 'must be between 0 and 100, inclusive'
const ROUNDTRIP = 'flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares'

/** Bits that it takes to deal a hand from a deck. */
function entropyBits(deck: number, hand: number): number {
  let hands = 1
  for (let card = 0; card < hand; card++) hands *= deck - card
  return Math.ceil(Math.log2(hands))
}

function checkShares(
  { nominalConcurrencyShares: shares = 0, lendablePercent: percent = 0 }: Partial<LimitedPriorityLevelConfiguration>,
  path: string,
  errors: Errors,
): { percent(): void } {
  if (shares < 0) errors.push(invalid(`${path}.nominalConcurrencyShares`, shares, NOT_NEGATIVE))
  return {
    percent() {
      if (percent < 0 || percent > 100) errors.push(invalid(`${path}.lendablePercent`, percent, PERCENT))
    },
  }
}

function checkHand({ handSize = 0, queues = 0 }: QueuingConfiguration, path: string, errors: Errors): void {
  if (handSize <= 0) errors.push(invalid(path, handSize, 'must be positive'))
  else if (handSize > queues) errors.push(invalid(path, handSize, `should not be greater than queues (${queues})`))
  else if (entropyBits(queues, handSize) > HASH_BITS) {
    const needed = `required entropy bits of deckSize ${queues} and handSize ${handSize}`
    errors.push(invalid(path, handSize, `${needed} should not be greater than ${HASH_BITS}`))
  }
}

function checkQueuing(queuing: QueuingConfiguration, path: string, errors: Errors): void {
  const { queueLengthLimit = 0, queues = 0 } = queuing
  if (queueLengthLimit <= 0) errors.push(invalid(`${path}.queueLengthLimit`, queueLengthLimit, 'must be positive'))
  if (queues <= 0) errors.push(invalid(`${path}.queues`, queues, 'must be positive'))
  else if (queues > MAX_QUEUES) {
    errors.push(invalid(`${path}.queues`, queues, `must not be greater than ${MAX_QUEUES}`))
  }
  checkHand(queuing, `${path}.handSize`, errors)
}

function checkResponse({ type, queuing }: Partial<LimitResponse>, path: string, errors: Errors): void {
  const at = `${path}.queuing`
  if (type === 'Reject') {
    if (queuing) errors.push(forbidden(at, 'must be nil if limited.limitResponse.type is not Limited'))
  } else if (type === 'Queue') {
    if (queuing) checkQueuing(queuing, at, errors)
    else errors.push(required(at, 'must not be empty if limited.limitResponse.type is Limited'))
  } else if (type) errors.push(notSupported(`${path}.type`, type, ['Queue', 'Reject']))
  else errors.push(required(`${path}.type`))
}

function checkLimited(limited: LimitedPriorityLevelConfiguration, path: string, errors: Errors): void {
  const shares = checkShares(limited, path, errors)
  checkResponse(limited.limitResponse ?? {}, `${path}.limitResponse`, errors)
  shares.percent()
  const borrowing = limited.borrowingLimitPercent ?? 0
  if (borrowing < 0) errors.push(invalid(`${path}.borrowingLimitPercent`, borrowing, `if specified, ${NOT_NEGATIVE}`))
}

function checkType(spec: Partial<PriorityLevelConfigurationSpec>, errors: Errors): void {
  const { type = '', limited, exempt } = spec
  if (type === 'Exempt') {
    if (limited) errors.push(forbidden('spec.limited', 'must be nil if the type is not Limited'))
    if (exempt) checkShares(exempt, 'spec.exempt', errors).percent()
  } else if (type === 'Limited') {
    if (exempt) errors.push(forbidden('spec.exempt', 'must be nil if the type is Limited'))
    if (limited) checkLimited(limited, 'spec.limited', errors)
    else errors.push(required('spec.limited', 'must not be empty when type is Limited'))
  } else if (type) errors.push(notSupported('spec.type', type, ['Exempt', 'Limited']))
  else errors.push(required('spec.type'))
}

const CATCH_ALL = {
  type: 'Limited',
  limited: { nominalConcurrencyShares: 5, lendablePercent: 0, limitResponse: { type: 'Reject' } },
}

/** Two levels must always be there; only the shares of one of them may be changed. */
function checkMandatory(name: string, spec: Partial<PriorityLevelConfigurationSpec>, errors: Errors): void {
  if (name === 'exempt') {
    const { exempt: _, ...rest } = spec
    const message = `spec of '${name}' except the 'spec.exempt' field must equal the fixed value`
    if (!sameValue(rest, { type: 'Exempt' })) errors.push(invalid('spec', spec, message))
  } else if (name === 'catch-all' && !sameValue(spec, CATCH_ALL)) {
    errors.push(invalid('spec', spec, `spec of '${name}' must equal the fixed value`))
  }
}

export const priorityLevelRules: readonly Rule<PriorityLevelConfiguration>[] = [
  check<PriorityLevelConfiguration>(({ metadata, spec, status }, errors) => {
    if (metadata?.annotations?.[ROUNDTRIP] !== undefined) {
      errors.push(forbidden('metadata.annotations', `annotation '${ROUNDTRIP}' is forbidden`))
    }
    const name = metadata?.name ?? ''
    const type = spec?.type ?? ''
    if ((name === 'exempt') !== (type === 'Exempt')) {
      errors.push(invalid('spec.type', type, "must be 'Exempt' if and only if `name` is 'exempt'"))
    }
    checkType(spec ?? {}, errors)
    checkMandatory(name, spec ?? {}, errors)
    checkConditionTypes(status?.conditions, errors)
  }),
]
