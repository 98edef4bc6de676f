/** CreateOptions, UpdateOptions and PatchOptions from a query. */
import { type FieldError, invalid as invalidValue, notSupported, tooLong } from '../../api/machinery/field-error.ts'
import { invalid } from '../../api/machinery/status-error.ts'
import type { WriteContext } from '../registry/registry.ts'
import type { ServerRequest } from '../request.ts'

const MODES = ['', 'Ignore', 'Strict', 'Warn']
const MAX_MANAGER = 128

/** The fieldManager of a client that names none: the program's name in its User-Agent. */
function defaultManager(request: ServerRequest): string {
  const agent = request.headers['user-agent']
  const name = typeof agent === 'string' ? agent.split('/', 1)[0]!.slice(0, MAX_MANAGER) : ''
  return name || (request.local ? request.user.name.split(':').at(-1)!.slice(0, MAX_MANAGER) : 'unknown')
}

function check(query: URLSearchParams, kind: string) {
  const errors: FieldError[] = []
  const dryRun = query.getAll('dryRun')
  if (dryRun.some(value => value !== 'All')) errors.push(notSupported('dryRun', dryRun, ['All']))
  const manager = query.get('fieldManager') ?? ''
  if (manager.length > MAX_MANAGER) errors.push(tooLong('fieldManager', MAX_MANAGER))
  else {
    const at = manager.search(/[^\x20-\x7e\xa0-\uffff]/)
    if (at >= 0) {
      const code = manager.charCodeAt(at).toString(16).toUpperCase().padStart(4, '0')
      errors.push(invalidValue('fieldManager', manager, `invalid character U+${code} (at position ${at})`))
    }
  }
  const mode = query.get('fieldValidation')
  if (mode && !MODES.includes(mode)) errors.push(notSupported('fieldValidation', mode, MODES))
  if (errors.length) throw invalid({ group: 'meta.k8s.io', kind }, '', errors)
}

/** Who writes, and how. `kind` names the options in errors. Throws Invalid. */
export function writeContext(
  request: ServerRequest,
  kind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions' | 'DeleteOptions',
  subresource = '',
): WriteContext {
  const { query } = request
  if (query.size) check(query, kind)
  const dryRun = query.has('dryRun')
  const named = query.get('fieldManager')
  const asked = query.get('fieldValidation')
  const fieldManager = named || defaultManager(request)
  const fieldValidation = (asked || (request.local ? 'Ignore' : 'Warn')) as 'Strict'
  return {
    user: request.user,
    dryRun,
    fieldManager,
    fieldValidation,
    subresource,
    options: {
      kind,
      apiVersion: 'meta.k8s.io/v1',
      ...(dryRun && { dryRun: ['All'] }),
      ...(named && { fieldManager: named }),
      ...(asked && { fieldValidation: asked }),
    },
    owned: request.body.type === 'bytes',
    warn: text => request.warn(text),
    ...(request.audit && { audit: request.audit }),
  }
}
