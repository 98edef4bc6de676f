/** Words that put a command under a filter of system calls. */
import { perlBefore } from '../perl.ts'
import type { Architecture } from './bpf.ts'
import { compileProfile } from './compile.ts'
import { runtimeDefault } from './filter.ts'
import { machineArchitecture } from './numbers.ts'
import { readProfile } from './profile.ts'

/** A filter as it is given to the kernel. */
export interface Filter {
  /** The program, in hexadecimal. */
  readonly program: string
  /** Of seccomp(2); none when absent. */
  readonly flags?: number
}

/** Its arguments: flags of seccomp(2), the filter in hexadecimal. */
const LOADER = `
  my ($flags, $hex) = splice @ARGV, 0, 2;
  my $filter = pack "H*", $hex;
  my $program = pack "S x6 P", length($filter) / 8, $filter;
  syscall(@seccomp, 1, $flags + 0, $program) == 0 or die "seccomp: $!\\n";
`

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
export const underFilter = (
  env: readonly string[],
  perl: readonly string[],
  { program, flags = 0 }: Filter,
): string[] => perlBefore(env, perl, LOADER, [String(flags), program])
