import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { recorded } from '../../../test/fixtures/kube-apiserver/recorded.ts'
import {
  nothing,
  parseLabelSelector,
  selectorFromLabelSelector,
  selectorFromLabels,
  validateLabelSelector,
} from './label-selector.ts'

describe('parseLabelSelector', () => {
  const texts: [string, string][] = [
    ['', ''],
    ['a=b', 'a=b'],
    ['b==c,a', 'a,b==c'],
    [' x in ( c,a ) , !y ', 'x in (a,c),!y'],
    ['a notin (b)', 'a notin (b)'],
    ['a=', 'a='],
    ['a in ()', 'a in ()'],
    ['in in (in,notin)', 'in in (in,notin)'],
    ['a>3,b<1', 'a>3,b<1'],
    ['example.com/a=b', 'example.com/a=b'],
  ]
  for (const [text, expected] of texts) {
    it(`parseLabelSelector reads ${JSON.stringify(text)} as ${JSON.stringify(expected)}`, () => {
      const selector = parseLabelSelector(text)
      assert.equal(selector.toString(), expected)
      assert.equal(parseLabelSelector(expected).toString(), expected)
    })
  }

  const matches: [string, Record<string, string>, boolean][] = [
    ['', {}, true],
    ['a=b', { a: 'b' }, true],
    ['a=b', {}, false],
    ['a!=b', {}, true],
    ['a!=b', { a: 'b' }, false],
    ['a in (b,c)', { a: 'c' }, true],
    ['a notin (b,c)', { a: 'c' }, false],
    ['a notin (b,c)', {}, true],
    ['a', { a: '' }, true],
    ['!a', { a: '' }, false],
    ['a=', { a: '' }, true],
    ['a=', {}, false],
    ['a>3', { a: '4' }, true],
    ['a>3', { a: 'x' }, false],
    ['toString', {}, false],
    ['a=b,c=d', { a: 'b', c: 'e' }, false],
  ]
  for (const [text, labels, expected] of matches) {
    it(`parseLabelSelector: ${JSON.stringify(text)} ${expected ? 'matches' : 'does not match'} ${JSON.stringify(labels)}`, () => {
      assert.equal(parseLabelSelector(text).matches(labels), expected)
    })
  }

  const errors = recorded<{ path: string; message: string }>('errors').filter(one => one.path.includes('labelSelector'))
  for (const { path, message } of errors) {
    const text = decodeURIComponent(path.slice(path.indexOf('=') + 1))
    it(`parseLabelSelector refuses ${JSON.stringify(text)} in the real server's words`, () => {
      assert.throws(() => parseLabelSelector(text), { message })
    })
  }
})

describe('selectorFromLabelSelector', () => {
  it('selectorFromLabelSelector selects nothing when absent and everything when empty', () => {
    assert.equal(selectorFromLabelSelector(undefined), nothing)
    assert.ok(!nothing.matches({}))
    assert.ok(selectorFromLabelSelector({}).matches({}))
    assert.ok(selectorFromLabels(undefined).empty)
  })

  it('selectorFromLabelSelector joins labels and expressions', () => {
    const selector = selectorFromLabelSelector({
      matchLabels: { app: 'web' },
      matchExpressions: [
        { key: 'tier', operator: 'In', values: ['b', 'a'] },
        { key: 'old', operator: 'DoesNotExist' },
      ],
    })
    assert.equal(selector.toString(), 'app=web,!old,tier in (a,b)')
    assert.ok(selector.matches({ app: 'web', tier: 'a' }))
    assert.ok(!selector.matches({ app: 'web', tier: 'a', old: '' }))
  })
})

describe('validateLabelSelector', () => {
  it('validateLabelSelector names what is wrong with each expression', () => {
    const errors = validateLabelSelector(
      {
        matchExpressions: [
          { key: 'a', operator: 'In' },
          { key: 'b', operator: 'Exists', values: ['x'] },
          { key: 'c', operator: 'Is' },
        ],
      },
      'spec.selector',
    )
    assert.deepEqual(
      errors.map(({ field, message }) => `${field}: ${message}`),
      [
        "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
        "spec.selector.matchExpressions[1].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
        'spec.selector.matchExpressions[2].operator: Invalid value: "Is": not a valid selector operator',
      ],
    )
  })
})
