/** What the namespaces of pods with users of their own need of the machine. */
import { release } from 'node:os'
import { isMapped, ownIds } from '../../../../lib/user-namespace.ts'
import type { Platform } from '../platform.ts'
import { machineArchitecture } from '../seccomp/numbers.ts'

/** Why pods cannot have users of their own here; undefined: they can. */
export function podUsersProblem({ namespaces, tools }: Pick<Platform, 'namespaces' | 'tools'>): string | undefined {
  if (!namespaces) return 'namespaces cannot be made here'
  if (isMapped(ownIds())) return 'Tutti runs without root, and all its ids are those of one namespace already'
  if (!tools.perl) return 'the program perl is missing on this machine'
  if (!machineArchitecture) return `system calls of ${process.arch} are not known`
  const [major = 0, minor = 0] = release().split('.').map(Number)
  const isNew = major > 5 || (major === 5 && minor >= 19)
  return isNew ? undefined : `the kernel is ${release()}, and layers with other owners need 5.19`
}

/**
 * For perl: opens the user namespace to which the network namespace in the file `$file` belongs, as the descriptor
 * `$users` (NS_GET_USERNS, ioctl_ns(2)).
 */
export const OPEN_USERS = `
  open my $net, "<", $file or die "$file: $!\\n";
  my $users = ioctl($net, 0xb701, 0) or die "the users of $file: $!\\n";
`
