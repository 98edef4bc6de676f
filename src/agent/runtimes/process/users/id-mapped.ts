/**
 * Mounts whose files show the owners that they have on disk to users of a pod's namespace, who are others on the machine
 * (id-mapped mounts, mount_setattr(2)).
 */
import { perlWords } from '../perl.ts'
import { OPEN_USERS } from './calls.ts'

/** Attributes of mounts. */
const READ_ONLY = 1
const NOT_TO_RUN = 2 | 4 | 8

/** A folder or file to be seen at a place that is there. */
export interface IdMapped {
  readonly from: string
  readonly to: string
  readonly readOnly?: boolean
  readonly noExec?: boolean
  readonly recursiveReadOnly?: boolean
}

/**
 * Arguments: a file of a network namespace, then for each mount its source and its place, in hexadecimal as these are
 * words of a list that has one a line, and attributes, of all that is mounted below it too and of itself alone. What is
 * mounted below it shows what it does on the machine, as with other container runtimes.
 */
const PROGRAM = `
  my $file = shift @ARGV;
  ${OPEN_USERS}
  my $empty = "";
  while (@ARGV) {
    my ($from, $to, $deep, $top) = splice @ARGV, 0, 4;
    $_ = pack "H*", $_ for $from, $to;
    my $fd = syscall(@open_tree, -100, $from, 0x88001);
    $fd >= 0 or die "$from: open_tree: $!\\n";
    my $all = pack("QQQQ", $deep, 0, 0, 0);
    syscall(@mount_setattr, $fd, $empty, 0x9000, $all, 32) == 0 or die "$from: mount_setattr: $!\\n";
    my $own = pack("QQQQ", 0x100000 | $top, 0, 0, $users);
    syscall(@mount_setattr, $fd, $empty, 0x1000, $own, 32) == 0
      or die "the file system of $from cannot show its files to users of a pod: mount_setattr: $!\\n";
    syscall(@move_mount, $fd, $empty, -100, $to, 4) == 0 or die "$to: move_mount: $!\\n";
  }
`

const hex = (text: string) => Buffer.from(text).toString('hex')

/** Words that mount them, in order. `perl` is the machine's, `netns` the pod's network namespace. */
export const idMappedMounts = (perl: string, netns: string, mounts: readonly IdMapped[]): string[] => {
  const each = mounts.flatMap(({ from, to, readOnly, noExec, recursiveReadOnly }) => {
    const own = (readOnly ? READ_ONLY : 0) | (noExec ? NOT_TO_RUN : 0)
    return [hex(from), hex(to), String(recursiveReadOnly ? READ_ONLY : 0), String(own)]
  })
  return [perl, ...perlWords(PROGRAM, [netns, ...each])]
}
