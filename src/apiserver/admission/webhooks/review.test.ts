import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../../lib/random.ts'
import { readReview, reviewVersion } from './review.ts'

const UID = 'u'
const good = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid: UID, allowed: true } }

test('readReview takes an answer of the version that was sent', () => {
  const read = (response: object, version = 'v1') =>
    readReview(
      { ...good, apiVersion: `admission.k8s.io/${version}`, response: { uid: UID, ...response } },
      UID,
      version,
      true,
    )
  assert.equal(read({ allowed: true }).allowed, true)
  assert.equal(read({}).allowed, false)
  assert.deepEqual(read({ allowed: true, warnings: ['a', 1, null], auditAnnotations: { a: 'b', c: 1 } }).warnings, [
    'a',
  ])
  assert.deepEqual(read({ allowed: true, auditAnnotations: { a: 'b', c: 1 } }).auditAnnotations, { a: 'b' })
  const patch = Buffer.from('[]').toString('base64')
  assert.deepEqual(read({ allowed: true, patch, patchType: 'JSONPatch' }).patch, [])
  // The older version neither repeats the uid nor names the type of a patch.
  assert.equal(readReview({ response: { allowed: true } }, UID, 'v1beta1', false).allowed, true)
  assert.deepEqual(read({ allowed: true, patch }, 'v1beta1').patch, [])
})

test('reviewVersion chooses what both sides know', () => {
  assert.equal(reviewVersion(['v9', 'v1', 'v1beta1']), 'v1')
  assert.equal(reviewVersion(['v1beta1', 'v1']), 'v1beta1')
  assert.throws(() => reviewVersion(['v2']), /does not accept known AdmissionReview versions \(v1, v1beta1\)/)
})

test('readReview answers any document with a review or with an Error that has words', () => {
  const random = seededRandom(7)
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random.number() * of.length)]!
  const junk: readonly unknown[] = [null, undefined, 0, -1, '', 'x', true, [], {}, [{}], { a: [] }, '\u0000', 1e308]
  const keys = ['uid', 'allowed', 'status', 'patch', 'patchType', 'warnings', 'auditAnnotations', '__proto__']
  for (let round = 0; round < 5000; round++) {
    const response: Record<string, unknown> = { ...good.response }
    for (let change = 0; change < 3; change++) response[pick(keys)] = pick(junk)
    const document = {
      ...good,
      ...(random.number() < 0.2 && { kind: pick(junk) }),
      response: random.number() < 0.1 ? pick(junk) : response,
    }
    try {
      const { allowed, warnings } = readReview(
        random.number() < 0.05 ? pick(junk) : document,
        UID,
        'v1',
        random.number() < 0.5,
      )
      assert.equal(typeof allowed, 'boolean')
      assert.ok(warnings.every(each => typeof each === 'string'))
    } catch (error) {
      assert.ok(error instanceof Error && error.message.length > 10 && !(error instanceof TypeError), String(error))
    }
  }
})
