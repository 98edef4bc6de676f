import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seeded } from '../../../test/fixtures/random-deployment.ts'
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  isZeroQuantity,
  milliValue,
  negateQuantity,
  parseQuantity,
  quantityOf,
  quantityProblem,
  quantityValue,
  subtractQuantities,
} from './quantity.ts'

describe('canonicalQuantity', () => {
  const cases: [string | number, string][] = [
    ['0', '0'],
    ['0Mi', '0'],
    ['100m', '100m'],
    ['1000m', '1'],
    ['0.5', '500m'],
    ['1.5Gi', '1536Mi'],
    ['1024', '1024'],
    ['1Ki', '1Ki'],
    ['1.2Ki', '1228800m'],
    ['1000Ki', '1000Ki'],
    ['1000000', '1M'],
    ['2e3', '2e3'],
    ['12e6', '12e6'],
    ['1E', '1E'],
    ['-1.5', '-1500m'],
    ['+2', '2'],
    ['.5Gi', '512Mi'],
    ['0.1n', '1n'],
    ['0.0000000001', '1n'],
    ['9223372036854775807', '9223372036854775807'],
    ['100Ei', '9223372036854775807'],
    [1.5, '1500m'],
    [128, '128'],
  ]
  for (const [text, expected] of cases) {
    it(`canonicalQuantity writes ${JSON.stringify(text)} as ${expected}`, () => {
      assert.equal(canonicalQuantity(text), expected)
    })
  }

  it('canonicalQuantity is its own canonical form, and keeps the value', () => {
    const random = seeded(7)
    const suffixes = ['', 'm', 'u', 'n', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'e3', 'e-2']
    for (let i = 0; i < 2000; i++) {
      const text = `${Math.floor(random() * 100000) / 10 ** Math.floor(random() * 4)}${suffixes[Math.floor(random() * suffixes.length)]}`
      const canonical = canonicalQuantity(text)
      assert.equal(canonicalQuantity(canonical), canonical)
      assert.equal(compareQuantities(text, canonical), 0, text)
    }
  })
})

describe('quantityProblem', () => {
  const wrong = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
  const suffix = "unable to parse quantity's suffix"
  const cases: [string, string | undefined][] = [
    ['', wrong],
    ['1x', wrong],
    ['1.1.1', wrong],
    ['-', wrong],
    ['1 ', wrong],
    ['1ee', suffix],
    ['1mm', suffix],
    ['1e999999999', suffix],
    ['.', 'unable to parse numeric part of quantity'],
    ['1', undefined],
  ]
  for (const [text, expected] of cases) {
    it(`quantityProblem of ${JSON.stringify(text)} is ${expected ?? 'none'}`, () => {
      assert.equal(quantityProblem(text), expected)
    })
  }
})

describe('quantities', () => {
  it('addQuantities and subtractQuantities are exact', () => {
    assert.equal(formatQuantity(addQuantities(parseQuantity('100m'), parseQuantity('1'))), '1100m')
    assert.equal(formatQuantity(addQuantities(parseQuantity('0'), parseQuantity('1Mi'))), '1Mi')
    assert.equal(formatQuantity(subtractQuantities(parseQuantity('1Gi'), parseQuantity('512Mi'))), '512Mi')
    assert.equal(formatQuantity(subtractQuantities(parseQuantity('1'), parseQuantity('1'))), '0')
    assert.equal(formatQuantity(negateQuantity(quantityOf(5))), '-5')
  })

  it('quantityValue and milliValue round away from zero', () => {
    assert.equal(quantityValue('100m'), 1)
    assert.equal(quantityValue('-100m'), -1)
    assert.equal(quantityValue('1.5Gi'), 1536 * 1024 * 1024)
    assert.equal(milliValue('100m'), 100)
    assert.equal(milliValue('1.0001'), 1001)
    assert.equal(milliValue(parseQuantity('2')), 2000)
  })

  it('compareQuantities orders across formats', () => {
    assert.ok(compareQuantities('1Gi', '1G') > 0)
    assert.equal(compareQuantities('1000m', '1'), 0)
    assert.ok(compareQuantities('-1', '0') < 0)
    assert.ok(isZeroQuantity('0.000'))
  })
})
