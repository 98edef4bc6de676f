import type { ContractHarness } from './runtime.contract.ts'

/** Commands of the runtime contract where there is a shell. */
export const shellCommands = {
  forever: ['sleep', '1000'],
  stubborn: ['/bin/sh', '-c', 'trap "" TERM; echo deaf; (trap "" TERM; sleep 1000) & while :; do sleep 1; done'],
  exit: code => ['/bin/sh', '-c', `exit ${code}`],
  print: lines => ['/bin/sh', '-c', `printf '%s\\n' ${lines.join(' ')}; exec sleep 1000`],
  echo: text => ['/bin/echo', text],
  missing: ['/no/such/program'],
} satisfies ContractHarness['commands']
