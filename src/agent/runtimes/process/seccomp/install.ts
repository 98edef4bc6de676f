/** Words that put a command under a filter of system calls. */
import { type Architecture, runtimeDefault } from './filter.ts'
import { SECCOMP } from './syscalls.ts'

/**
 * Node cannot call the kernel itself; perl can. Its arguments: the number of seccomp(2), the filter in hexadecimal, the
 * command. One line, as it is one of the words of a list that has one a line.
 */
const LOADER = [
  'my ($call, $hex) = splice @ARGV, 0, 2;',
  'my $filter = pack "H*", $hex;',
  'my $program = pack "S x6 P", length($filter) / 8, $filter;',
  'delete $ENV{PERL_BADLANG};',
  'syscall($call + 0, 1, 0, $program) == 0 or die "seccomp: $!\\n";',
  'exec { $ARGV[0] } @ARGV; die "$ARGV[0]: $!\\n";',
].join(' ')

const ARCHITECTURES: Readonly<Record<string, Architecture>> = { x64: 'x64', arm64: 'arm64' }
const architecture = ARCHITECTURES[process.arch]

/** Whether there is a filter for this machine's processor. */
export const hasFilters = architecture !== undefined

/**
 * What stands before a command that shall run under the profile RuntimeDefault, while it may still set filters. `env`
 * and `perl` are how these are run where it runs; `keeps` says which capabilities its processes may have.
 */
export function underFilter(
  env: readonly string[],
  perl: readonly string[],
  keeps: (capability: string) => boolean,
): string[] {
  if (!architecture) throw new Error(`there is no filter of system calls for ${process.arch}`)
  const filter = runtimeDefault(architecture, keeps).toString('hex')
  // Nothing is said of locales that an image does not have, and nothing of the image's is loaded.
  return [...env, 'PERL_BADLANG=0', ...perl, '-f', '-e', LOADER, String(SECCOMP[architecture]), filter]
}
