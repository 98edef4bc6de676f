/** Runs one of the system's programs to its end. */
import { spawn } from 'node:child_process'

export interface CommandResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** What `run` throws when the program failed: the command, its exit code and what it said. */
export class CommandError extends Error {
  readonly result: CommandResult
  constructor(command: string, args: readonly string[], result: CommandResult) {
    const said = (result.stderr || result.stdout).trim().split('\n').slice(0, 3).join(' | ')
    super(`${command} ${args.join(' ')}: exit code ${result.code}: ${said}`)
    this.result = result
  }
}

/**
 * Runs `command`, with `input` on its standard input, and resolves with how it ended, whatever the exit code. `started`
 * is told the process's id.
 */
export function attempt(
  command: string,
  args: readonly string[],
  input?: string,
  started?: (pid: number) => void,
): Promise<CommandResult> {
  return new Promise(resolve => {
    const child = spawn(command, args, { stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] })
    if (child.pid !== undefined) started?.(child.pid)
    let stdout = ''
    let stderr = ''
    child.stdout!.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.once('error', error => resolve({ code: 127, stdout, stderr: `${command}: ${error.message}` }))
    child.once('close', code => resolve({ code: code ?? 128, stdout, stderr }))
    // A program that ends before it has read its input breaks the pipe; its exit code says why.
    child.stdin?.on('error', () => {}).end(input)
  })
}

/** Like `attempt`, but throws `CommandError` unless the exit code is 0. Resolves with what was printed. */
export async function run(
  command: string,
  args: readonly string[],
  input?: string,
  started?: (pid: number) => void,
): Promise<string> {
  const result = await attempt(command, args, input, started)
  if (result.code !== 0) throw new CommandError(command, args, result)
  return result.stdout
}
