import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import { isBootedBySystemd, systemctl } from '../../lib/systemd.ts'
import { defineCommand, type Options } from '../command.ts'
import type { Context } from '../context.ts'
import { UserError } from '../context.ts'
import { isMember } from '../membership.ts'
import { withProgress } from '../output/progress.ts'
import { serviceUnit } from '../service/unit.ts'
import { lastingInstance, stopInstance } from '../stop.ts'

const UNITS = '/etc/systemd/system'
const USERS_UNITS = 'systemd/user'

/** Tells systemd. Rejects with a `UserError`. */
const tell = ({ isUsers }: Unit, ...args: string[]): Promise<void> =>
  systemctl(...(isUsers ? ['--user'] : []), ...args).catch(cause => {
    throw new UserError((cause as Error).message, undefined, { cause })
  })

/** What an ordinary user has to know. */
const whenItRuns = ({ isUsers }: Unit): string =>
  isUsers && !existsSync(`/var/lib/systemd/linger/${userInfo().username}`)
    ? 'It runs while you are logged in. To start it with the machine: loginctl enable-linger\n'
    : ''

interface Unit {
  readonly name: string
  readonly file: string
  /** It is to be told to systemd: the file is where that looks. */
  readonly isLive: boolean
  /** Of an ordinary user's own service manager. */
  readonly isUsers: boolean
}

function unitOf(options: Options, { io: { env } }: Context): Unit {
  const isUsers = process.getuid?.() !== 0
  const name = String(options.name ?? 'tutti')
  if (!/^[a-zA-Z0-9:_.@-]+$/.test(name)) throw new UserError(`--name ${JSON.stringify(name)} is no name of a unit`)
  if (options.unitDir !== undefined)
    return { name, file: join(resolve(String(options.unitDir)), `${name}.service`), isLive: false, isUsers }
  if (!isBootedBySystemd())
    throw new UserError(
      'this machine is not run by systemd',
      'Write the unit elsewhere with --unit-dir FOLDER, or let what starts this machine run: tutti up --foreground',
    )
  const folder = isUsers ? join(env.XDG_CONFIG_HOME ?? join(homedir(), '.config'), USERS_UNITS) : UNITS
  return { name, file: join(folder, `${name}.service`), isLive: true, isUsers }
}

async function install(args: readonly string[], options: Options, context: Context): Promise<void> {
  const { dataDir, io, launcher } = context
  const unit = unitOf(options, context)
  const text = serviceUnit({
    command: [...launcher.command, 'up', '--foreground', '--data-dir', dataDir, ...args],
    dataDir,
    isNode: isMember(dataDir),
    path: io.env.PATH ?? '',
    isUsers: unit.isUsers,
  })
  try {
    mkdirSync(resolve(unit.file, '..'), { recursive: true })
    writeFileSync(unit.file, text, { mode: 0o644 })
  } catch (cause) {
    throw new UserError(`${unit.file} cannot be written: ${(cause as Error).message}`, undefined, { cause })
  }
  if (unit.isLive) {
    const running = await lastingInstance(context)
    // Whoever started it by hand hands over; the workloads go on.
    if (running)
      await withProgress(context, 'handing over', () =>
        stopInstance(context, running, { workloads: false, timeoutMs: 30_000 }),
      )
    await tell(unit, 'daemon-reload')
    await tell(unit, 'enable', '--now', `${unit.name}.service`)
  }
  io.out(
    unit.isLive
      ? `${unit.file} is written, enabled and started: systemctl ${unit.isUsers ? '--user ' : ''}status ${unit.name}\n${whenItRuns(unit)}`
      : `${unit.file} is written. Enable it there: systemctl enable --now ${unit.name}\n`,
  )
}

async function uninstall(options: Options, context: Context): Promise<void> {
  const { io } = context
  const unit = unitOf(options, context)
  if (!existsSync(unit.file)) {
    io.out(`There is no ${unit.file}.\n`)
    return
  }
  if (unit.isLive) await tell(unit, 'disable', '--now', `${unit.name}.service`)
  rmSync(unit.file)
  if (unit.isLive) await tell(unit, 'daemon-reload')
  io.out(`${unit.file} is gone. The state and the workloads stay: tutti down, tutti delete.\n`)
}

export const service = defineCommand({
  name: 'service',
  arguments: '<action> [arguments...]',
  summary: 'start the cluster or the node with the machine: service install, service uninstall (systemd)',
  help: `Writes a unit for systemd that runs "tutti up --foreground" on this data directory: a cluster, or the node that
"tutti join" has made. Users who are not root write it for their own service manager. Options of "up" that are not kept
go behind two dashes:

  tutti service install
  tutti service install -- --port 7443 --config /etc/tutti.yaml
  tutti service uninstall`,
  options: [
    { flags: '--name <name>', description: 'name of the unit (default: tutti)' },
    {
      flags: '--unit-dir <folder>',
      description: `write it there and do not tell systemd (default: ${UNITS}, or ~/.config/${USERS_UNITS})`,
    },
  ],
  async run([action, ...args], options, context) {
    if (action === 'install') await install(args, options, context)
    else if (action === 'uninstall') await uninstall(options, context)
    else throw new UserError(`service ${action}: there is install and uninstall`)
    return 0
  },
})
