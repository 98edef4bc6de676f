import assert from 'node:assert/strict'
import test from 'node:test'
import { type ProxyPlace, rewriteHtml, throughProxy } from './links.ts'

const place: ProxyPlace = { prefix: '/p/proxy', target: '10.0.0.1:80', asked: 'localhost:8001' }

const links: readonly [name: string, link: string, led: string][] = [
  ['a path from the root', '/a/b?x=1#y', '/p/proxy/a/b?x=1#y'],
  ['the root', '/', '/p/proxy/'],
  ['a relative path', 'a/b', 'a/b'],
  ['a fragment', '#top', '#top'],
  ['another host', 'https://example.com/a', 'https://example.com/a'],
  ['another host without a scheme', '//example.com/a', '//example.com/a'],
  ['the server itself', 'http://10.0.0.1:80/a', '/p/proxy/a'],
  ['the host that was asked', 'http://localhost:8001/a', 'http://localhost:8001/p/proxy/a'],
  ['a path that leads through already', '/p/proxy/a', '/p/proxy/a'],
  ['an address for mail', 'mailto:a@example.com', 'mailto:a@example.com'],
]
for (const [name, link, led] of links) {
  test(`throughProxy leads ${name}`, () => assert.equal(throughProxy(link, place), led))
}

const pages: readonly [name: string, html: string, rewritten: string][] = [
  ['links', '<a href="/a">x</a>', '<a href="/p/proxy/a">x</a>'],
  ['other quotes and cases', "<IMG alt=x SRC='/a'>", "<IMG alt=x SRC='/p/proxy/a'>"],
  ['values without quotes', '<a href=/a>', '<a href=/p/proxy/a>'],
  ['nothing in comments', '<!-- <a href="/a"> -->', '<!-- <a href="/a"> -->'],
  ['a script, and not its text', '<script src="/s">"<a href=/a>"</script><a href="/b">', ''],
  ['nothing that is no link', '<a title="/a" href="b">', '<a title="/a" href="b">'],
  [
    'nothing of elements that nobody knows',
    '<constructor href="/a"><a href="b">',
    '<constructor href="/a"><a href="b">',
  ],
  ['escaped characters', '<a href="/a?x=1&amp;y=2">', '<a href="/p/proxy/a?x=1&amp;y=2">'],
  ['no tag that never ends', '<a href="/a', '<a href="/p/proxy/a'],
]
for (const [name, html, rewritten] of pages) {
  const expected = rewritten || '<script src="/p/proxy/s">"<a href=/a>"</script><a href="/p/proxy/b">'
  test(`rewriteHtml changes ${name}`, () => assert.equal(rewriteHtml(html, place), expected))
}

test('rewriteHtml takes a time that grows with the page, whatever is in it', () => {
  for (const part of ['<', '<a ', '<a href=', '<!--', '<script>', '<a x="', '</script'])
    rewriteHtml(part.repeat(200_000 / part.length), place)
})
