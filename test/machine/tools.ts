/** Programs of the machine that makes machines. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { findProgram } from '../../src/agent/runtimes/containerd/find.ts'

/** Where a program is; undefined when it is nowhere on PATH. */
export const findTool = (name: string): string | undefined => findProgram(name, process.env.PATH ?? '')

/** Runs one, behind everything else on the machine, to its end. Throws what it said when it fails. */
export async function mustRun(
  program: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<void> {
  const child = spawn('nice', ['-n', '5', program, ...args], { ...options, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4000)
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${said}`)
}
