import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const execute = promisify(execFile)

export interface ProgramOptions {
  /** Where the program is looked for, among others; that of this process otherwise. */
  readonly env?: NodeJS.ProcessEnv
  /** Longest that it may take, ms; 0 and absent: any time. */
  readonly timeoutMs?: number
}

/**
 * Runs a program of the system to its end; what it printed, in the words of its authors. Rejects where it fails. For what
 * runs rarely and says much: what every pod needs goes by `run-tool.ts`.
 */
export async function programOutput(
  program: string,
  args: readonly string[],
  { env = process.env, timeoutMs = 0 }: ProgramOptions = {},
): Promise<string> {
  return (await execute(program, [...args], { timeout: timeoutMs, env: { ...env, LC_ALL: 'C' } })).stdout
}
