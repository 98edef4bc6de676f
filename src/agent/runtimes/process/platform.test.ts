import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commandProblem } from './platform.ts'

test('commandProblem tells why a command cannot run in the words of container runtimes', () => {
  const cases: [string, string | undefined][] = [
    ['/bin/sh', undefined],
    ['sh', undefined],
    ['bin/sh', undefined],
    ['/does/not/exist', 'exec: "/does/not/exist": stat /does/not/exist: no such file or directory'],
    ['/etc/passwd', 'exec: "/etc/passwd": permission denied'],
    ['/etc', 'exec: "/etc": is a directory'],
    ['passwd-of-nobody', 'exec: "passwd-of-nobody": executable file not found in $PATH'],
  ]
  for (const [command, expected] of cases)
    assert.equal(
      commandProblem(command, '/usr/bin:/bin', '/', path => path),
      expected,
      command,
    )
})
