import assert from 'node:assert/strict'
import { test } from 'node:test'
import { goNumber } from '../machinery/go-text.ts'
import { columnsOf } from './columns.ts'
import { hasFormat } from './formats.ts'
import { parseJsonPath } from './json-path.ts'
import { compareVersions } from './versions.ts'

const object = {
  metadata: { name: 'a', annotations: { 'example.com/x': 'y' } },
  spec: { list: [1, 2, 3, 4], items: [{ n: 1 }, { n: 2 }] },
  status: {
    conditions: [
      { type: 'Ready', status: 'True', n: 3 },
      { type: 'Old', status: 'False' },
    ],
  },
}

test('parseJsonPath finds what Kubernetes finds', () => {
  const cases: readonly (readonly [string, unknown[]])[] = [
    ['.metadata.name', ['a']],
    ['.metadata.annotations.example\\.com/x', ['y']],
    [".metadata.annotations['example.com/x']", ['y']],
    ['.status.conditions[?(@.type=="Ready")].status', ['True']],
    ['.status.conditions[?(@.n>2)].type', ['Ready']],
    ['.status.conditions[?(@.n)].type', ['Ready']],
    ['.spec.list[0]', [1]],
    ['.spec.list[-1]', [4]],
    ['.spec.list[1:3]', [2, 3]],
    ['.spec.list[0,2]', [1, 3]],
    ['.spec.items[*].n', [1, 2]],
    ['..n', [1, 2, 3]],
    ['.spec.missing.deep', []],
    ['.', [object]],
  ]
  for (const [path, expected] of cases) assert.deepEqual(parseJsonPath(path)?.find(object), expected, path)
  for (const path of ['name', '.a[', '.a[?(b)]', '.a[x]']) assert.equal(parseJsonPath(path), undefined, path)
})

test('columnsOf makes cells of the type that was asked for, and none of other values', () => {
  const columns = columnsOf([
    { name: 'N', type: 'integer', jsonPath: '.n' },
    { name: 'S', type: 'string', jsonPath: '.s' },
    { name: 'Since', type: 'date', jsonPath: '.since' },
  ])
  const cells = (value: object) => columns.map(column => column.cell(value, Date.parse('2026-01-01T00:01:00Z')))
  const metadata = { name: 'a' }
  assert.deepEqual(cells({ metadata, n: 3.7, s: [1, 'x'], since: '2026-01-01T00:00:00Z' }), ['a', 3, '[1,"x"]', '60s'])
  assert.deepEqual(cells({ metadata, n: 'x', since: 'x' }), ['a', null, null, '<invalid>'])
})

test('compareVersions prefers what is stable, then what is new', () => {
  const versions = ['foo', 'v1alpha1', 'v1', 'v2beta1', 'v11', 'v2', 'bar', 'v2beta3', 'v1beta2']
  const expected = ['v11', 'v2', 'v1', 'v2beta3', 'v2beta1', 'v1beta2', 'v1alpha1', 'bar', 'foo']
  assert.deepEqual(versions.sort(compareVersions), expected)
})

test('hasFormat accepts what strfmt accepts', () => {
  const cases: Readonly<Record<string, readonly [readonly string[], readonly string[]]>> = {
    ipv4: [
      ['10.0.0.1', '010.0.0.1'],
      ['10.0.0', '::1', 'a'],
    ],
    ipv6: [
      ['::1', '2001:db8::ffff'],
      ['10.0.0.1', ':::'],
    ],
    cidr: [
      ['10.0.0.0/8', 'fd00::/8'],
      ['10.0.0.0/33', '10.0.0.0'],
    ],
    mac: [
      ['00:11:22:33:44:55', '0011.2233.4455'],
      ['00:11:22', '00:11-22:33:44:55'],
    ],
    email: [
      ['a@example.com', 'A <a@example.com>'],
      ['a', '@b', 'a@'],
    ],
    uri: [
      ['http://a/b', '/a', 'urn:x'],
      ['a', '', 'http://a b'],
    ],
    hostname: [
      ['example.com', 'a'],
      ['a..b', '-a'],
    ],
    date: [['2024-02-29'], ['2023-02-29', '2024-1-1']],
    'date-time': [
      ['2024-01-01T00:00:00Z', '2024-01-01t00:00:00.5+01:00'],
      ['2024-01-01', '2024-01-01T24:00:00Z'],
    ],
    duration: [
      ['1h30m', '22 ns', '3 weeks', '0'],
      ['x', '1'],
    ],
    byte: [['YQ=='], ['a', '=']],
    uuid: [['123e4567-e89b-12d3-a456-426614174000'], ['123']],
    isbn: [['0321751043', '978-0321751041'], ['0321751044']],
    'k8s-short-name': [['a-b'], ['A', '-a', 'a.b']],
    'k8s-long-name': [['a.b'], ['a..b']],
  }
  for (const [format, [good, bad]] of Object.entries(cases)) {
    for (const text of good) assert.equal(hasFormat(text, format), true, `${format} ${text}`)
    for (const text of bad) assert.equal(hasFormat(text, format), false, `${format} ${text}`)
  }
})

test('goNumber prints as Go does', () => {
  assert.deepEqual([1, 0.5, 1e21, 0.00001, 1.5e-7].map(goNumber), ['1', '0.5', '1e+21', '1e-05', '1.5e-07'])
})
