/** Reads the command line and runs one command. Errors become sentences here and nowhere else. */
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { Command, CommanderError, Option as CommanderOption } from 'commander'
import { StatusError } from '../api/machinery/status-error.ts'
import type { CommandSpec } from './command.ts'
import { commands } from './commands/all.ts'
import type { Connection, Context } from './context.ts'
import { UserError } from './context.ts'
import { paint } from './output/color.ts'

/** What the composition root brings. */
export type ProgramDeps = Omit<Context, 'dataDir' | 'json' | 'connect'> & {
  connect(options: { dataDir: string; kubeconfig?: string; context?: string }): Promise<Connection>
}

function optionOf({
  flags,
  description,
  default: value,
  choices,
  repeatable,
}: NonNullable<CommandSpec['options']>[number]) {
  const option = new CommanderOption(flags, description)
  if (value !== undefined) option.default(value)
  if (choices) option.choices([...choices])
  if (repeatable) option.argParser((next: string, all: string[] | undefined) => [...(all ?? []), next])
  return option
}

/** Commands that read no `--kubeconfig` of their own, since theirs means another thing. */
const global = (program: Command) =>
  program
    .option('--data-dir <folder>', 'where the cluster keeps everything (default: $TUTTI_DATA_DIR or ~/.tutti)')
    .option('--json', 'print JSON', false)

/** Runs the command line; returns the exit code. */
export async function runProgram(argv: readonly string[], deps: ProgramDeps): Promise<number> {
  let code: number | undefined
  const program = new Command('tutti')
    .description(
      'An orchestrator for microservices: starts processes and containers, heals, balances, scales and rolls them out.',
    )
    .version(deps.version, '-V, --version')
    .configureOutput({ writeOut: deps.io.out, writeErr: deps.io.err })
    .showHelpAfterError('Run tutti --help for the commands.')
    .showSuggestionAfterError(true)
    .enablePositionalOptions()
    .exitOverride()
  global(program)

  for (const spec of commands) {
    const command = program
      .command(`${spec.name}${spec.arguments ? ` ${spec.arguments}` : ''}`)
      .description(spec.summary)
    if (spec.help) command.addHelpText('after', `\n${spec.help}`)
    for (const option of spec.options ?? []) command.addOption(optionOf(option))
    global(command)
    command.configureOutput({ writeOut: deps.io.out, writeErr: deps.io.err }).exitOverride()
    command.action(async () => {
      const options = { ...program.opts(), ...definedOnly(command.opts()) } as Record<string, unknown>
      const dataDir = resolve(String(options.dataDir ?? deps.io.env.TUTTI_DATA_DIR ?? join(homedir(), '.tutti')))
      const kubeconfig = spec.name === 'up' ? undefined : (options.kubeconfig as string | undefined)
      const connections: Connection[] = []
      const context: Context = {
        ...deps,
        dataDir,
        json: options.json === true,
        async connect() {
          const connection = await deps.connect({ dataDir, ...(kubeconfig ? { kubeconfig } : {}) })
          connections.push(connection)
          return connection
        },
      }
      try {
        code = await spec.run(command.args, options, context)
      } finally {
        for (const connection of connections) connection.close()
      }
    })
  }

  try {
    await program.parseAsync([...argv], { from: 'user' })
    return code ?? 0
  } catch (error) {
    return explain(error, deps)
  }
}

/** Options that were given or have a default: an absent one must not hide the same option before the command. */
const definedOnly = (options: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined && value !== false))

function explain(error: unknown, { io, signal }: ProgramDeps): number {
  if (error instanceof CommanderError) return error.exitCode
  if (signal.aborted) return 130
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof UserError) {
    io.err(`${paint(io, 'red', 'error:')} ${message}\n`)
    if (error.hint) io.err(`${error.hint}\n`)
  } else if (error instanceof StatusError) {
    io.err(`${paint(io, 'red', 'error:')} ${message}\n`)
  } else {
    io.err(`${paint(io, 'red', 'error:')} ${message}\n`)
    if (io.env.TUTTI_DEBUG && error instanceof Error) io.err(`${error.stack}\n`)
    else io.err('Set TUTTI_DEBUG=1 to see where this came from.\n')
  }
  return 1
}
