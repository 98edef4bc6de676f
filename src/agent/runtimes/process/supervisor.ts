/**
 * The parent of a container's main process: a small /bin/sh that outlives Tutti. It puts the process in its place
 * (control groups, mounts, root, folder), waits for it, and leaves the exit code in a file.
 *
 * Invariants:
 * - `pid` is written before the command runs: whatever runs can be found again.
 * - `exit` was made before, with its block on disk, and is overwritten in place: a full disk loses no exit code.
 * - Everything of a container ends with its supervisor where there is a pid namespace, for the supervisor is its pid 1.
 * - The supervisor holds the file `alive` open, which has no name any more: `fs.watch` of /proc/PID/fd/9 tells a later
 *   Tutti when it ends, without polling.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { quote } from '../../../lib/run-tool.ts'
import { RuntimeError } from '../runtime.ts'

/**
 * Positional parameters, which stand before it in the file that is run: container folder, mount table or '', host name
 * or '', new root or '', working folder, stdin (null, fifo, once), cgroup.procs files one a line, score by which the
 * kernel chooses whom to kill or '', whether the words for rights tell themselves of the start, then five lists of
 * words one a line: what mounts more than the table does, `pivot_root` where the old root is to be left for good, what
 * then lets go of it, what sets user and rights, and `env`; then the command. fd 3 tells that `out` is there, the pipe
 * to the container's log (copier.ts), and how the start went. Foreground children have default signals; background ones
 * would ignore SIGINT, so the main process is in the foreground. Variables that a shell would drop or that change how
 * programs are loaded come as TUTTI_ENV_0, 1, …: they are put back for the command, and for nothing that still has this
 * program's rights.
 */
const SCRIPT = String.raw`
tt_dir=$1 tt_table=$2 tt_host=$3 tt_root=$4 tt_wd=$5 tt_input=$6 tt_groups=$7 tt_oom=$8 tt_tells=$9
shift 9
tt_more=$1 tt_pivot=$2 tt_letgo=$3 tt_rights=$4 tt_env=$5
shift 5
tt_ids() {
  if [ -r /proc/self/stat ]; then
    read -r tt_id _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ tt_start _ </proc/self/stat
  else
    tt_id=$(exec /bin/sh -c 'echo $PPID') tt_start=
  fi
}
exec 9>"$tt_dir/alive" 7<>"$tt_dir/exit"
trap : TERM INT HUP QUIT USR1 USR2
tt_ids
tt_main="$tt_id $tt_start"
(
  exec 9>&- 7>&-
  tt_fail() { (echo "error: $*" >&3); exit 127; }
  # Its output is made meanwhile; without it, it was never started.
  read -r tt_out <&3 || tt_fail 'it has no output'
  tt_ids
  echo "$tt_main $tt_id $tt_start" >"$tt_dir/pid" || tt_fail "cannot write $tt_dir/pid"
  case $tt_input in
    null) exec </dev/null ;;
    fifo)
      /usr/bin/mkfifo -m 600 "$tt_dir/stdin" || tt_fail "cannot make $tt_dir/stdin"
      exec <>"$tt_dir/stdin" ;;
    once)
      /usr/bin/mkfifo -m 600 "$tt_dir/stdin" || tt_fail "cannot make $tt_dir/stdin"
      exec 8<>"$tt_dir/stdin"
      (
        (exec 3>&-; tt_ids; echo "$tt_id $tt_start" >"$tt_dir/holder"; exec /bin/sleep 2147483647) </dev/null &
      )
      exec <"$tt_dir/stdin" 8<&- ;;
  esac
  exec >"$tt_dir/out" 2>&1
  IFS='
'
  for tt_file in $tt_groups; do echo 0 >"$tt_file" || tt_fail "cannot join $tt_file"; done
  unset IFS
  # To be killed sooner than now is allowed to all; to be spared, to few.
  if [ -n "$tt_oom" ]; then echo "$tt_oom" 2>/dev/null >/proc/self/oom_score_adj || :; fi
  if [ -n "$tt_table" ]; then tt_out=$(/bin/mount -n -a -T "$tt_table" 2>&1) || tt_fail "$tt_out"; fi
  if [ -n "$tt_more" ]; then
    IFS='
'
    tt_out=$($tt_more 2>&1) || tt_fail "$tt_out"
    unset IFS
  fi
  if [ -n "$tt_host" ]; then { echo "$tt_host" >/proc/sys/kernel/hostname; } 2>/dev/null; fi
  if [ -n "$tt_pivot" ]; then
    cd "$tt_root" || tt_fail "cannot enter $tt_root"
    tt_out=$("$tt_pivot" . . 2>&1) || tt_fail "$tt_out"
    IFS='
'
    $tt_letgo || tt_fail "cannot let go of the machine's files"
    unset IFS
    tt_root=
  fi
  set -f
  tt_number=0
  while eval "tt_pair=\${TUTTI_ENV_$tt_number-}"; [ -n "$tt_pair" ]; do
    set -- "$tt_pair" "$@"
    unset "TUTTI_ENV_$tt_number"
    tt_number=$((tt_number + 1))
  done
  IFS='
'
  if [ "$tt_number" -gt 0 ]; then set -- $tt_env "$@"; fi
  set -- $tt_rights "$@"
  unset IFS
  if [ -n "$tt_root" ]; then
    set -- /usr/bin/unshare --root="$tt_root" --wd="$tt_wd" "$@"
  else
    cd "$tt_wd" 2>/dev/null || tt_fail "chdir to cwd (\"$tt_wd\") failed: no such file or directory"
  fi
  unset OLDPWD tt_table tt_host tt_root tt_wd tt_input tt_groups tt_oom tt_id tt_start tt_main tt_pair tt_number tt_file tt_out
  unset tt_more tt_pivot tt_letgo tt_rights tt_env
  if [ -z "$tt_tells" ]; then
    # Nobody may listen any more.
    trap '' PIPE
    echo started >&3 2>/dev/null
    exec 3>&-
    trap - PIPE
  fi
  unset tt_tells
  exec "$@"
)
tt_code=$?
printf '%s\n' "$tt_code" >&7
exit "$tt_code"
`

/** How a container's process is to be put in place. */
export interface Launch {
  /** The container's own folder; holds pid, exit, out, alive, stdin. */
  readonly directory: string
  /** Resolves when `out` is there. */
  readonly output: Promise<unknown>
  /** Programs that lead to the supervisor: nsenter, unshare, …, each with its arguments. */
  readonly prefix: readonly string[]
  readonly mountTable?: string | undefined
  /** Words that mount more, after the table. */
  readonly moreMounts?: readonly string[] | undefined
  readonly hostname?: string | undefined
  readonly root?: string | undefined
  /** The root is changed for good: `pivot_root`, and the words that let go of the old one from inside the new. */
  readonly pivot?: { readonly program: string; readonly letGo: readonly string[] } | undefined
  /** Words that set user, groups and rights, before the command. */
  readonly rights: readonly string[]
  /** These words tell on descriptor 3 that the start went well: it has not before they are done. */
  readonly rightsTell?: boolean | undefined
  /** Words that run `env` where the command runs. */
  readonly envTool: readonly string[]
  readonly workingDir: string
  readonly input: 'null' | 'fifo' | 'once'
  /** cgroup.procs files to join. */
  readonly groups: readonly string[]
  /** -1000..1000; undefined: as this program's. */
  readonly oomScoreAdj?: number | undefined
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

const shellName = /^[A-Za-z_][A-Za-z0-9_]*$/
/** What the loader of programs and perl obey: not before the rights of the command are set, as it could run code of its choice. */
const LOADER = /^(LD_|PERL|GLIBC_TUNABLES$)/

/** Variables apart: those that may stand in the environment of what starts the command, and pairs for the command alone. */
export function splitVariables(env: Readonly<Record<string, string>>): {
  readonly plain: Record<string, string>
  readonly held: readonly string[]
} {
  const plain: Record<string, string> = {}
  const held: string[] = []
  for (const [name, value] of Object.entries(env)) {
    if (shellName.test(name) && !LOADER.test(name)) plain[name] = value
    else held.push(`${name}=${value}`)
  }
  return { plain, held }
}

/** Variables in a form that passes through a shell. */
function shellSafe(env: Readonly<Record<string, string>>): Record<string, string> {
  const { plain, held } = splitVariables(env)
  return { ...plain, ...Object.fromEntries(held.map((pair, at) => [`TUTTI_ENV_${at}`, pair])) }
}

/**
 * Starts a supervisor. Resolves when the command is about to be executed; rejects with `RuntimeError` StartError when
 * it could not be put in place. `onExit` is called when the supervisor is gone, also after a failed start.
 */
export function launch(request: Launch, onExit: () => void): Promise<ChildProcess> {
  const { prefix, directory, output, mountTable, hostname, root, pivot, workingDir, input, groups, oomScoreAdj } =
    request
  const { command, env } = request
  const place = [directory, mountTable ?? '', hostname ?? '', root ?? '', workingDir, input, groups.join('\n')]
  place.push(oomScoreAdj === undefined ? '' : String(oomScoreAdj), request.rightsTell ? 'yes' : '')
  const lists = [
    request.moreMounts ?? [],
    pivot ? [pivot.program] : [],
    pivot?.letGo ?? [],
    request.rights,
    request.envTool,
  ]
  place.push(...lists.map(list => list.join('\n')))
  // A file, not an argument: the command shows once in the list of processes, as that of its own process.
  const file = join(directory, 'supervise')
  writeFileSync(file, `set -- ${quote([...place, ...command])}\n${SCRIPT}`, { mode: 0o600 })
  const [program = '/bin/sh', ...args] = [...prefix, '/bin/sh', file]
  const supervisor = spawn(program, args, {
    cwd: '/',
    detached: true,
    env: shellSafe(env),
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  })
  supervisor.unref()
  return new Promise((resolve, reject) => {
    const told = supervisor.stdio[3] as Socket
    let text = ''
    const settle = (problem?: string) => {
      told.destroy()
      if (problem === undefined) resolve(supervisor)
      else reject(new RuntimeError('StartError', `failed to start container process: ${problem}`))
    }
    told.on('data', chunk => {
      text += chunk
      if (text.startsWith('started\n')) settle()
    })
    told.on('error', () => {})
    output.then(
      () => told.write('go\n'),
      error => settle(`it has no pipe for its output: ${error.message}`),
    )
    supervisor.once('error', error => {
      settle(`cannot run ${program}: ${error.message}`)
      onExit()
    })
    supervisor.once('exit', onExit)
    // Not before its last words were read.
    supervisor.once('close', (code, signal) => {
      settle(text.startsWith('error: ') ? text.slice(7).trim() : `${program} ended with ${signal ?? `code ${code}`}`)
    })
  })
}
