/** A command is data: `commands/<verb>.ts` exports one `defineCommand({...})`, `commands/all.ts` lists them. */
import type { Context } from './context.ts'

export interface Option {
  /** As commander has it: `-n, --namespace <name>`. */
  readonly flags: string
  readonly description: string
  readonly default?: string | number | boolean
  readonly choices?: readonly string[]
  /** May be given several times. */
  readonly repeatable?: boolean
}

/** Values by long name in camelCase. */
export type Options = Readonly<Record<string, unknown>>

export interface CommandSpec {
  readonly name: string
  /** Arguments as commander has them: `<kind> [names...]`. */
  readonly arguments?: string
  readonly summary: string
  /** Shown by `--help` below the summary: examples first. */
  readonly help?: string
  readonly options?: readonly Option[]
  /** Returns the exit code; undefined is 0. Throws `UserError` for what the person should read. */
  run(args: readonly string[], options: Options, context: Context): Promise<number | undefined>
}

export const defineCommand = (spec: CommandSpec): CommandSpec => Object.freeze(spec)

/** `-n, --namespace`, which most commands take. */
export const NAMESPACE: Option = { flags: '-n, --namespace <name>', description: 'namespace (default: default)' }

/** The namespace option, or the connection's. */
export const namespaceOf = (options: Options, fallback: string) => (options.namespace as string | undefined) ?? fallback
