import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StatusError } from '../../api/machinery/status-error.ts'
import { parseRequestInfo } from '../http/request-info.ts'
import type { Handler, ServerRequest } from '../request.ts'
import { withoutFeatures } from './without.ts'

const served: Handler = async () => ({ type: 'value', status: 200, value: null })
const watch = (text: string) => {
  const query = new URLSearchParams(`watch=true${text}`)
  return { query, info: parseRequestInfo('GET', '/api/v1/pods', query) } as ServerRequest
}

test('withoutFeatures costs nothing where all are on', () => {
  assert.equal(withoutFeatures(new Set()), undefined)
  assert.equal(withoutFeatures(new Set(['ConstrainedImpersonation'] as const)), undefined)
})

test('withoutFeatures refuses streaming lists without WatchList, and lets other watches pass', async () => {
  const filtered = withoutFeatures(new Set(['WatchList'] as const))!(served)
  assert.equal((await filtered(watch(''))).status, 200)
  await assert.rejects(Promise.resolve(filtered(watch('&sendInitialEvents=true'))), (error: StatusError) => {
    assert.equal(error.code, 422)
    assert.match(error.message, /sendInitialEvents: Forbidden: .* unless the WatchList feature gate is enabled/)
    return true
  })
})
