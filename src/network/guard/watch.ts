/**
 * Hears of it when somebody else changes nftables, or takes links, addresses and routes away: one small perl with two
 * netlink sockets, as Node cannot open one. The kernel itself keeps away from it what our own session does to tables and
 * what comes, by filters of the sockets, so that a change of a service wakes nobody; what others do to tables that have
 * nothing of ours ends in perl.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { createBackOff } from '../../client/back-off.ts'
import type { Clock } from '../../lib/clock.ts'

/**
 * It is told, a line each, whose changes of tables it need not hear of: ids of processes, of which the last eight count.
 * What it prints, a line each:
 * `start`; `lost`, when the kernel had more to tell than there was room for; `table PID FAMILY TABLE` for a change that
 * has to do with us (it names us, or brings a chain of a hook), by the sender's netlink port, which is the process's id;
 * `links` when one of ours is gone; `ways` when something is gone that may be one of ours (an address of lo, a route that
 * was made by hand or by us), or another link was switched on or off, which takes its routes along.
 *
 * Numbers of the kernel (linux/netlink.h, linux/rtnetlink.h, linux/filter.h, linux/netfilter/nf_tables.h): AF_NETLINK
 * 16, SOCK_RAW 3, NETLINK_ROUTE 0, NETLINK_NETFILTER 12; SO_ATTACH_FILTER 26, SO_RCVBUFFORCE 33; RTM_NEWLINK 16,
 * RTM_DELLINK 17, RTM_DELADDR 21, RTM_DELROUTE 25, IFF_UP 1; groups of links, addresses and routes 1, 5, 7, 9, 11, of
 * nftables 7; NFT_MSG_NEWCHAIN 3, NFT_MSG_NEWGEN 15; ENOBUFS 105. A message is a header (length, type, flags, sequence,
 * port), a part of its kind, and attributes: first the name of a link or of a table.
 */
const PROGRAM = String.raw`
use strict; $| = 1;
sub hear {
  my ($protocol, $groups) = @_;
  socket(my $socket, 16, 3, $protocol) or die "netlink: $!\n";
  setsockopt($socket, 1, 33, pack 'i', 1 << 22);
  bind($socket, pack 'S S L L', 16, 0, 0, $groups) or die "netlink: $!\n";
  return $socket;
}
sub filter {
  my ($socket, @code) = @_;
  my $code = pack 'SCCL' x (@code / 4), @code;
  setsockopt($socket, 1, 26, pack 'S x![P] P', @code / 4, $code) or die "filter: $!\n";
}
my ($tables, $ways) = (hear(12, 1 << 6), hear(0, 0x551));
my @types = map { unpack 'n', pack 'S', $_ } 17, 21, 25, 16;
filter($ways, 0x28, 0, 0, 4, 0x15, 6, 0, $types[0], 0x15, 5, 0, $types[1], 0x15, 4, 0, $types[2], 0x15, 0, 2, $types[3],
  0x30, 0, 0, 28, 0x45, 1, 0, 1, 6, 0, 0, 0, 6, 0, 0, 0xffffffff);
print "start\n";
my %families = (1 => 'inet', 2 => 'ip', 10 => 'ip6');
my %told;
sub say_once { print "$_[0]\n" unless $told{$_[0]}++ }
sub attribute { my ($message, $at) = @_; substr $message, $at + 4, unpack('S', substr $message, $at, 2) - 5 }
sub changed {
  my ($message, $type, $port) = @_;
  $type &= 255;
  return if $type == 15;
  my $hook = 0;
  for (my $at = 20; $type == 3 && $at + 4 <= length $message; ) {
    my ($size, $kind) = unpack 'S S', substr $message, $at, 4;
    last if $size < 4;
    $hook = 1 if ($kind & 0x3fff) == 4;
    $at += $size + 3 & ~3;
  }
  return unless $hook or index($message, 'tutti') >= 0;
  say_once join ' ', 'table', $port, $families{unpack 'C', substr $message, 16, 1} || 'other', attribute($message, 20);
}
sub gone {
  my ($message, $type) = @_;
  return if length $message < 32 && $type < 18;
  my $name = $type < 18 ? attribute($message, 32) : '';
  return if unpack('C', substr $message, 16, 1) == 7;
  say_once('links') if $type == 17 && $name =~ /^tutti/;
  say_once('ways') if $type == 16 && $name !~ /^tutti-/ || $type == 21 && unpack('L', substr $message, 20, 4) == 1
    || $type == 25 && unpack('C', substr $message, 21, 1) =~ /^(3|174)$/;
}
sub read_from {
  my ($socket, $each) = @_;
  my $heard;
  unless (defined recv $socket, $heard, 1 << 17, 0) { die "netlink: $!\n" if $! != 105; print "lost\n"; return }
  %told = ();
  while (length $heard >= 28) {
    my ($length, $type, $port) = unpack 'L S x2 x4 L', $heard;
    last if $length < 28;
    my $message = substr $heard, 0, $length;
    $heard = substr $heard, ($length + 3 & ~3) > length $heard ? length $heard : $length + 3 & ~3;
    $each->($message, $type, $port);
  }
}
my ($all, @own) = '';
vec($all, fileno($_), 1) = 1 for $tables, $ways, \*STDIN;
while (select(my $ready = $all, undef, undef, undef)) {
  if (vec $ready, fileno(STDIN), 1) {
    sysread(STDIN, my $said, 4096) or exit;
    push @own, $said =~ /(\d+)\n/g;
    splice @own, 0, -8 if @own > 8;
    filter($tables, 0x20, 0, 0, 12, (map { (0x15, 0, 1, unpack('N', pack 'L', $_), 6, 0, 0, 0) } @own), 6, 0, 0, 0xffffffff);
  }
  read_from($tables, \&changed) if vec $ready, fileno($tables), 1;
  read_from($ways, \&gone) if vec $ready, fileno($ways), 1;
}
`

/** What is heard: a table as nft names it (`ip tutti`), changed by a process; links or ways that are gone. */
export type Heard = { readonly table: string; readonly pid: number } | 'links' | 'ways'

export interface WatchDeps {
  /** Calls `known` with each process whose changes are none to hear of, the last ones at once; returns the end of that. */
  quiet(known: (pid: number) => void): () => void
  /** Something was changed; undefined: it is not known what. */
  heard(what: Heard | undefined): void
  /** It cannot be heard: why. Called once. */
  deaf(why: string): void
  readonly clock: Clock
}

/** A pipe of a child as what it is, which Node's types do not tell. */
const pipe = (stream: object) => stream as { unref(): void }

/** Between two starts of a program that ends, ms. */
const RESTART_MS = 1000
const RESTART_MAX_MS = 60_000

/** Starts hearing; resolves when what happens from now on is heard, or cannot be. Ends with `signal`. */
export function watchKernel({ quiet, heard, deaf, clock }: WatchDeps, signal: AbortSignal): Promise<void> {
  const { promise: began, resolve: begin } = Promise.withResolvers<void>()
  const backOff = createBackOff(RESTART_MS, RESTART_MAX_MS)
  let child: ChildProcess | undefined
  let times = 0

  function tell(line: string) {
    const [, pid, family, table] = line.split(' ')
    if (line === 'start') {
      // What happened between two of them is not known.
      if (times++ > 0) heard(undefined)
      begin()
    } else if (line === 'lost') heard(undefined)
    else if (line === 'links' || line === 'ways') heard(line)
    else heard({ pid: Number(pid), table: `${family} ${table}` })
  }

  function open() {
    if (signal.aborted) return begin()
    const started = spawn('perl', ['-f', '-e', PROGRAM], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH ?? '', LC_ALL: 'C' },
    })
    child = started
    let said = ''
    let missing = false
    started.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-500)))
    started.stdin.on('error', () => {})
    const endQuiet = quiet(pid => void started.stdin.write(`${pid}\n`))
    createInterface(started.stdout).on('line', tell)
    started.once('error', error => {
      missing = true
      said = error.message
    })
    started.once('close', () => {
      endQuiet()
      begin()
      if (signal.aborted) return
      if (missing || times === 0) return deaf(said.trim())
      clock.after(backOff.next(), open)
    })
    // It ends with its input, and keeps this process alive no longer than until it has begun.
    void began.then(() => {
      started.unref()
      for (const stream of [started.stdin, started.stdout, started.stderr]) pipe(stream).unref()
    })
  }

  signal.addEventListener('abort', () => child?.stdin?.end(), { once: true })
  open()
  return began
}
