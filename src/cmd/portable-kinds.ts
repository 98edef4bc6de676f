/**
 * The kinds as a portable cluster needs them: its pods have no addresses but the machine's loopback, which Kubernetes
 * forbids in endpoints for good reasons that do not hold where there is one machine.
 */
import type { Kind, Rule } from '../api/machinery/kind.ts'

const ENDPOINTS = new Set(['v1/endpoints', 'discovery.k8s.io/v1/endpointslices'])

const withoutLoopbackRule =
  (rule: Rule): Rule =>
  (next, old, context) =>
    rule(next, old, context).filter(error => !error.message.includes('loopback range'))

/** `kinds`, with loopback addresses allowed in endpoints. */
export const portableKinds = (kinds: readonly Kind[]): Kind[] =>
  kinds.map(kind =>
    ENDPOINTS.has(kind.key) && kind.rules ? { ...kind, rules: kind.rules.map(withoutLoopbackRule) } : kind,
  )
