import type { Kind } from '../../api/machinery/kind.ts'
import { forbidden } from '../../api/machinery/status-error.ts'

/** Kinds whose objects would be stored and do nothing, which is worse than a refusal. */
const UNBUILT: Readonly<Record<string, string>> = {
  'apiregistration.k8s.io/v1/apiservices':
    'aggregated API servers are not built yet: this server serves its own groups only',
}

/** Refuses to create (an apply creates too) what the server could not honour. */
export function refuseUnbuilt(kind: Kind, verb: string) {
  const reason = UNBUILT[kind.key]
  if (reason && (verb === 'create' || verb === 'update' || verb === 'patch')) throw forbidden(kind, '', reason)
}
