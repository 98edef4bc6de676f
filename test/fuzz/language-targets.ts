/** The parsers of the small languages that stand in objects: CEL, schedules, paths of columns. */
import assert from 'node:assert/strict'
import { parseJsonPath } from '../../src/api/custom/json-path.ts'
import { compile, extend, isProgram } from '../../src/api/machinery/cel/environment.ts'
import { estimateCost } from '../../src/api/machinery/cel/estimate/estimate.ts'
import { jsonValue } from '../../src/api/machinery/cel/json-value.ts'
import { KUBERNETES } from '../../src/api/machinery/cel/kubernetes.ts'
import { DYN } from '../../src/api/machinery/cel/types.ts'
import { parseSchedule } from '../../src/api/machinery/cron.ts'
import { type FuzzTarget, never, told } from './driver.ts'

const ENVIRONMENT = extend(KUBERNETES, { self: DYN, oldSelf: DYN })
const OBJECT = {
  name: 'web-1',
  size: 3,
  ratio: 0.5,
  ports: [{ name: 'http', port: 80 }],
  labels: { app: 'web', __proto__: 'x' },
  when: '2026-01-02T03:04:05Z',
}
const VARIABLES = { self: jsonValue(OBJECT), oldSelf: jsonValue({ ...OBJECT, size: 2 }) }
/** As an admission policy gives it to one expression. */
const LIMIT = 1_000_000

const START = Date.UTC(2026, 0, 1)

export const languageTargets: readonly FuzzTarget[] = [
  {
    name: 'cel',
    tokens: [
      'self.',
      'oldSelf',
      '.all(x, ',
      '.exists_one(x, ',
      '.map(x, ',
      '.matches("(a+)+")',
      '.orValue(',
      '[?',
      '?.',
      ' ? ',
      ' : ',
      ' in ',
      '&&',
      '||',
      '==',
      '*9223372036854775807',
      "b'\\xff'",
      "r'''",
      '{"a": ',
      'size(',
      'duration("1h")',
      'timestamp(self.when)',
      'quantity("1Ki")',
      'ip("::1")',
      'cidr("10.0.0.0/8")',
      'url("http://a")',
      'semver("1.0.0")',
      'format.',
      '"%s".format([',
      'cel.bind(',
      '//',
    ],
    run(input) {
      const program = compile(input.toString(), ENVIRONMENT)
      if (!isProgram(program)) return assert.ok(program.message)
      const { min, max } = estimateCost(program.expr)
      assert.ok(min <= max)
      const outcome = program.run(VARIABLES, LIMIT)
      assert.ok('value' in outcome || outcome.error)
      const again = program.run(VARIABLES, LIMIT)
      assert.equal(again.cost, outcome.cost, 'an evaluation costs the same each time')
    },
    refuses: never,
  },
  {
    name: 'cron',
    tokens: [
      '*',
      '/',
      '-',
      ',',
      '?',
      ' ',
      '@every 1h',
      '@hourly',
      'TZ=Europe/Berlin ',
      'CRON_TZ=',
      'jan',
      'sun',
      '31',
      '59',
      '7',
    ],
    run(input) {
      const schedule = parseSchedule(input.toString())
      const first = schedule.next(START)
      if (first === undefined) return
      assert.ok(first > START)
      const second = schedule.next(first)
      assert.ok(second === undefined || second > first)
    },
    refuses: told,
  },
  {
    name: 'json-path',
    tokens: ['.', '..', '[', ']', '[*]', '[?(@.a=="b")]', '[0:2]', "['a']", '{', '}', '\\.', 'labels', '-1', '$'],
    run(input) {
      const path = parseJsonPath(input.toString())
      if (path) assert.ok(Array.isArray(path.find(OBJECT)))
    },
    refuses: never,
  },
]
