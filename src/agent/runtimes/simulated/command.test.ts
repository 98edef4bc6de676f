import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scriptOfCommand } from './command.ts'

for (const [command, args, expected] of [
  [['/bin/sh', '-c', 'exit 0'], [], { exitAfterMs: 0, exitCode: 0 }],
  [['sh', '-c'], ['echo one; sleep 2 && exit 3'], { exitAfterMs: 2000, exitCode: 3, prints: ['one'] }],
  [['sh', '-c', "false && echo 'not this'"], [], { exitAfterMs: 0, exitCode: 1 }],
  [['sh', '-c', 'false; echo "this one"'], [], { exitAfterMs: 0, exitCode: 0, prints: ['this one'] }],
  [['/bin/true'], [], { exitAfterMs: 0, exitCode: 0 }],
  [['false'], [], { exitAfterMs: 0, exitCode: 1 }],
  [['sleep'], ['1.5'], { exitAfterMs: 1500, exitCode: 0 }],
  [['sh', '-c', 'exit $(( RANDOM ))'], [], undefined],
  [['sh', '-c', 'echo a | grep b'], [], undefined],
  [['sh', '-c', 'if true; then exit 1; fi'], [], undefined],
  [['sleep', 'infinity'], [], undefined],
  [['nginx'], [], undefined],
  [['exit', '1'], [], undefined],
  [[], ['true'], undefined],
] as const) {
  test(`scriptOfCommand reads ${JSON.stringify([...command, ...args])}`, () => {
    assert.deepEqual(scriptOfCommand(command, args), expected)
  })
}
