import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../lib/random.ts'
import { hostOf } from './host.ts'
import { normalPath } from './path.ts'
import type { Route } from './route.ts'
import { createTable, keyOfRoute } from './table.ts'

const route = (host: string, match: Route['match'], path: string, name = `${host}|${match}|${path}`): Route => ({
  host,
  match,
  path,
  redirect: false,
  owner: { namespace: 'default', name },
})
const found = (routes: readonly Route[], host: string, path: string) =>
  createTable(routes.map(each => [keyOfRoute(each), each])).find(host, path)?.owner.name ?? 'none'

/** The table of docs: concepts/services-networking/ingress, "Examples". */
const documented: readonly [match: Route['match'], paths: readonly string[], request: string, answer: string][] = [
  ['Prefix', ['/'], '/any/path', '/'],
  ['Exact', ['/foo'], '/foo', '/foo'],
  ['Exact', ['/foo'], '/bar', 'none'],
  ['Exact', ['/foo'], '/foo/', 'none'],
  ['Exact', ['/foo/'], '/foo', 'none'],
  ['Prefix', ['/foo'], '/foo', '/foo'],
  ['Prefix', ['/foo'], '/foo/', '/foo'],
  ['Prefix', ['/foo/'], '/foo', '/foo/'],
  ['Prefix', ['/foo/'], '/foo/', '/foo/'],
  ['Prefix', ['/aaa/bb'], '/aaa/bbb', 'none'],
  ['Prefix', ['/aaa/bbb'], '/aaa/bbb', '/aaa/bbb'],
  ['Prefix', ['/aaa/bbb/'], '/aaa/bbb', '/aaa/bbb/'],
  ['Prefix', ['/aaa/bbb'], '/aaa/bbb/', '/aaa/bbb'],
  ['Prefix', ['/aaa/bbb'], '/aaa/bbb/ccc', '/aaa/bbb'],
  ['Prefix', ['/aaa/bbb'], '/aaa/bbbxyz', 'none'],
  ['Prefix', ['/', '/aaa'], '/aaa/ccc', '/aaa'],
  ['Prefix', ['/', '/aaa', '/aaa/bbb'], '/aaa/bbb', '/aaa/bbb'],
  ['Prefix', ['/', '/aaa', '/aaa/bbb'], '/ccc', '/'],
  ['Prefix', ['/aaa'], '/ccc', 'none'],
]
for (const [match, paths, request, answer] of documented) {
  test(`createTable: ${match} ${paths.join(' ')} leads ${request} to ${answer}, as documented`, () => {
    const routes = paths.map(path => route('', match, path, path))
    assert.equal(found(routes, 'any.example', request), answer)
    assert.equal(found(routes.toReversed(), 'any.example', request), answer)
  })
}

test('createTable prefers a whole path to a prefix of the same length', () => {
  const routes = [route('', 'Prefix', '/foo', 'prefix'), route('', 'Exact', '/foo', 'exact')]
  assert.equal(found(routes, 'a', '/foo'), 'exact')
  assert.equal(found(routes, 'a', '/foo/bar'), 'prefix')
})

test('keyOfRoute is the same for what matches the same', () => {
  assert.equal(keyOfRoute(route('', 'Prefix', '/foo')), keyOfRoute(route('', 'Prefix', '/foo/')))
  assert.notEqual(keyOfRoute(route('', 'Exact', '/foo')), keyOfRoute(route('', 'Exact', '/foo/')))
})

test('createTable takes routes out and puts others in', () => {
  const table = createTable()
  const at = (path: string) => table.find('a', path)?.owner.name ?? 'none'
  const [all, deep] = [route('a', 'Prefix', '/', 'all'), route('a', 'Prefix', '/x/y', 'deep')]
  for (const each of [all, deep]) table.set(keyOfRoute(each), each)
  assert.deepEqual([at('/x'), at('/x/y/z')], ['all', 'deep'])
  table.set(keyOfRoute(deep), route('a', 'Prefix', '/x/y', 'other'))
  assert.equal(at('/x/y'), 'other')
  table.set(keyOfRoute(deep), undefined)
  table.set('a Exact /never', undefined)
  assert.equal(at('/x/y'), 'all')
  const everywhere = route('', 'Prefix', '/', 'everywhere')
  table.set(keyOfRoute(everywhere), everywhere)
  table.set(keyOfRoute(all), undefined)
  assert.equal(at('/x'), 'everywhere')
})

const hosts: readonly [host: string, answer: string][] = [
  ['foo.example', 'own'],
  ['bar.example', 'wildcard'],
  ['bar.foo.example', 'any'],
  ['example', 'any'],
  ['.example', 'any'],
]
for (const [host, answer] of hosts) {
  test(`createTable leads ${host} to the routes of ${answer}`, () => {
    const routes = [
      route('', 'Prefix', '/', 'any'),
      route('*.example', 'Prefix', '/', 'wildcard'),
      route('foo.example', 'Prefix', '/', 'own'),
    ]
    assert.equal(found(routes, host, '/x'), answer)
  })
}

test('createTable does not serve a host that has routes by those of another', () => {
  const routes = [route('foo.example', 'Prefix', '/a', 'own'), route('*.example', 'Prefix', '/', 'wildcard')]
  assert.equal(found(routes, 'foo.example', '/b'), 'none')
})

test('createTable finds what going through all routes would', () => {
  const random = seededRandom(7)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random.number() * from.length)]!
  const elements = ['a', 'b', 'ab', '']
  const somePath = () => `/${Array.from({ length: Math.floor(random.number() * 4) }, () => pick(elements)).join('/')}`
  const matches = ({ match, path }: Route, request: string) => {
    if (match === 'Exact') return path === request
    const prefix = path.replace(/\/+$/, '')
    return request === prefix || request.startsWith(`${prefix}/`)
  }
  const weight = ({ match, path }: Route) => path.replace(/\/+$/, '').length * 2 + (match === 'Exact' ? 1000 : 0)
  for (let round = 0; round < 500; round++) {
    const routes = Array.from({ length: 6 }, (_, at) =>
      route('', pick(['Exact', 'Prefix'] as const), somePath(), String(at)),
    )
    const request = somePath()
    const best = routes
      .filter(each => matches(each, request))
      .reduce<Route | undefined>((a, b) => (a && weight(a) >= weight(b) ? a : b), undefined)
    // Of those that match the same, the first is to be kept: it comes last.
    routes.reverse()
    const text = JSON.stringify([routes.map(({ match, path }) => `${match} ${path}`), request])
    assert.equal(found(routes, 'h', request), best?.owner.name ?? 'none', text)
  }
})

const authorities: readonly [text: string | undefined, host: string | undefined][] = [
  ['Shop.Example:8080', 'shop.example'],
  ['shop.example.', 'shop.example'],
  ['127.0.0.1:80', '127.0.0.1'],
  ['[::1]:80', '[::1]'],
  ['a_b.example', 'a_b.example'],
  ['.', undefined],
  ['', undefined],
  [undefined, undefined],
  ['a b', undefined],
  ['a.example/x', undefined],
  ['user@a.example', undefined],
  ['a.example:80:80', undefined],
]
for (const [text, host] of authorities) {
  test(`hostOf makes ${JSON.stringify(host)} of ${JSON.stringify(text)}`, () => assert.equal(hostOf(text), host))
}

const paths: readonly [path: string, normal: string | undefined][] = [
  ['/a/b', '/a/b'],
  ['/%61/%7e%2f', '/a/~%2F'],
  ['/a%zz', '/a%zz'],
  ['/.well-known/x', '/.well-known/x'],
  ['/a/.../b', '/a/.../b'],
  ['/a..', '/a..'],
  ['/a/../b', undefined],
  ['/a/..', undefined],
  ['/a/./b', undefined],
  ['/a/%2e%2E/b', undefined],
  ['/a/..%2fb', undefined],
  ['/a%2f../b', undefined],
  ['/a/..;x/b', undefined],
  ['/a\\..\\b', undefined],
  ['a', undefined],
  ['*', undefined],
  ['', undefined],
]
for (const [path, normal] of paths) {
  test(`normalPath makes ${JSON.stringify(normal)} of ${JSON.stringify(path)}`, () =>
    assert.equal(normalPath(path), normal))
}
