/**
 * Hears of it when somebody else changes nftables: one small perl with a netlink socket (NFNLGRP_NFTABLES), as Node
 * cannot open one. The kernel itself keeps away from it what our own session does (a socket filter on the sender), so
 * that a change of a service wakes nobody; what others do to tables that have nothing of ours ends in perl.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { createBackOff } from '../../client/back-off.ts'
import type { Clock } from '../../lib/clock.ts'

/**
 * It is told, a line each, whose changes it need not hear of: a process's id. What it prints, a line each: `start`; `lost`, when the kernel had more to tell than there was room for;
 * `PID FAMILY TABLE` for a change that has to do with us (it names us, or brings a chain of a hook), by the sender's
 * netlink port, which is the process's id.
 *
 * Numbers of the kernel (linux/netlink.h, linux/filter.h, linux/netfilter/nf_tables.h): AF_NETLINK 16, SOCK_RAW 3,
 * NETLINK_NETFILTER 12, group 7; SO_ATTACH_FILTER 26, SO_RCVBUFFORCE 33; NFT_MSG_NEWCHAIN 3, NFT_MSG_NEWGEN 15; ENOBUFS
 * 105. A message is a header (length, type, flags, sequence, port), the family, and attributes, the table's name first.
 */
const PROGRAM = String.raw`
use strict; $| = 1;
socket(my $socket, 16, 3, 12) or die "netlink: $!\n";
setsockopt($socket, 1, 33, pack 'i', 1 << 22);
sub quiet {
  my $port = unpack 'N', pack 'L', $_[0];
  my $code = pack 'SCCL' x 4, 0x20, 0, 0, 12, 0x15, 0, 1, $port, 6, 0, 0, 0, 6, 0, 0, 0xffffffff;
  setsockopt($socket, 1, 26, pack 'S x![P] P', 4, $code) or die "filter: $!\n";
}
bind($socket, pack 'S S L L', 16, 0, 0, 1 << 6) or die "nftables: $!\n";
print "start\n";
my $both = '';
vec($both, fileno($_), 1) = 1 for $socket, \*STDIN;
my %families = (1 => 'inet', 2 => 'ip', 10 => 'ip6');
while (select(my $ready = $both, undef, undef, undef)) {
  if (vec $ready, fileno(STDIN), 1) { sysread(STDIN, my $said, 4096) or exit; quiet($1) if $said =~ /(\d+)\n\z/ }
  next unless vec $ready, fileno($socket), 1;
  my $heard;
  unless (defined recv $socket, $heard, 1 << 17, 0) { die "netlink: $!\n" if $! != 105; print "lost\n"; next }
  my %told;
  while (length $heard >= 28) {
    my ($length, $type, $port) = unpack 'L S x2 x4 L', $heard;
    last if $length < 28;
    my $message = substr $heard, 0, $length;
    $heard = substr $heard, ($length + 3 & ~3) > length $heard ? length $heard : $length + 3 & ~3;
    $type &= 255;
    next if $type == 15;
    my $hook = 0;
    if ($type == 3) {
      for (my $at = 20; $at + 4 <= $length; ) {
        my ($size, $kind) = unpack 'S S', substr $message, $at, 4;
        last if $size < 4;
        $hook = 1 if ($kind & 0x3fff) == 4;
        $at += $size + 3 & ~3;
      }
    }
    next unless $hook or index($message, 'tutti') >= 0;
    my ($size) = unpack 'S', substr $message, 20, 2;
    my $line = join ' ', $port, $families{unpack 'C', substr $message, 16, 1} || 'other', substr $message, 24, $size - 5;
    print "$line\n" unless $told{$line}++;
  }
}
`

export interface TableChange {
  /** Of the process. */
  readonly pid: number
  /** As nft names it: `ip tutti`. */
  readonly table: string
}

export interface WatchDeps {
  /** Calls `known` with the process whose changes are none to hear of, and with each that takes its place. */
  quiet(known: (pid: number) => void): void
  /** A change by anybody else; undefined: there was one, and it is not known which. */
  heard(change: TableChange | undefined): void
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
export function watchTables({ quiet, heard, deaf, clock }: WatchDeps, signal: AbortSignal): Promise<void> {
  const { promise: began, resolve: begin } = Promise.withResolvers<void>()
  const backOff = createBackOff(RESTART_MS, RESTART_MAX_MS)
  let child: ChildProcess | undefined
  let times = 0
  let quietPid: number | undefined
  quiet(pid => {
    quietPid = pid
    child?.stdin?.write(`${pid}\n`)
  })

  function tell(line: string) {
    const [pid, family, table] = line.split(' ')
    if (line === 'start') {
      // What happened between two of them is not known.
      if (times++ > 0) heard(undefined)
      begin()
    } else if (line === 'lost') heard(undefined)
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
    if (quietPid !== undefined) started.stdin.write(`${quietPid}\n`)
    createInterface(started.stdout).on('line', tell)
    started.once('error', error => {
      missing = true
      said = error.message
    })
    started.once('close', () => {
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
