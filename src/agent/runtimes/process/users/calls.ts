/** System calls for user namespaces, which Node cannot make and perl can. */
import { release } from 'node:os'
import { isMapped, ownIds } from '../../../../lib/user-namespace.ts'
import type { Platform } from '../platform.ts'
import { machineArchitecture } from '../seccomp/install.ts'
import { callNumber } from '../seccomp/numbers.ts'

/**
 * Whether pods can have users of their own: as root, with perl, on a processor whose calls are known and a kernel whose
 * overlayfs takes id-mapped layers (Linux 5.19).
 */
export function hasPodUsers({ namespaces, tools }: Pick<Platform, 'namespaces' | 'tools'>): boolean {
  const [major = 0, minor = 0] = release().split('.').map(Number)
  const kernel = major > 5 || (major === 5 && minor >= 19)
  return kernel && namespaces && tools.perl !== undefined && machineArchitecture !== undefined && !isMapped(ownIds())
}

/**
 * A program in which `@name` stands for the number of the call `name`, as one line: it is one of the words of a list
 * that has one a line.
 */
export function perlProgram(source: string): string {
  return source
    .replace(/@(\w+)/g, (all, name: string) => {
      const number = machineArchitecture && callNumber(name, machineArchitecture)
      return number === undefined ? all : String(number)
    })
    .split('\n')
    .map(line => line.trim())
    .join(' ')
    .trim()
}

/**
 * Opens the user namespace to which the network namespace in the file `$file` belongs, as the descriptor `$users`
 * (NS_GET_USERNS, ioctl_ns(2)).
 */
export const OPEN_USERS = `
  open my $net, "<", $file or die "$file: $!\\n";
  my $users = ioctl($net, 0xb701, 0) or die "the users of $file: $!\\n";
`
