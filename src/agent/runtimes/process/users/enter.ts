/** The step of a container's process into the user namespace of its pod, as the last of those that need the machine's root. */
import { perlBefore } from '../perl.ts'
import { OPEN_USERS } from './calls.ts'

/**
 * It becomes root of the namespace, with all rights there and none on the machine, and gets mounts and a host name that
 * are the namespace's: what was mounted before cannot be taken away. It tells on descriptor 3 when it has, as whoever
 * joins a container's namespaces before that would find those of the machine.
 */
const PROGRAM = `
  open my $told, ">&=", 3 or die "no descriptor 3: $!\\n";
  $SIG{__DIE__} = sub { syswrite $told, "error: $_[0]" };
  my $file = "/proc/self/ns/net";
  ${OPEN_USERS}
  syscall(@setns, $users + 0, 0x10000000) == 0 or die "setns: $!\\n";
  syscall(@setgroups, 0, 0) == 0 or die "setgroups: $!\\n";
  syscall(@setresgid, 0, 0, 0) == 0 or die "setresgid: $!\\n";
  syscall(@setresuid, 0, 0, 0) == 0 or die "setresuid: $!\\n";
  syscall(@unshare, 0x4020000) == 0 or die "unshare: $!\\n";
  syswrite $told, "started\\n";
  close $told;
`

/** Words that stand before a command which shall run in it. `env` and `perl` are how these are run where it runs. */
export const intoUsers = (env: readonly string[], perl: readonly string[]): string[] => perlBefore(env, perl, PROGRAM)
