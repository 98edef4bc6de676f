import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compile, environment, extend, isProgram, LANGUAGE } from './environment.ts'
import { jsonValue } from './json-value.ts'
import { show } from './show.ts'
import { BOOL, DYN, INT, STRING } from './types.ts'
import { typeName } from './values.ts'

const OBJECT = {
  metadata: { name: 'a', labels: { app: 'x', 'a/b': 'y' } },
  spec: {
    replicas: 3,
    ratio: 0.5,
    none: null,
    containers: [
      { name: 'c1', image: 'a:1' },
      { name: 'c2', image: 'b' },
    ],
  },
}
const VARIABLES = {
  object: jsonValue(OBJECT),
  l: jsonValue([1, 2, 3]),
  m: jsonValue({ a: 1, b: 2 }),
  s: 'hello',
  n: 5n,
  u: null,
}
const ENV = extend(environment(LANGUAGE), { object: DYN, l: DYN, m: DYN, u: DYN, s: STRING, n: INT })

/** Expression → `type value` or the error, and what it costs, as a kube-apiserver of 1.36 gives them. */
const CASES: readonly (readonly [string, string, number])[] = [
  ['1 + 2 * 3', 'int 7', 2],
  ['object.metadata.name', 'string "a"', 3],
  ['object.spec.replicas > 2', 'bool true', 4],
  ["object.spec.containers.all(c, c.image.contains(':'))", 'bool false', 16],
  ["object.spec.containers.exists(c, c.name == 'c2')", 'bool true', 18],
  ['object.spec.containers.map(c, c.name)', 'list ["c1", "c2"]', 32],
  ['has(object.spec.replicas)', 'bool true', 2],
  ['has(object.spec.nothing)', 'bool false', 2],
  ['object.spec.nothing', 'no such key: nothing', 3],
  ['object.spec.none == null', 'bool true', 4],
  ['object.?spec.?nothing.orValue(5)', 'int 5', 2],
  ["object.metadata.labels['a/b']", 'string "y"', 4],
  ['l[10]', 'index out of bounds: 10', 2],
  ['1 / 0 == 1 || true', 'bool true', 2],
  ['1 / 0 == 1', 'division by zero', 2],
  ['[1, 2, 3].exists(x, x / 0 == 1 || x == 3)', 'bool true', 28],
  ['dyn(1) == 1.0', 'bool true', 1],
  ['9223372036854775807 + 1', 'integer overflow', 1],
  ["'x' in ['x', 'y']", 'bool true', 0],
  ["timestamp('2020-01-01T00:00:00Z') + duration('1h30m')", 'google.protobuf.Timestamp 2020-01-01T01:30:00Z', 1],
  ["timestamp('2020-01-01T00:00:00Z').getHours('America/New_York')", 'int 19', 1],
  ['optional.of(1).optMap(x, x + 1)', 'optional_type some(2)', 7],
  ['u.map(x, x)', "got 'types.Null', expected iterable type", 1],
  ['type(1) == int', 'bool true', 1],
  ["b'\\xff' == b'\\xfe'", 'bool false', 1],
  ["size('héllo😀')", 'int 6', 1],
]

test('compile makes programs that give the value and the cost that Kubernetes gives', () => {
  for (const [source, expected, cost] of CASES) {
    const program = compile(source, ENV)
    assert.ok(isProgram(program), `${source}: ${isProgram(program) ? '' : program.message}`)
    const outcome = program.run(VARIABLES)
    const shown = 'error' in outcome ? outcome.error : `${typeName(outcome.value)} ${show(outcome.value)}`
    assert.deepEqual([shown, outcome.cost], [expected, cost], source)
  }
})

/** Expression → the first line of what is said about it. */
const REFUSED: readonly (readonly [string, string])[] = [
  [
    '',
    "ERROR: <input>:1:0: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}",
  ],
  ['foo', "ERROR: <input>:1:1: undeclared reference to 'foo' (in container '')"],
  ["n + 'a'", "ERROR: <input>:1:3: found no matching overload for '_+_' applied to '(int, string)'"],
  ['s.foo(1)', "ERROR: <input>:1:6: undeclared reference to 'foo' (in container '')"],
  ['1 == 1.0', "ERROR: <input>:1:3: found no matching overload for '_==_' applied to '(int, double)'"],
  ["[1, 'a']", "ERROR: <input>:1:5: expected type 'int' but found 'string'"],
  ['n && true', "ERROR: <input>:1:1: expected type 'bool' but found 'int'"],
  [
    'n.all(x, true)',
    "ERROR: <input>:1:1: expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)",
  ],
  ['has(object)', 'ERROR: <input>:1:5: invalid argument to has() macro'],
  ['l.exists(1, true)', 'ERROR: <input>:1:10: argument must be a simple name'],
  ["duration('1x')", 'ERROR: <input>:1:10: invalid duration argument'],
  ["s.matches('(')", 'ERROR: <input>:1:11: invalid matches argument'],
  ['9223372036854775808', 'ERROR: <input>:1:1: invalid int literal'],
  [`${'('.repeat(300)}1${')'.repeat(300)}`, 'ERROR: <input>:-1:0: expression recursion limit exceeded: 250'],
]

test('compile says what is wrong, where, in the words of Kubernetes', () => {
  for (const [source, expected] of REFUSED) {
    const result = compile(source, ENV)
    assert.ok(!isProgram(result), source)
    assert.equal(result.message.split('\n')[0], `compilation failed: ${expected}`)
  }
})

test('compile points to the place with a caret', () => {
  const result = compile("true &&\n  'é' == foo", ENV)
  assert.ok(!isProgram(result))
  assert.equal(
    result.message,
    "compilation failed: ERROR: <input>:2:10: undeclared reference to 'foo' (in container '')\n |   'é' == foo\n | ...．.....^",
  )
})

test('compile refuses a result of another type', () => {
  const result = compile('n + 1', ENV, [BOOL])
  assert.deepEqual(isProgram(result) ? undefined : result.message, 'must evaluate to bool but got int')
})

test('a program stops when it costs more than it may', () => {
  const program = compile('[1,2,3,4,5].map(x, [x].map(y, y + n))', ENV)
  assert.ok(isProgram(program))
  const outcome = program.run(VARIABLES, 50)
  assert.deepEqual('error' in outcome && [outcome.error, outcome.exceeded], [
    'operation cancelled: actual cost limit exceeded',
    true,
  ])
})
