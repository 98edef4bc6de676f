import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { isBootedBySystemd, systemctl } from '../../lib/systemd.ts'
import { defineCommand, type Options } from '../command.ts'
import type { Context } from '../context.ts'
import { UserError } from '../context.ts'
import { readInstance } from '../instance.ts'
import { isMember } from '../membership.ts'
import { withProgress } from '../output/progress.ts'
import { serviceUnit } from '../service/unit.ts'
import { stopInstance } from '../stop.ts'

const UNITS = '/etc/systemd/system'
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Tells systemd. Rejects with a `UserError`. */
const tell = (...args: string[]): Promise<void> =>
  systemctl(...args).catch(cause => {
    throw new UserError((cause as Error).message, undefined, { cause })
  })

interface Unit {
  readonly name: string
  readonly file: string
  /** It is to be told to systemd: the file is where that looks. */
  readonly isLive: boolean
}

function unitOf(options: Options): Unit {
  const name = String(options.name ?? 'tutti')
  if (!/^[a-zA-Z0-9:_.@-]+$/.test(name)) throw new UserError(`--name ${JSON.stringify(name)} is no name of a unit`)
  if (options.unitDir !== undefined)
    return { name, file: join(resolve(String(options.unitDir)), `${name}.service`), isLive: false }
  if (!isBootedBySystemd())
    throw new UserError(
      'this machine is not run by systemd',
      'Write the unit elsewhere with --unit-dir FOLDER, or let what starts this machine run: tutti up --foreground',
    )
  return { name, file: join(UNITS, `${name}.service`), isLive: true }
}

async function install(args: readonly string[], options: Options, context: Context): Promise<void> {
  const { dataDir, io, launcher } = context
  const unit = unitOf(options)
  const text = serviceUnit({
    command: [...launcher.command, 'up', '--foreground', '--data-dir', dataDir, ...args],
    dataDir,
    isNode: isMember(dataDir),
    path: io.env.PATH ?? DEFAULT_PATH,
  })
  try {
    mkdirSync(resolve(unit.file, '..'), { recursive: true })
    writeFileSync(unit.file, text, { mode: 0o644 })
  } catch (cause) {
    throw new UserError(`${unit.file} cannot be written: ${(cause as Error).message}`, 'Run this as root.', { cause })
  }
  if (unit.isLive) {
    const running = readInstance(dataDir)
    // Whoever started it by hand hands over; the workloads go on.
    if (running)
      await withProgress(context, 'handing over', () =>
        stopInstance(context, running, { workloads: false, timeoutMs: 30_000 }),
      )
    await tell('daemon-reload')
    await tell('enable', '--now', `${unit.name}.service`)
  }
  io.out(
    unit.isLive
      ? `${unit.file} is written, enabled and started: systemctl status ${unit.name}\n`
      : `${unit.file} is written. Enable it there: systemctl enable --now ${unit.name}\n`,
  )
}

async function uninstall(options: Options, { io }: Context): Promise<void> {
  const unit = unitOf(options)
  if (!existsSync(unit.file)) {
    io.out(`There is no ${unit.file}.\n`)
    return
  }
  if (unit.isLive) await tell('disable', '--now', `${unit.name}.service`)
  rmSync(unit.file)
  if (unit.isLive) await tell('daemon-reload')
  io.out(`${unit.file} is gone. The state and the workloads stay: tutti down, tutti delete.\n`)
}

export const service = defineCommand({
  name: 'service',
  arguments: '<action> [arguments...]',
  summary: 'start the cluster or the node with the machine: service install, service uninstall (systemd)',
  help: `Writes a unit for systemd that runs "tutti up --foreground" on this data directory: a cluster, or the node that
"tutti join" has made. Options of "up" that are not kept go behind two dashes:

  tutti service install
  tutti service install -- --port 7443 --config /etc/tutti.yaml
  tutti service uninstall`,
  options: [
    { flags: '--name <name>', description: 'name of the unit (default: tutti)' },
    { flags: '--unit-dir <folder>', description: `write it there and do not tell systemd (default: ${UNITS})` },
  ],
  async run([action, ...args], options, context) {
    if (action === 'install') await install(args, options, context)
    else if (action === 'uninstall') await uninstall(options, context)
    else throw new UserError(`service ${action}: there is install and uninstall`)
    return 0
  },
})
