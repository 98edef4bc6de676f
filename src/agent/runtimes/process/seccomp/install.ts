/** Words that put a command under a filter of system calls. */
import type { Architecture } from './bpf.ts'
import { compileProfile } from './compile.ts'
import { runtimeDefault } from './filter.ts'
import { callNumber } from './numbers.ts'
import { readProfile } from './profile.ts'

/** A filter as it is given to the kernel. */
export interface Filter {
  /** The program, in hexadecimal. */
  readonly program: string
  /** Of seccomp(2); none when absent. */
  readonly flags?: number
}

/**
 * Node cannot call the kernel itself; perl can. Its arguments: the number of seccomp(2), its flags, the filter in
 * hexadecimal, the command. One line, as it is one of the words of a list that has one a line.
 */
const LOADER = [
  'my ($call, $flags, $hex) = splice @ARGV, 0, 3;',
  'my $filter = pack "H*", $hex;',
  'my $program = pack "S x6 P", length($filter) / 8, $filter;',
  'delete $ENV{PERL_BADLANG};',
  'syscall($call + 0, 1, $flags + 0, $program) == 0 or die "seccomp: $!\\n";',
  'exec { $ARGV[0] } @ARGV; die "$ARGV[0]: $!\\n";',
].join(' ')

const ARCHITECTURES: Readonly<Record<string, Architecture>> = { x64: 'x64', arm64: 'arm64' }

/** This machine's processor; undefined where there are no filters for it. */
export const machineArchitecture: Architecture | undefined = ARCHITECTURES[process.arch]

const needArchitecture = (): Architecture => {
  if (machineArchitecture) return machineArchitecture
  throw new Error(`there is no filter of system calls for ${process.arch}`)
}

/** The profile RuntimeDefault; `keeps` says which capabilities its processes may have. */
export const defaultFilter = (keeps: (capability: string) => boolean): Filter => ({
  program: runtimeDefault(needArchitecture(), keeps).toString('hex'),
})

/** That of a profile's file. Throws an `Error` that names it and says what is wrong with it. */
export function profileFilter(file: string): Filter {
  const profile = readProfile(file)
  return { program: compileProfile(profile, needArchitecture()).toString('hex'), flags: profile.flags }
}

/**
 * What stands before a command that shall run under a filter, while it may still set one. `env` and `perl` are how these
 * are run where it runs.
 */
export function underFilter(env: readonly string[], perl: readonly string[], { program, flags = 0 }: Filter): string[] {
  const call = callNumber('seccomp', needArchitecture())
  // Nothing is said of locales that an image does not have, and nothing of the image's is loaded.
  return [...env, 'PERL_BADLANG=0', ...perl, '-f', '-e', LOADER, String(call), String(flags), program]
}
