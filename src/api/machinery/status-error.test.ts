import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { duplicate, required } from './field-error.ts'
import {
  alreadyExists,
  conflict,
  forbidden,
  internalError,
  invalid,
  MODIFIED,
  methodNotSupported,
  notFound,
  StatusError,
  statusOf,
  timeout,
  tooManyRequests,
} from './status-error.ts'

const pods = { group: '', plural: 'pods' }
const deployments = { group: 'apps', plural: 'deployments' }

describe('StatusError', () => {
  const cases: [StatusError, number, string, string][] = [
    [notFound(pods, 'a'), 404, 'NotFound', 'pods "a" not found'],
    [notFound(deployments, 'a'), 404, 'NotFound', 'deployments.apps "a" not found'],
    [alreadyExists(deployments, 'a'), 409, 'AlreadyExists', 'deployments.apps "a" already exists'],
    [conflict(pods, 'a'), 409, 'Conflict', `Operation cannot be fulfilled on pods "a": ${MODIFIED}`],
    [forbidden(pods, 'a', 'no'), 403, 'Forbidden', 'pods "a" is forbidden: no'],
    [forbidden(pods, '', 'no'), 403, 'Forbidden', 'pods is forbidden: no'],
    [forbidden(undefined, '', 'no'), 403, 'Forbidden', 'forbidden: no'],
    [
      methodNotSupported(pods, 'delete'),
      405,
      'MethodNotAllowed',
      'delete is not supported on resources of kind "pods"',
    ],
    [timeout('slow'), 504, 'Timeout', 'Timeout: slow'],
    [internalError(new Error('x')), 500, 'InternalError', 'Internal error occurred: x'],
  ]
  for (const [error, code, reason, message] of cases) {
    it(`StatusError ${code}: ${message.slice(0, 60)}`, () => {
      assert.deepEqual([error.code, error.reason, error.message], [code, reason, message])
      assert.equal(error.status.kind, 'Status')
      assert.deepEqual(StatusError.from(JSON.parse(JSON.stringify(error.status))).status, error.status)
    })
  }

  it('invalid lists several errors in brackets, each once, with one cause per error', () => {
    const errors = [required('spec.a'), required('spec.a'), duplicate('spec.b', 'x')]
    const error = invalid({ group: 'apps', kind: 'Deployment' }, 'd', errors)
    assert.equal(
      error.message,
      'Deployment.apps "d" is invalid: [spec.a: Required value, spec.b: Duplicate value: "x"]',
    )
    assert.equal(error.status.details?.causes?.length, 3)
    assert.equal(
      invalid({ group: '', kind: 'Pod' }, 'x', [required('spec.containers')]).message,
      'Pod "x" is invalid: spec.containers: Required value',
    )
  })

  it('statusOf keeps a Status and turns anything else into an internal error', () => {
    const error = tooManyRequests(3)
    assert.equal(statusOf(error), error.status)
    assert.equal(statusOf('x').message, 'Internal error occurred: x')
    assert.equal(StatusError.from({ kind: 'Pod' } as never).code, 500)
  })
})
