/** System calls for user namespaces, which Node cannot make and perl can: their numbers, and words that run such a program. */
import { release } from 'node:os'
import { isMapped, ownIds } from '../../../../lib/user-namespace.ts'
import type { Platform } from '../platform.ts'

interface Calls {
  readonly setns: number
  readonly unshare: number
  readonly setgroups: number
  readonly setresgid: number
  readonly setresuid: number
}

const CALLS: Readonly<Record<string, Calls>> = {
  x64: { setns: 308, unshare: 272, setgroups: 116, setresgid: 119, setresuid: 117 },
  arm64: { setns: 268, unshare: 97, setgroups: 159, setresgid: 149, setresuid: 147 },
}

/** Those since Linux 5.1 have the same number everywhere. */
const RECENT = { open_tree: 428, move_mount: 429, mount_setattr: 442 }

/**
 * Whether pods can have users of their own: as root, with perl, on a processor whose calls are known and a kernel whose
 * overlayfs takes id-mapped layers (Linux 5.19).
 */
export function hasPodUsers({ namespaces, tools }: Pick<Platform, 'namespaces' | 'tools'>): boolean {
  const [major = 0, minor = 0] = release().split('.').map(Number)
  const kernel = major > 5 || (major === 5 && minor >= 19)
  return kernel && namespaces && tools.perl !== undefined && CALLS[process.arch] !== undefined && !isMapped(ownIds())
}

/**
 * A program in which `@name` stands for the number of the call `name`, as one line: it is one of the words of a list
 * that has one a line.
 */
export function perlProgram(source: string): string {
  const numbers: Readonly<Record<string, number>> = { ...RECENT, ...CALLS[process.arch] }
  return source
    .replace(/@(\w+)/g, (all, name: string) => String(numbers[name] ?? all))
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
