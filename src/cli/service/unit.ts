/** The systemd unit of a cluster or a node (systemd.unit(5), systemd.service(5)). Pure. */

export interface UnitOptions {
  /** The program with its arguments: `['/usr/bin/node', …, 'up', '--foreground']`. */
  readonly command: readonly string[]
  readonly dataDir: string
  /** A node of a cluster on another machine. */
  readonly isNode: boolean
  /** PATH: where its runtimes and tools are found. */
  readonly path: string
  /** For the service manager of an ordinary user, which knows nothing of the machine's units. */
  readonly isUsers?: boolean
}

/** A word as systemd reads it: in quotes where it must be, `%` and `$` doubled. */
function word(text: string): string {
  const escaped = text.replaceAll('%', '%%').replaceAll('$', '$$$$')
  return /^[\w@%+=:,./$-]+$/.test(text) ? escaped : `"${escaped.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

const ORDER = `\
# A machine that goes down stops what comes after first: runtimes and the network are there until pods have ended.
After=network-online.target containerd.service crio.service
Wants=network-online.target
`

/** The text of the unit. */
export const serviceUnit = ({ command, dataDir, isNode, path, isUsers = false }: UnitOptions): string => `[Unit]
Description=Tutti ${isNode ? 'node' : 'cluster'} (${dataDir.replaceAll('%', '%%')})
${isUsers ? '' : ORDER}
[Service]
Type=exec
ExecStart=${command.map(word).join(' ')}
Environment=${word(`PATH=${path}`)}
WorkingDirectory=/
# Workloads outlive the program, as they do when it is killed: only it is ended.
KillMode=process
KillSignal=SIGTERM
# With the machine, workloads end first, each with its grace.
TimeoutStopSec=90
# A program that was told to stop (tutti down) stays so until the next boot.
Restart=on-failure
RestartSec=2
# A node runs what it is given: its limits are those of the workloads.
Delegate=yes
LimitNOFILE=1048576
LimitNPROC=infinity
TasksMax=infinity

[Install]
WantedBy=${isUsers ? 'default' : 'multi-user'}.target
`
