/** Sets capabilities of files, which Node cannot and the machine's perl can. */
import { spawnSync } from 'node:child_process'
import { perlWords } from './perl.ts'

/** The file is descriptor 3; the argument is the value in hexadecimal. */
const PROGRAM = `
  my $name = "security.capability";
  my $value = pack "H*", $ARGV[0];
  syscall(@fsetxattr, 3, $name, $value, length $value, 0) == 0 or die "fsetxattr: $!\\n";
`

/**
 * Gives an open file the value of `security.capability`. False where this cannot be done: no perl, or a file system that
 * has no such attributes. Some 10 ms, in which nothing else goes on: few files have them.
 */
export function setFileCapability(file: number, value: Buffer): boolean {
  const stdio = ['ignore', 'ignore', 'ignore', file] as const
  return spawnSync('perl', perlWords(PROGRAM, [value.toString('hex')]), { stdio: [...stdio] }).status === 0
}
