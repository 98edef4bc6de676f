/** meta/v1 DeleteOptions from the body of a DELETE, or else from its query. */

import { type FieldError, invalid as invalidValue, notSupported } from '../../api/machinery/field-error.ts'
import { unregistered } from '../../api/machinery/kind.ts'
import { badRequest, invalid } from '../../api/machinery/status-error.ts'
import { isTrue } from '../http/request-info.ts'
import type { DeleteOptions, WriteContext } from '../registry/registry.ts'
import type { ServerRequest } from '../request.ts'
import { decodeBody } from './decode-body.ts'
import { integerParameter } from './list-options.ts'
import { writeContext } from './write-options.ts'

interface WireOptions {
  gracePeriodSeconds?: number | null
  preconditions?: { uid?: string; resourceVersion?: string } | null
  propagationPolicy?: string | null
  orphanDependents?: boolean | null
  dryRun?: string[] | null
}

const POLICIES = ['Foreground', 'Background', 'Orphan']

function fromQuery(query: URLSearchParams): WireOptions {
  const grace = integerParameter(query, 'gracePeriodSeconds')
  const policy = query.get('propagationPolicy')
  return {
    ...(grace !== undefined && { gracePeriodSeconds: grace }),
    ...(policy && { propagationPolicy: policy }),
    ...(query.has('orphanDependents') && { orphanDependents: isTrue(query.get('orphanDependents')) }),
    ...(query.has('dryRun') && { dryRun: query.getAll('dryRun') }),
  }
}

function check(options: WireOptions) {
  const errors: FieldError[] = []
  const { propagationPolicy: policy, orphanDependents, dryRun } = options
  if (typeof orphanDependents === 'boolean' && policy) {
    errors.push(
      invalidValue('propagationPolicy', policy, 'orphanDependents and deletionPropagation cannot be both set'),
    )
  }
  if (policy && !POLICIES.includes(policy)) {
    errors.push(notSupported('propagationPolicy', policy, [...POLICIES, 'nil']))
  }
  if (dryRun?.some(value => value !== 'All')) errors.push(notSupported('dryRun', dryRun, ['All']))
  if (errors.length) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', errors)
}

function checkTypes(value: unknown): WireOptions {
  const refuse = (why: string) => badRequest(`DeleteOptions cannot be handled as a DeleteOptions: ${why}`)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badRequest('decoded object cannot be converted to DeleteOptions')
  }
  const options = value as WireOptions & { kind?: string; apiVersion?: string }
  if (options.kind && options.kind !== 'DeleteOptions') {
    throw badRequest(unregistered(options.apiVersion ?? '', options.kind))
  }
  const grace = options.gracePeriodSeconds ?? 0
  if (!Number.isInteger(grace)) throw refuse('gracePeriodSeconds must be a whole number of seconds')
  if (options.dryRun && !Array.isArray(options.dryRun)) throw refuse('dryRun must be an array of strings')
  return options
}

/** Options and the context of a delete. */
export async function deleteOptions(
  request: ServerRequest,
): Promise<{ options: DeleteOptions; context: WriteContext; accepted: boolean }> {
  const body = await decodeBody(request)
  const wire = body ? checkTypes(body.value) : fromQuery(request.query)
  check(wire)
  const base = writeContext(request, 'DeleteOptions')
  const dryRun = base.dryRun || Boolean(wire.dryRun?.length)
  const { gracePeriodSeconds, preconditions, propagationPolicy, orphanDependents } = wire
  const options: DeleteOptions = {
    ...(typeof gracePeriodSeconds === 'number' && { gracePeriodSeconds }),
    ...(preconditions && { preconditions }),
    ...(propagationPolicy && { propagationPolicy: propagationPolicy as 'Orphan' }),
    ...(typeof orphanDependents === 'boolean' && { orphanDependents }),
  }
  return {
    options,
    context: { ...base, dryRun, options: { kind: 'DeleteOptions', apiVersion: 'meta.k8s.io/v1', ...wire } },
    accepted: orphanDependents === false,
  }
}
