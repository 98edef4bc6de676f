import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compile, extend, isProgram } from './environment.ts'
import { jsonValue } from './json-value.ts'
import { KUBERNETES } from './kubernetes.ts'
import { DYN } from './types.ts'

const ENV = extend(KUBERNETES, { l: DYN, s: DYN })
const VARIABLES = { l: jsonValue(Array.from({ length: 1000 }, (_, index) => index)), s: 'a'.repeat(1_000_000) }

/** What becomes of an expression: refused, ended, an error or a value. */
function outcome(source: string): string {
  const program = compile(source, ENV)
  if (!isProgram(program)) return /ERROR: <input>:[-\d:]+ (.*)/.exec(program.message)?.[1] ?? program.message
  const run = program.run(VARIABLES)
  if ('error' in run) return run.exceeded ? 'ended' : `error: ${run.error}`
  return 'a value'
}

const repeat = (times: number, start: string, wrap: (inner: string) => string): string => {
  let source = start
  for (let at = 0; at < times; at++) source = wrap(source)
  return source
}
const TOO_DEEP = 'expression recursion limit exceeded: 250'

test('source text that is too long, too deep or no text at all is refused', () => {
  const cases: readonly (readonly [string, string | RegExp])[] = [
    [`'${'a'.repeat(100_000)}'`, 'expression code point size exceeds limit: size: 100002, limit 100000'],
    [`'${'😀'.repeat(99_998)}'`, 'a value'],
    ['['.repeat(100_000), TOO_DEEP],
    ['('.repeat(99_999), TOO_DEEP],
    [`l${'.a'.repeat(40_000)}`, TOO_DEEP],
    [`l${'[0]'.repeat(30_000)}`, TOO_DEEP],
    [`s${'.trim()'.repeat(14_000)}`, TOO_DEEP],
    [Array(40_000).fill('1').join('+'), TOO_DEEP],
    [repeat(1000, 'true', inner => `l.all(x, ${inner})`), TOO_DEEP],
    ['-'.repeat(99_999), /^Syntax error/],
    ['\0'.repeat(90_000), /^Syntax error: token recognition error/],
    ['"'.repeat(99_999), /^Syntax error/],
    ['9'.repeat(90_000), 'invalid int literal'],
    [`int('${'9'.repeat(90_000)}')`, /type conversion error/],
    [`timestamp('${'9'.repeat(90_000)}')`, 'invalid timestamp argument'],
    ["s.matches('a{1000}{1000}')", 'invalid matches argument'],
    ["s.matches('((a?){100}){100}')", 'invalid matches argument'],
    ["s.matches('(')", 'invalid matches argument'],
  ]
  for (const [source, expected] of cases) {
    const seen = outcome(source)
    if (typeof expected === 'string') assert.equal(seen, expected, source.slice(0, 40))
    else assert.match(seen, expected, source.slice(0, 40))
  }
})

test('an evaluation ends when it costs too much, before the work and not after', () => {
  const lists = repeat(40, 'l', inner => `[${inner}].map(x, x + x)[0]`)
  const tree = repeat(40, 'l', inner => `[${inner}].map(x, [x, x])[0]`)
  for (const source of [
    repeat(5, 'true', inner => `l.all(x, ${inner})`),
    repeat(60, 'true', inner => `l.all(x, ${inner})`),
    'l.map(a, l.map(b, l.map(c, 1)))',
    'l.transformMap(i, v, l.transformMap(j, w, l))',
    `optional.of(1)${'.optMap(x, x + 1)'.repeat(30)}`,
    'lists.range(1000000000)',
    'l.distinct().size()',
    `s.matches('${'(a|b)'.repeat(500)}')`,
    "l.map(a, s).join(',')",
    "s.replace('a', s)",
    "s.replace('', s)",
    repeat(40, 's', inner => `[${inner}].map(x, x + x)[0]`),
    `${lists}.sum()`,
    `${lists}.all(x, true)`,
    `${tree} == ${tree}`,
    `${tree} in [${tree}]`,
  ])
    assert.equal(outcome(source), 'ended', source.slice(0, 80))
})

test('patterns take time linear in the text, whatever they are', () => {
  for (const pattern of ['(a+)+$', '(.*)*(.*)*(.*)*x', '^(a|a)*b', '(x+x+)+y', '^((a?){20}){20}[xyz]$'])
    assert.equal(outcome(`s.matches('${pattern}')`), 'a value', pattern)
})

test('optionals in optionals are planned once', () => {
  assert.equal(outcome(repeat(60, 'x', inner => `optional.of(1).optMap(x, ${inner})`)), 'a value')
})

test('what a call with arguments of wrong types costs does not take the limit away', () => {
  const loop = (body: string) => `l.all(x, l.all(y, l.all(z, (${body}) || x != y || true)))`
  for (const call of [
    "dyn(x).validate('a') == optional.none()",
    "[x].flatten(dyn('a')) == [x]",
    '[x].flatten(-9) == [x]',
  ])
    assert.equal(outcome(loop(call)), 'ended', call)
})
